/* Calls that change a thing: its length, mode, owner, times and extended attributes; by path or by an open file. */
#define _GNU_SOURCE
#include "broker.h"
#include "hands.h"
#include "lockdown.h"
#include "resolve.h"
#include "rules.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/xattr.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define SYS_SETXATTRAT 463
#define SYS_REMOVEXATTRAT 466
#define BY_FILE (-2) /* no path: what the descriptor itself is */

static int result_of(long result) { return result < 0 ? -errno : 0; }

/* `thing` is O_PATH, or a copy of the caller's own open file. */
static int judge_and_do(const struct call *call, int thing, struct deed deed) {
    char path[PATH_MAX];
    if (thing < 0) return thing;
    int result = canonical(call->w, thing, path);
    if (!result && on_proc(thing)) result = -EPERM;
    if (!result) result = may(call, path, MAY_WRITE);
    if (!result && !still_waits(call)) result = -ENOENT;
    deed.w = call->w, deed.a = thing;
    if (!result) result = hands_do(&deed);
    close(thing);
    return result;
}

static int by_path(const struct call *call, int dirfd, uint64_t address, int follow, int empty, struct deed deed) {
    struct path path = {.resolve = 0};
    int thing = path_of(call, dirfd, address, empty, &path);
    if (!thing) thing = *path.text ? resolve_thing(call, &path, follow) : fcntl(path.base, F_DUPFD_CLOEXEC, 0);
    int result = judge_and_do(call, thing, deed);
    path_done(&path);
    return result;
}

static int by_file(const struct call *call, int fd, struct deed deed) {
    deed.flags = (unsigned)BY_FILE;
    return judge_and_do(call, caller_file(call, fd), deed);
}

static int is_file(const struct deed *d) { return d->flags == (unsigned)BY_FILE; }

/* ---- length ---- */

static int act_ftruncate(const struct deed *d) { return result_of(ftruncate(d->a, d->length)); }
static int act_truncate(const struct deed *d) {
    char name[32];
    struct stat info;
    if (fstat(d->a, &info)) return -errno;
    if (!S_ISREG(info.st_mode)) return S_ISDIR(info.st_mode) ? -EISDIR : -EINVAL;
    int fd = openat(d->w->proc, handle(d->a, name), O_WRONLY | O_NONBLOCK | O_CLOEXEC); /* does not wait for a lease */
    if (fd < 0) return -errno;
    int result = result_of(ftruncate(fd, d->length));
    close(fd);
    return result;
}

static int do_truncate(const struct call *call) {
    if ((int64_t)call->args[1] < 0) return -EINVAL;
    return by_path(call, AT_FDCWD, call->args[0], 1, 0, (struct deed){.act = act_truncate, .length = (int64_t)call->args[1]});
}
static int do_ftruncate(const struct call *call) { return by_file(call, int_arg(call, 0), (struct deed){.act = act_ftruncate, .length = (int64_t)call->args[1]}); }

/* ---- mode and owner ---- */

static int act_chmod(const struct deed *d) {
    char name[32];
    struct stat info;
    if (is_file(d)) return result_of(fchmod(d->a, d->mode));
    if (!fstat(d->a, &info) && S_ISLNK(info.st_mode)) return -EOPNOTSUPP;
    return result_of(fchmodat(d->w->proc, handle(d->a, name), d->mode, 0));
}
static int chmod_at(const struct call *call, int dirfd, uint64_t address, uint64_t mode, unsigned flags) {
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    return by_path(call, dirfd, address, !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH, (struct deed){.act = act_chmod, .mode = (mode_t)mode & 07777});
}

static int act_chown(const struct deed *d) {
    return result_of(is_file(d) ? fchown(d->a, d->uid, d->gid) : fchownat(d->a, "", d->uid, d->gid, AT_EMPTY_PATH));
}
/* The one id that is mapped inside, and "leave it". */
static int kernel_id(const struct call *call, uint64_t inside, uid_t *out) {
    uint32_t id = (uint32_t)inside;
    if (id == (uint32_t)-1) return *out = (uid_t)-1, 0;
    if (call->w->keep_root) return *out = id, 0;
    return id == INSIDE_UID ? (*out = call->w->uid, 0) : -EINVAL;
}
static int with_owner(const struct call *call, uint64_t uid, uint64_t gid, struct deed *deed) {
    *deed = (struct deed){.act = act_chown};
    int failed = kernel_id(call, uid, &deed->uid);
    return failed ? failed : kernel_id(call, gid, &deed->gid);
}
static int chown_at(const struct call *call, int dirfd, uint64_t address, uint64_t uid, uint64_t gid, unsigned flags) {
    struct deed deed;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    int failed = with_owner(call, uid, gid, &deed);
    return failed ? failed : by_path(call, dirfd, address, !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH, deed);
}
static int do_fchown(const struct call *call) {
    struct deed deed;
    int failed = with_owner(call, call->args[1], call->args[2], &deed);
    return failed ? failed : by_file(call, int_arg(call, 0), deed);
}

