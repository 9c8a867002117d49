#define _GNU_SOURCE
#include "files.h"
#include "wire.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEPTH 32
#define MAX_ENTRIES 10000
#define MAX_SECONDS 2
#define MAX_PATH 1024

/* Never follows a link, never leaves the workspace, never crosses a mount, never blocks on a FIFO. */
static int open_beneath(int dir, const char *path, int flags, mode_t mode) {
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY),
                           .mode = mode,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int enter_directory(int dir, const char *name) {
    if (mkdirat(dir, name, 0755) && errno != EEXIST) return -1;
    return open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0);
}

static int write_new(int dir, const char *name, mode_t mode, const uint8_t *bytes, uint32_t len) {
    struct stat info;
    int fd = open_beneath(dir, name, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) return -1;
    errno = EINVAL;
    int failed = fstat(fd, &info) || !S_ISREG(info.st_mode) || ftruncate(fd, 0) || write_all(fd, bytes, len) || fchmod(fd, mode & 0777);
    int saved = errno;
    close(fd);
    errno = saved;
    return failed ? -1 : 0;
}

static int put_beneath(int workspace, const char *path, mode_t mode, const uint8_t *bytes, uint32_t len) {
    char copy[MAX_PATH + 1];
    if (strlen(path) > MAX_PATH) return errno = ENAMETOOLONG, -1;
    strcpy(copy, path);
    int dir = open_beneath(workspace, ".", O_RDONLY | O_DIRECTORY, 0);
    char *name = copy;
    for (char *slash; dir >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        *slash = 0;
        int next = enter_directory(dir, name), saved = errno;
        close(dir);
        errno = saved;
        dir = next;
    }
    if (dir < 0) return -1;
    int failed = write_new(dir, name, mode, bytes, len), saved = errno;
    close(dir);
    errno = saved;
    return failed;
}

/* As the sandbox's own uid: it owns what it is given, its quota pays, and no power of ours is lent to a path of theirs. */
int put_file(int workspace, const char *path, mode_t mode, uid_t uid, const uint8_t *bytes, uint32_t len) {
    setfsgid(uid);
    setfsuid(uid);
    int failed = put_beneath(workspace, path, mode, bytes, len), saved = errno;
    setfsuid(0);
    setfsgid(0);
    errno = saved;
    return failed;
}

/* One row of the classic table: reach[j] = the pattern so far can match the first j characters. O(pattern × path), so that a
 * hostile pattern costs no more than a plain one. */
int glob_matches(const char *pattern, const char *path) {
    static char reach[MAX_PATH + 2], next[MAX_PATH + 2];
    size_t n = strlen(path);
    if (n > MAX_PATH) return 0;
    memset(reach, 0, n + 1);
    reach[0] = 1;
    for (const char *p = pattern; *p; p++) {
        memset(next, 0, n + 1);
        int deep = p[0] == '*' && p[1] == '*', star = p[0] == '*';
        if (deep && p[2] == '/') { // a double star and a slash match nothing too, or any whole directories
            for (size_t j = 0, any = 0; j <= n; j++) {
                next[j] = reach[j] || (any && j && path[j - 1] == '/');
                any |= (size_t)reach[j];
            }
            p += 2;
        } else if (star) {
            for (size_t j = 0; j <= n; j++) next[j] = reach[j] || (j && next[j - 1] && (deep || path[j - 1] != '/'));
            p += deep;
        } else {
            for (size_t j = 1; j <= n; j++) next[j] = reach[j - 1] && (*p == path[j - 1] || (*p == '?' && path[j - 1] != '/'));
        }
        memcpy(reach, next, n + 1);
    }
    return reach[n];
}

struct walk {
    const char *globs;
    uint32_t globs_len, budget;
    int entries, cut_short;
    time_t until;
    file_sink sink;
    void *context;
};

static int wanted(const struct walk *walk, const char *path) {
    for (const char *glob = walk->globs; glob < walk->globs + walk->globs_len; glob += strlen(glob) + 1)
        if (glob_matches(glob, path)) return 1;
    return 0;
}

static void take_file(struct walk *walk, int dir, const char *name, const char *path) {
    struct stat info;
    int fd = open_beneath(dir, name, O_RDONLY, 0);
    if (fd < 0) return;
    if (!fstat(fd, &info) && S_ISREG(info.st_mode)) {
        uint64_t size = (uint64_t)info.st_size, want = size < walk->budget ? size : walk->budget;
        uint8_t *bytes = malloc(want + 1);
        uint32_t got = 0;
        for (ssize_t n; bytes && got < want && (n = read(fd, bytes + got, want - got)) > 0;) got += (uint32_t)n;
        if (bytes) walk->sink(walk->context, path, size, bytes, got);
        walk->budget -= got;
        free(bytes);
    }
    close(fd);
}

static time_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void walk_directory(struct walk *walk, int dir, const char *prefix, int depth) {
    DIR *listing = fdopendir(dir);
    if (!listing) {
        close(dir);
        return;
    }
    for (struct dirent *entry; !walk->cut_short && (entry = readdir(listing));) {
        char path[MAX_PATH + 1];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (snprintf(path, sizeof path, "%s%s", prefix, entry->d_name) > MAX_PATH) continue;
        if (++walk->entries > MAX_ENTRIES || seconds() > walk->until) {
            walk->cut_short = 1;
            break;
        }
        if (entry->d_type == DT_DIR && depth < MAX_DEPTH && strlen(path) < MAX_PATH) {
            int below = open_beneath(dirfd(listing), entry->d_name, O_RDONLY | O_DIRECTORY, 0);
            strcat(path, "/");
            if (below >= 0) walk_directory(walk, below, path, depth + 1);
        } else if (entry->d_type == DT_REG && wanted(walk, path))
            take_file(walk, dirfd(listing), entry->d_name, path);
    }
    closedir(listing);
}

int collect_files(int workspace, const char *globs, uint32_t len, uint32_t budget, file_sink sink, void *context) {
    struct walk walk = {globs, len, budget, 0, 0, seconds() + MAX_SECONDS, sink, context};
    int dir = open_beneath(workspace, ".", O_RDONLY | O_DIRECTORY, 0);
    if (dir >= 0) walk_directory(&walk, dir, "", 0);
    return walk.cut_short;
}
