/* Calls that open: open, openat, openat2, creat, and the record of execve and execveat. */
#define _GNU_SOURCE
#include "broker.h"
#include "hands.h"
#include "resolve.h"
#include "rules.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND 2
#endif
#define TMPFILE (O_TMPFILE & ~O_DIRECTORY)
#define KNOWN_FLAGS (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_DSYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | 0100000 | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_SYNC | O_PATH | O_TMPFILE)

struct opening {
    uint64_t flags, resolve;
    mode_t mode;
    int dirfd;
    uint64_t address;
};

/* ---- the descriptor goes into the program ---- */

static int closes_on_exec; /* of the call under way; a process that waits has its own copy */

static void hand_over(const struct call *call, int fd) {
    struct seccomp_notif_addfd addfd = {.id = call->id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)fd, .newfd_flags = closes_on_exec ? O_CLOEXEC : 0};
    if (fd < 0) return answer(call, -fd, 0);
    int done = ioctl(call->w->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &addfd), why = errno;
    close(fd);
    if (done < 0) answer(call, why, 0); /* EMFILE is the program's */
}

/* ---- opening what is there ---- */

static int reopen(const struct deed *deed) {
    char name[32];
    int fd = openat(deed->w->proc, handle(deed->a, name), (int)deed->flags | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Where the sandbox may read everything that it sees, reading needs no hands. */
static int reads_are_free(const struct watcher *w) {
    static int known, is_free;
    for (int i = 0; i < w->spec->count && !known; i++) {
        const struct record *r = &w->spec->record[i];
        if (is_op(r, "landlock") && r->count > 2 && (!strcmp(r->field[1].data, "rx") || !strcmp(r->field[1].data, "r")) && !strcmp(r->field[2].data, "/")) is_free = 1;
    }
    known = 1;
    return is_free;
}

/* A named pipe waits for its other end. One without a name does not. */
static int would_wait(int fd, const struct stat *info, unsigned flags) {
    struct statfs fs;
    return S_ISFIFO(info->st_mode) && !(flags & O_NONBLOCK) && (flags & O_ACCMODE) != O_RDWR && !fstatfs(fd, &fs) && fs.f_type != PIPEFS_MAGIC;
}

static unsigned asked_of(unsigned flags) {
    unsigned mode = flags & O_ACCMODE, asked = mode == O_WRONLY ? 0 : MAY_READ;
    /* O_APPEND can be taken off again by fcntl, so it promises nothing. */
    return asked | (mode != O_RDONLY || flags & O_TRUNC ? MAY_WRITE | MAY_APPEND : 0);
}

/* Regular files are opened without waiting, since a lease on one could hold up everybody. */
static int open_regular(const struct call *call, struct deed *deed) {
    int waits = !(deed->flags & O_NONBLOCK);
    int plain = (deed->flags & (O_ACCMODE | O_TRUNC)) == O_RDONLY && reads_are_free(call->w);
    deed->flags |= O_NONBLOCK;
    int fd = plain ? reopen(deed) : hands_do(deed);
    if (waits) deed->flags &= ~(unsigned)O_NONBLOCK;
    if (fd == -EAGAIN && waits) {
        int failed = hands_wait(call, deed, hand_over);
        return failed ? failed : -EINPROGRESS;
    }
    if (fd >= 0 && waits) fcntl(fd, F_SETFL, (int)(deed->flags & (O_APPEND | O_DIRECT | O_NOATIME | O_ASYNC)));
    return fd;
}

static int open_on_proc(const struct call *call, const struct deed *deed) {
    int failed = caller_may_see(call, deed->a);
    if (failed) return failed;
    return asked_of(deed->flags) == MAY_READ ? reopen(deed) : -EACCES; /* as Landlock says */
}

/* `thing` is what will be opened, and stays the caller's of this function. -EINPROGRESS: answered later. */
static int open_thing(const struct call *call, int thing, const struct opening *o) {
    struct deed deed = {.act = reopen, .w = call->w, .a = thing, .flags = (unsigned)o->flags & ~(unsigned)(O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)};
    char path[PATH_MAX];
    struct stat info;
    if (fstat(thing, &info)) return -errno;
    if (S_ISLNK(info.st_mode)) return -ELOOP;
    if (o->flags & O_DIRECTORY && !S_ISDIR(info.st_mode)) return -ENOTDIR;
    int failed = canonical(call->w, thing, path);
    if (!failed) failed = may(call, path, asked_of(deed.flags));
    if (failed) return failed;
    if (!still_waits(call)) return -ENOENT;
    if (on_proc(thing)) return open_on_proc(call, &deed);
    if (would_wait(thing, &info, deed.flags)) {
        failed = hands_wait(call, &deed, hand_over);
        return failed ? failed : -EINPROGRESS;
    }
    if (S_ISREG(info.st_mode)) return open_regular(call, &deed);
    if (S_ISDIR(info.st_mode) && asked_of(deed.flags) == MAY_READ && reads_are_free(call->w)) return reopen(&deed);
    return hands_do(&deed);
}

/* ---- what is not there yet ---- */

static int make_new(const struct deed *deed) {
    int fd = openat(deed->a, deed->name_a, (int)deed->flags | O_CREAT | O_EXCL | O_CLOEXEC, deed->mode);
    return fd < 0 ? -errno : fd;
}

static int create(const struct call *call, int parent, const char *name, const struct opening *o) {
    char path[PATH_MAX];
    struct caller_ids ids;
    int failed = canonical_in(call->w, parent, name, path);
    if (!failed) failed = caller_ids(call, &ids);
    if (!failed) failed = may(call, path, asked_of((unsigned)o->flags) | MAY_WRITE | DID_CREATE);
    if (failed) return failed;
    if (!still_waits(call)) return -ENOENT;
    struct deed deed = {.act = make_new, .w = call->w, .a = parent, .name_a = name, .flags = (unsigned)o->flags & ~(unsigned)O_CLOEXEC, .mode = o->mode & ~ids.umask};
    return hands_do(&deed);
}

static int make_unnamed(const struct deed *deed) {
    char name[32];
    int fd = openat(deed->w->proc, handle(deed->a, name), (int)deed->flags | O_CLOEXEC, deed->mode);
    return fd < 0 ? -errno : fd;
}

/* O_TMPFILE: it has no name, so it is judged as any new name of its directory. */
static int open_unnamed(const struct call *call, const struct path *path, const struct opening *o) {
    int dir = resolve_thing(call, path, !(o->flags & O_NOFOLLOW));
    char where[PATH_MAX];
    struct caller_ids ids;
    if (dir < 0) return dir;
    int result = canonical_in(call->w, dir, "#", where);
    if (!result) result = caller_ids(call, &ids);
    if (!result) result = may(call, where, MAY_WRITE | DID_CREATE);
    if (!result) {
        struct deed deed = {.act = make_unnamed, .w = call->w, .a = dir, .flags = (unsigned)o->flags & ~(unsigned)(O_NOFOLLOW | O_CLOEXEC), .mode = o->mode & ~ids.umask};
        result = hands_do(&deed);
    }
    close(dir);
    return result;
}

/* One look at the last name: made, opened, or (1) a link to go on with. */
static int create_or_open(const struct call *call, struct path *path, int parent, const char *name, const struct opening *o) {
    char text[PATH_MAX];
    struct stat info;
    size_t len = strlen(name);
    if (!len || name[len - 1] == '/' || !strcmp(name, ".") || !strcmp(name, "..")) return -EISDIR;
    int leaf = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), result;
    if (leaf < 0) return errno == ENOENT ? create(call, parent, name, o) : -errno;
    if (fstat(leaf, &info)) result = -errno;
    else if (o->flags & O_EXCL) result = -EEXIST;
    else if (S_ISDIR(info.st_mode)) result = -EISDIR;
    else if (!S_ISLNK(info.st_mode)) result = open_thing(call, leaf, o);
    else if (o->flags & O_NOFOLLOW || o->resolve & RESOLVE_NO_SYMLINKS) result = -ELOOP;
    else if (on_proc(leaf)) {
        int thing = resolve_thing(call, path, 1);
        result = thing < 0 ? thing : open_thing(call, thing, o);
        if (thing >= 0) close(thing);
    } else {
        ssize_t n = readlinkat(leaf, "", text, sizeof text - 1);
        text[n > 0 ? n : 0] = 0;
        result = n < 0 ? -errno : path_follow(path, text);
        if (!result) result = 1;
    }
    close(leaf);
    return result;
}

/* A masked directory lets nobody walk on, so that the rule which masks it would never be seen to be hit. */
static void tell_masked(const struct call *call, const struct path *path, const struct opening *o) {
    char where[PATH_MAX];
    if (!resolve_stopped(call, path, where)) may(call, where, asked_of((unsigned)o->flags));
}

static int open_or_create(const struct call *call, struct path *path, const struct opening *o) {
    char name[NAME_MAX + 2];
    for (int tries = 0; tries < 40; tries++) {
        int parent = resolve_parent(call, path, name);
        if (parent == -EACCES) tell_masked(call, path, o);
        if (parent < 0) return parent;
        int result = create_or_open(call, path, parent, name, o);
        close(parent);
        /* Somebody made it since we looked: look again. (1 is never a descriptor of use, see watcher_start.) */
        if (result == 1 || (result == -EEXIST && !(o->flags & O_EXCL))) continue;
        return result;
    }
    return -ELOOP;
}

/* ---- the calls ---- */

static int open_existing(const struct call *call, const struct path *path, const struct opening *o) {
    int thing = resolve_thing(call, path, !(o->flags & O_NOFOLLOW));
    if (thing == -EACCES) tell_masked(call, path, o);
    int fd = thing < 0 ? thing : open_thing(call, thing, o);
    if (thing >= 0) close(thing);
    return fd;
}

static int broker_open(const struct call *call, const struct opening *o) {
    struct path path = {.resolve = o->resolve};
    closes_on_exec = (o->flags & O_CLOEXEC) != 0;
    if (o->resolve & RESOLVE_CACHED) return -EAGAIN; /* whoever asks so must be ready to ask again without */
    if ((o->flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)) return -EINVAL;
    int result = path_of(call, o->dirfd, o->address, 0, &path);
    if (!result && o->flags & TMPFILE) result = open_unnamed(call, &path, o);
    else if (!result && o->flags & O_CREAT) result = open_or_create(call, &path, o);
    else if (!result) result = open_existing(call, &path, o);
    path_done(&path);
    if (result == -EINPROGRESS) return ANSWERED;
    hand_over(call, result);
    return ANSWERED;
}

/* O_PATH opens nothing, so nothing is decided: whoever opens its descriptor by /proc/self/fd comes by here again. The kernel
 * lets no such descriptor be handed over. Where the flags are in a register the call goes on; where they are in memory, which
 * may be another's by then, it is refused as by a kernel that has no openat2. */
static int names_only(const struct call *call) {
    let_pass(call);
    return ANSWERED;
}

static int do_openat(const struct call *call) {
    if (call->args[2] & O_PATH) return names_only(call);
    struct opening o = {call->args[2] & (uint32_t)KNOWN_FLAGS, 0, (mode_t)call->args[3] & 07777, int_arg(call, 0), call->args[1]};
    return broker_open(call, &o);
}

static int do_openat2(const struct call *call) {
    struct open_how how = {0};
    uint8_t extra[256];
    uint64_t size = call->args[3];
    if (size < sizeof how) return -EINVAL;
    if (size > sizeof how + sizeof extra) return -E2BIG;
    int failed = caller_read(call, call->args[2], &how, sizeof how);
    if (!failed && size > sizeof how) failed = caller_read(call, call->args[2] + sizeof how, extra, size - sizeof how);
    if (failed) return failed;
    for (uint64_t i = 0; i < size - sizeof how; i++)
        if (extra[i]) return -E2BIG;
    if (how.flags & ~(uint64_t)(uint32_t)KNOWN_FLAGS || how.mode & ~07777ull || (how.mode && !(how.flags & (O_CREAT | TMPFILE)))) return -EINVAL;
    if (how.flags & O_PATH) return how.flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) ? -EINVAL : -ENOSYS;
    struct opening o = {how.flags, how.resolve, (mode_t)how.mode, int_arg(call, 0), call->args[1]};
    return broker_open(call, &o);
}

#ifdef __x86_64__
static int do_open(const struct call *call) {
    if (call->args[1] & O_PATH) return names_only(call);
    struct opening o = {call->args[1] & (uint32_t)KNOWN_FLAGS, 0, (mode_t)call->args[2] & 07777, AT_FDCWD, call->args[0]};
    return broker_open(call, &o);
}
static int do_creat(const struct call *call) {
    struct opening o = {O_CREAT | O_WRONLY | O_TRUNC, 0, (mode_t)call->args[1] & 07777, AT_FDCWD, call->args[0]};
    return broker_open(call, &o);
}
#endif

const struct brokered open_calls[] = {
    {SYS_openat, do_openat},
    {SYS_openat2, do_openat2},
#ifdef __x86_64__
    {SYS_open, do_open},
    {SYS_creat, do_creat},
#endif
    {0, NULL},
};