/* ---- times ---- */

static int act_times(const struct deed *d) {
    char name[32];
    return result_of(is_file(d) ? futimens(d->a, d->times) : utimensat(d->w->proc, handle(d->a, name), d->times, 0));
}
static int no_times(struct timespec times[2]) {
    times[0] = times[1] = (struct timespec){0, UTIME_NOW};
    return 0;
}
static int do_utimensat(const struct call *call) {
    struct deed deed = {.act = act_times};
    unsigned flags = (unsigned)call->args[3];
    int failed = call->args[2] ? caller_read(call, call->args[2], deed.times, sizeof deed.times) : no_times(deed.times);
    if (failed) return failed;
    if (deed.times[0].tv_nsec == UTIME_OMIT && deed.times[1].tv_nsec == UTIME_OMIT) return 0;
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    if (!call->args[1] && int_arg(call, 0) != AT_FDCWD) return flags ? -EINVAL : by_file(call, int_arg(call, 0), deed);
    return by_path(call, int_arg(call, 0), call->args[1], !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH, deed);
}
#ifdef __x86_64__
static int times_at(const struct call *call, int dirfd, uint64_t address, uint64_t from) {
    struct deed deed = {.act = act_times};
    struct timeval given[2];
    int failed = from ? caller_read(call, from, given, sizeof given) : no_times(deed.times);
    if (failed) return failed;
    for (int i = 0; i < 2 && from; i++) {
        if (given[i].tv_usec < 0 || given[i].tv_usec >= 1000000) return -EINVAL;
        deed.times[i] = (struct timespec){given[i].tv_sec, given[i].tv_usec * 1000};
    }
    if (!address && dirfd != AT_FDCWD) return by_file(call, dirfd, deed);
    return by_path(call, dirfd, address, 1, 0, deed);
}
static int do_utimes(const struct call *call) { return times_at(call, AT_FDCWD, call->args[0], call->args[1]); }
static int do_futimesat(const struct call *call) { return times_at(call, int_arg(call, 0), call->args[1], call->args[2]); }
static int do_utime(const struct call *call) {
    struct deed deed = {.act = act_times};
    struct utimbuf given;
    int failed = call->args[1] ? caller_read(call, call->args[1], &given, sizeof given) : no_times(deed.times);
    if (failed) return failed;
    if (call->args[1]) deed.times[0].tv_sec = given.actime, deed.times[1].tv_sec = given.modtime;
    return by_path(call, AT_FDCWD, call->args[0], 1, 0, deed);
}
#endif

/* ---- extended attributes ---- */

static char attribute[XATTR_NAME_MAX + 1];
static uint8_t content[XATTR_SIZE_MAX];

