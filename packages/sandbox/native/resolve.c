#define _GNU_SOURCE
#include "resolve.h"
#include "rules.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_LINKS 40
#define PROC_ROOT 1 /* its inode's number */

static dev_t proc_device;
static int have_proc;

void resolve_prepare(void) {
    struct stat info;
    have_proc = !stat("/proc", &info) && info.st_ino == PROC_ROOT;
    proc_device = info.st_dev;
}

int on_proc(int fd) {
    struct stat info;
    return have_proc && !fstat(fd, &info) && info.st_dev == proc_device;
}

int path_of(const struct call *call, int dirfd, uint64_t address, int empty, struct path *path) {
    path->base = -1;
    int failed = caller_path(call, address, path->text, empty);
    if (failed) return failed;
    if (*path->text == '/' && !path->resolve) return 0;
    path->base = caller_dir(call, dirfd);
    return path->base < 0 ? path->base : 0;
}

void path_done(struct path *path) {
    if (path->base >= 0) close(path->base);
    path->base = -1;
}

/* ---- /proc ---- */

/* The pid that a canonical path below /proc speaks of, or 0. */
static int pid_in(const char *path) { return strncmp(path, "/proc/", 6) ? 0 : atoi(path + 6); }

/* Of its own process a program may see everything; of another one only where that process is not undumpable: then what is
 * below /proc/PID belongs to its uid. (The broker, which owns the user namespace, could always.) */
int caller_may_see(const struct call *call, int fd) {
    char path[PATH_MAX];
    struct caller_ids ids;
    struct stat info;
    int failed = canonical(call->w, fd, path), pid;
    if (failed) return failed;
    if (!(pid = pid_in(path))) return 0;
    if ((failed = caller_ids(call, &ids))) return failed;
    if (pid == ids.tgid || pid == ids.tid) return 0;
    return !fstat(fd, &info) && info.st_uid == call->w->uid ? 0 : -ENOENT; /* as hidepid says */
}

/* What a link in the root of /proc holds, which for two of them depends on who asks. */
static int proc_root_link(const struct call *call, const char *name, char text[PATH_MAX]) {
    struct caller_ids ids;
    int self = !strcmp(name, "self"), thread = !strcmp(name, "thread-self");
    if (!self && !thread) return 0;
    int failed = caller_ids(call, &ids);
    if (failed) return failed;
    if (self)
        snprintf(text, PATH_MAX, "%d", ids.tgid);
    else
        snprintf(text, PATH_MAX, "%d/task/%d", ids.tgid, ids.tid);
    return 1;
}