static int act_setxattr(const struct deed *d) {
    char name[32]; /* the broker's working directory is the host's /proc */
    return result_of(is_file(d) ? fsetxattr(d->a, d->name_b, d->value, d->size, (int)d->mode) : setxattr(handle(d->a, name), d->name_b, d->value, d->size, (int)d->mode));
}
static int act_removexattr(const struct deed *d) {
    char name[32];
    return result_of(is_file(d) ? fremovexattr(d->a, d->name_b) : removexattr(handle(d->a, name), d->name_b));
}
static int read_attribute(const struct call *call, uint64_t address) {
    char text[PATH_MAX];
    int failed = caller_path(call, address, text, 1);
    if (failed == -ENAMETOOLONG || (!failed && (!*text || strlen(text) > XATTR_NAME_MAX))) return -ERANGE;
    if (!failed) strcpy(attribute, text);
    return failed;
}
static int set_attribute(const struct call *call, uint64_t name, uint64_t value, uint64_t size, uint64_t flags, struct deed *deed) {
    if (flags & ~3ull) return -EINVAL;
    int failed = read_attribute(call, name);
    if (!failed && size > sizeof content) failed = -E2BIG;
    if (!failed && size) failed = caller_read(call, value, content, size);
    *deed = (struct deed){.act = act_setxattr, .name_b = attribute, .value = content, .size = size, .mode = (mode_t)flags};
    return failed;
}
static int setxattr_at(const struct call *call, int follow) {
    struct deed deed;
    int failed = set_attribute(call, call->args[1], call->args[2], call->args[3], (uint32_t)call->args[4], &deed);
    return failed ? failed : by_path(call, AT_FDCWD, call->args[0], follow, 0, deed);
}
static int do_fsetxattr(const struct call *call) {
    struct deed deed;
    int failed = set_attribute(call, call->args[1], call->args[2], call->args[3], (uint32_t)call->args[4], &deed);
    return failed ? failed : by_file(call, int_arg(call, 0), deed);
}
static int do_setxattrat(const struct call *call) {
    struct {
        uint64_t value;
        uint32_t size, flags;
    } given;
    struct deed deed;
    unsigned flags = (unsigned)call->args[2];
    if (call->args[5] != sizeof given || flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    int failed = caller_read(call, call->args[4], &given, sizeof given);
    if (!failed) failed = set_attribute(call, call->args[3], given.value, given.size, given.flags, &deed);
    return failed ? failed : by_path(call, int_arg(call, 0), call->args[1], !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH, deed);
}
static int removexattr_at(const struct call *call, int dirfd, uint64_t path, uint64_t name, unsigned flags) {
    if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    int failed = read_attribute(call, name);
    return failed ? failed : by_path(call, dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH, (struct deed){.act = act_removexattr, .name_b = attribute});
}
static int do_fremovexattr(const struct call *call) {
    int failed = read_attribute(call, call->args[1]);
    return failed ? failed : by_file(call, int_arg(call, 0), (struct deed){.act = act_removexattr, .name_b = attribute});
}

/* ---- the calls ---- */

#define A(i) call->args[i]
#define CALL(name, body) static int name(const struct call *call) { return body; }
CALL(do_fchmod, by_file(call, int_arg(call, 0), (struct deed){.act = act_chmod, .mode = (mode_t)A(1) & 07777}))
CALL(do_fchmodat, chmod_at(call, int_arg(call, 0), A(1), A(2), 0))
CALL(do_fchmodat2, chmod_at(call, int_arg(call, 0), A(1), A(2), (unsigned)A(3)))
CALL(do_fchownat, chown_at(call, int_arg(call, 0), A(1), A(2), A(3), (unsigned)A(4)))
CALL(do_setxattr, setxattr_at(call, 1))
CALL(do_lsetxattr, setxattr_at(call, 0))
CALL(do_removexattr, removexattr_at(call, AT_FDCWD, A(0), A(1), 0))
CALL(do_lremovexattr, removexattr_at(call, AT_FDCWD, A(0), A(1), AT_SYMLINK_NOFOLLOW))
CALL(do_removexattrat, removexattr_at(call, int_arg(call, 0), A(1), A(3), (unsigned)A(2)))
#ifdef __x86_64__
CALL(do_chmod, chmod_at(call, AT_FDCWD, A(0), A(1), 0))
CALL(do_chown, chown_at(call, AT_FDCWD, A(0), A(1), A(2), 0))
CALL(do_lchown, chown_at(call, AT_FDCWD, A(0), A(1), A(2), AT_SYMLINK_NOFOLLOW))
#endif

const struct brokered thing_calls[] = {
    {SYS_truncate, do_truncate},
    {SYS_ftruncate, do_ftruncate},
    {SYS_fchmod, do_fchmod},
    {SYS_fchmodat, do_fchmodat},
    {SYS_fchmodat2, do_fchmodat2},
    {SYS_fchown, do_fchown},
    {SYS_fchownat, do_fchownat},
    {SYS_utimensat, do_utimensat},
    {SYS_setxattr, do_setxattr},
    {SYS_lsetxattr, do_lsetxattr},
    {SYS_fsetxattr, do_fsetxattr},
    {SYS_SETXATTRAT, do_setxattrat},
    {SYS_removexattr, do_removexattr},
    {SYS_lremovexattr, do_lremovexattr},
    {SYS_fremovexattr, do_fremovexattr},
    {SYS_REMOVEXATTRAT, do_removexattrat},
#ifdef __x86_64__
    {SYS_chmod, do_chmod},
    {SYS_chown, do_chown},
    {SYS_lchown, do_lchown},
    {SYS_utime, do_utime},
    {SYS_utimes, do_utimes},
    {SYS_futimesat, do_futimesat},
#endif
    {0, NULL},
};