/* Links below /proc/PID hold no path to walk: the kernel jumps to what they stand for. */
static int jump(const struct call *call, int dir, const char *name, int link, uint64_t resolve) {
    if (resolve & RESOLVE_NO_MAGICLINKS) return -ELOOP;
    int failed = caller_may_see(call, link);
    if (failed) return failed;
    int fd = openat(dir, name, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* ---- the walk ---- */

/* The text of a link, or 0 with *jumped = where the kernel went. */
static int read_link(const struct call *call, int dir, const char *name, int link, uint64_t resolve, char text[PATH_MAX], int *jumped) {
    struct stat info;
    char where[PATH_MAX];
    *jumped = -1;
    if (on_proc(link) && !fstat(dir, &info)) {
        int substitute = info.st_ino == PROC_ROOT ? proc_root_link(call, name, text) : 0;
        if (substitute) return substitute < 0 ? substitute : 0;
        int failed = canonical(call->w, dir, where);
        if (failed) return failed;
        if (pid_in(where)) return *jumped = jump(call, dir, name, link, resolve), *jumped < 0 ? *jumped : 0;
    }
    ssize_t n = readlinkat(link, "", text, PATH_MAX);
    if (n < 0) return -errno;
    if (n == 0) return -ENOENT;
    if (n == PATH_MAX) return -ENAMETOOLONG;
    text[n] = 0;
    return 0;
}

struct walk {
    int at; /* owned */
    int links;
    char rest[2 * PATH_MAX];
};

static void move_to(struct walk *walk, int fd) {
    close(walk->at);
    walk->at = fd;
}

static int begin_at(struct walk *walk, int base, const char *text) {
    walk->at = *text == '/' ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fcntl(base, F_DUPFD_CLOEXEC, 0);
    if (strlen(text) >= sizeof walk->rest) return -ENAMETOOLONG;
    strcpy(walk->rest, text);
    return walk->at < 0 ? -errno : 0;
}

/* Goes on where a link leads, with what remained behind it. */
static int lead(struct walk *walk, const char *text, const char *rest) {
    char joined[2 * PATH_MAX];
    if (++walk->links > MAX_LINKS) return -ELOOP;
    if (snprintf(joined, sizeof joined, "%s%s%s", text, *rest ? "/" : "", rest) >= (int)sizeof joined) return -ENAMETOOLONG;
    if (*text == '/') {
        int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0) return -errno;
        move_to(walk, root);
    }
    strcpy(walk->rest, joined);
    return 0;
}

/* One name: into a directory, through a link, or to the end. */
static int one_step(const struct call *call, struct walk *walk, uint64_t resolve, int follow) {
    char name[NAME_MAX + 1], text[PATH_MAX], rest[2 * PATH_MAX];
    char *from = walk->rest + strspn(walk->rest, "/"), *slash = strchrnul(from, '/');
    size_t len = (size_t)(slash - from);
    struct stat info;
    int jumped;
    if (len > NAME_MAX) return -ENAMETOOLONG;
    memcpy(name, from, len);
    name[len] = 0;
    int more = slash[strspn(slash, "/")] != 0, must_be_dir = *slash == '/';
    strcpy(rest, slash + strspn(slash, "/"));
    if (!len || !strcmp(name, ".")) return strcpy(walk->rest, rest), 0;
    int fd = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    int failed = fstat(fd, &info) ? -errno : 0;
    if (!failed && S_ISLNK(info.st_mode) && (more || must_be_dir || follow)) {
        failed = read_link(call, walk->at, name, fd, resolve, text, &jumped);
        close(fd);
        if (failed) return failed;
        if (jumped < 0) return lead(walk, text, must_be_dir && !more ? "." : rest);
        fd = jumped;
        if (++walk->links > MAX_LINKS) failed = -ELOOP;
        if (!failed && fstat(fd, &info)) failed = -errno;
    }
    if (!failed && must_be_dir && !S_ISDIR(info.st_mode)) failed = -ENOTDIR;
    if (failed) return close(fd), failed;
    move_to(walk, fd);
    strcpy(walk->rest, rest);
    return 0;
}

static int walk_slowly(const struct call *call, const struct path *path, int follow) {
    static struct walk walk;
    walk.links = 0;
    int failed = begin_at(&walk, path->base, path->text);
    while (!failed && *walk.rest) failed = one_step(call, &walk, path->resolve, follow);
    if (!failed) return walk.at;
    if (walk.at >= 0) close(walk.at);
    return failed;
}

static int has_dots(const char *rest) {
    for (const char *name = rest; *name; name = strchrnul(name, '/'), name += strspn(name, "/")) {
        size_t len = strcspn(name, "/");
        if (len <= 2 && !strncmp(name, "..", len)) return 1;
    }
    return 0;
}

int resolve_stopped(const struct call *call, const struct path *path, char out[PATH_MAX]) {
    static struct walk walk;
    walk.links = 0;
    int stopped = begin_at(&walk, path->base, path->text), failed = 0;
    while (!stopped && *walk.rest) stopped = one_step(call, &walk, path->resolve, 1);
    const char *rest = walk.rest + strspn(walk.rest, "/");
    if (stopped != -EACCES || has_dots(rest)) failed = -ENOENT;
    if (!failed) failed = canonical_in(call->w, walk.at, rest, out);
    if (walk.at >= 0) close(walk.at);
    return failed;
}

int resolve_thing(const struct call *call, const struct path *path, int follow) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW), .resolve = path->resolve | RESOLVE_NO_MAGICLINKS};
    int fd = -1;
    for (int tries = 0; tries < 32 && fd < 0 && (!tries || errno == EAGAIN); tries++) fd = (int)syscall(SYS_openat2, path->base, path->text, &how, sizeof how);
    if (fd < 0 && errno == EAGAIN) return -EAGAIN;
    /* Whoever asks for more of RESOLVE_* gets the kernel's own answer, which knows no /proc/self of ours. */
    if (path->resolve & ~(uint64_t)RESOLVE_NO_MAGICLINKS) return fd < 0 ? -errno : fd;
    if (fd >= 0 && !on_proc(fd)) return fd;
    if (fd < 0 && errno != ENOENT && errno != ELOOP) return -errno;
    if (fd >= 0) close(fd);
    return walk_slowly(call, path, follow);
}

int resolve_parent(const struct call *call, const struct path *path, char name[NAME_MAX + 2]) {
    struct path parent = {.base = path->base, .resolve = path->resolve};
    size_t end = strlen(path->text), start;
    while (end > 1 && path->text[end - 1] == '/') end--;
    for (start = end; start > 0 && path->text[start - 1] != '/';) start--;
    if (end - start > NAME_MAX) return -ENAMETOOLONG;
    if (end == 1 && *path->text == '/') start = 0; /* the root itself */
    snprintf(name, NAME_MAX + 2, "%.*s%s", (int)(end - start), path->text + start, path->text[end] ? "/" : "");
    if (!start) strcpy(parent.text, *path->text == '/' ? "/" : ".");
    else snprintf(parent.text, sizeof parent.text, "%.*s", (int)start, path->text);
    return resolve_thing(call, &parent, 1);
}

int path_follow(struct path *path, const char *text) {
    char joined[PATH_MAX];
    size_t end = strlen(path->text);
    while (end > 0 && path->text[end - 1] != '/') end--;
    int n = *text == '/' ? snprintf(joined, sizeof joined, "%s", text) : snprintf(joined, sizeof joined, "%.*s%s", (int)end, path->text, text);
    if (n >= (int)sizeof joined) return -ENAMETOOLONG;
    strcpy(path->text, joined);
    return 0;
}
