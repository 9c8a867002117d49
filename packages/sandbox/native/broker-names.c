/* Calls that change names: unlink, rename, link, symlink, mkdir, mknod and their like. */
#define _GNU_SOURCE
#include "broker.h"
#include "hands.h"
#include "resolve.h"
#include "rules.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A name in a directory, and the path that it is. */
struct place {
    int parent;
    char name[NAME_MAX + 2];
    char path[PATH_MAX];
};

static int place_of(const struct call *call, int dirfd, uint64_t address, struct place *place) {
    struct path path = {.resolve = 0};
    int failed = path_of(call, dirfd, address, 0, &path);
    place->parent = failed ? failed : resolve_parent(call, &path, place->name);
    path_done(&path);
    if (place->parent < 0) return place->parent;
    if (on_proc(place->parent)) return -EACCES; /* as Landlock says */
    return canonical_in(call->w, place->parent, place->name, place->path);
}

static void place_done(const struct place *place) {
    if (place->parent >= 0) close(place->parent);
}

static int finish(const struct call *call, int failed, const struct deed *deed) {
    if (failed) return failed;
    return still_waits(call) ? hands_do(deed) : -ENOENT;
}

static int result_of(long result) { return result < 0 ? -errno : 0; }

/* ---- one name ---- */

static int act_unlink(const struct deed *d) { return result_of(unlinkat(d->a, d->name_a, (int)d->flags)); }
static int act_mkdir(const struct deed *d) { return result_of(mkdirat(d->a, d->name_a, d->mode)); }
static int act_mknod(const struct deed *d) { return result_of(syscall(SYS_mknodat, d->a, d->name_a, d->mode, d->flags)); }
static int act_symlink(const struct deed *d) { return result_of(symlinkat(d->name_b, d->a, d->name_a)); }

static int one_name(const struct call *call, int dirfd, uint64_t address, struct deed deed, unsigned did) {
    struct place place;
    struct caller_ids ids;
    deed.w = call->w;
    int failed = place_of(call, dirfd, address, &place);
    /* What is there already can be told without judging it: nothing is made. */
    struct stat info;
    int exists = !failed && did & DID_CREATE && !fstatat(place.parent, place.name, &info, AT_SYMLINK_NOFOLLOW);
    if (!failed && exists) failed = -EEXIST;
    if (!failed && did & DID_CREATE) failed = caller_ids(call, &ids);
    if (!failed && did & DID_CREATE) deed.mode &= ~ids.umask;
    if (!failed) failed = may(call, place.path, MAY_WRITE | did);
    deed.a = place.parent, deed.name_a = place.name;
    int result = finish(call, failed, &deed);
    place_done(&place);
    return result;
}

static int unlink_at(const struct call *call, int dirfd, uint64_t address, unsigned flags) {
    return flags & ~(unsigned)AT_REMOVEDIR ? -EINVAL : one_name(call, dirfd, address, (struct deed){.act = act_unlink, .flags = flags}, 0);
}

static int mkdir_at(const struct call *call, int dirfd, uint64_t address, uint64_t mode) {
    return one_name(call, dirfd, address, (struct deed){.act = act_mkdir, .mode = (mode_t)mode & 01777}, DID_CREATE);
}

/* A device is refused by the kernel: the broker has no capability, and Landlock grants none. */
static int mknod_at(const struct call *call, int dirfd, uint64_t address, uint64_t mode, uint64_t device) {
    return one_name(call, dirfd, address, (struct deed){.act = act_mknod, .mode = (mode_t)mode & (S_IFMT | 07777), .flags = (unsigned)device}, DID_CREATE);
}

static int symlink_at(const struct call *call, uint64_t text, int dirfd, uint64_t address) {
    char target[PATH_MAX];
    int failed = caller_path(call, text, target, 0);
    return failed ? failed : one_name(call, dirfd, address, (struct deed){.act = act_symlink, .name_b = target, .mode = 0}, DID_CREATE);
}

/* ---- two names ---- */

static int act_rename(const struct deed *d) { return result_of(syscall(SYS_renameat2, d->a, d->name_a, d->b, d->name_b, d->flags)); }

static int rename_at(const struct call *call, int from_dir, uint64_t from, int to_dir, uint64_t to, unsigned flags) {
    static struct place a, b;
    struct stat info;
    b.parent = -1;
    if (flags & ~7u || (flags & RENAME_EXCHANGE && flags & (RENAME_NOREPLACE | RENAME_WHITEOUT))) return -EINVAL;
    int failed = place_of(call, from_dir, from, &a);
    if (!failed) failed = place_of(call, to_dir, to, &b);
    if (!failed && fstatat(a.parent, a.name, &info, AT_SYMLINK_NOFOLLOW)) failed = -errno;
    if (!failed) failed = may_rename(call, a.path, b.path, S_ISDIR(info.st_mode));
    if (!failed && flags & RENAME_EXCHANGE) {
        failed = fstatat(b.parent, b.name, &info, AT_SYMLINK_NOFOLLOW) ? -errno : may_rename(call, b.path, a.path, S_ISDIR(info.st_mode));
    }
    struct deed deed = {.act = act_rename, .w = call->w, .a = a.parent, .name_a = a.name, .b = b.parent, .name_b = b.name, .flags = flags};
    int result = finish(call, failed, &deed);
    place_done(&a);
    place_done(&b);
    return result;
}

/* The very thing that was judged, by its handle, whatever has its name now. */
static int act_link(const struct deed *d) {
    char name[32];
    return result_of(linkat(d->w->proc, handle(d->a, name), d->b, d->name_b, AT_SYMLINK_FOLLOW));
}

static int link_at(const struct call *call, int from_dir, uint64_t from, int to_dir, uint64_t to, unsigned flags) {
    static struct place b;
    struct path path = {.resolve = 0};
    char where[PATH_MAX];
    struct stat info;
    int thing = -1;
    b.parent = -1;
    if (flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) return -EINVAL;
    int failed = path_of(call, from_dir, from, flags & AT_EMPTY_PATH, &path);
    if (!failed) thing = *path.text ? resolve_thing(call, &path, flags & AT_SYMLINK_FOLLOW) : fcntl(path.base, F_DUPFD_CLOEXEC, 0);
    if (!failed && thing < 0) failed = thing;
    if (!failed) failed = place_of(call, to_dir, to, &b);
    if (!failed) failed = canonical(call->w, thing, where);
    if (!failed && !fstat(thing, &info) && S_ISDIR(info.st_mode)) failed = -EPERM;
    if (!failed && !fstatat(b.parent, b.name, &info, AT_SYMLINK_NOFOLLOW)) failed = -EEXIST;
    if (!failed) failed = may_link(call, where, b.path);
    struct deed deed = {.act = act_link, .w = call->w, .a = thing, .b = b.parent, .name_b = b.name};
    int result = finish(call, failed, &deed);
    if (thing >= 0) close(thing);
    path_done(&path);
    place_done(&b);
    return result;
}

/* ---- the calls ---- */

#define DIR(i) int_arg(call, i)
#define CALL(name, body) static int name(const struct call *call) { return body; }
CALL(do_unlinkat, unlink_at(call, DIR(0), call->args[1], (unsigned)call->args[2]))
CALL(do_mkdirat, mkdir_at(call, DIR(0), call->args[1], call->args[2]))
CALL(do_mknodat, mknod_at(call, DIR(0), call->args[1], call->args[2], call->args[3]))
CALL(do_symlinkat, symlink_at(call, call->args[0], DIR(1), call->args[2]))
CALL(do_linkat, link_at(call, DIR(0), call->args[1], DIR(2), call->args[3], (unsigned)call->args[4]))
CALL(do_renameat2, rename_at(call, DIR(0), call->args[1], DIR(2), call->args[3], (unsigned)call->args[4]))
#ifdef SYS_renameat
CALL(do_renameat, rename_at(call, DIR(0), call->args[1], DIR(2), call->args[3], 0))
#endif
#ifdef __x86_64__
CALL(do_unlink, unlink_at(call, AT_FDCWD, call->args[0], 0))
CALL(do_rmdir, unlink_at(call, AT_FDCWD, call->args[0], AT_REMOVEDIR))
CALL(do_mkdir, mkdir_at(call, AT_FDCWD, call->args[0], call->args[1]))
CALL(do_mknod, mknod_at(call, AT_FDCWD, call->args[0], call->args[1], call->args[2]))
CALL(do_symlink, symlink_at(call, call->args[0], AT_FDCWD, call->args[1]))
CALL(do_link, link_at(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1], 0))
CALL(do_rename, rename_at(call, AT_FDCWD, call->args[0], AT_FDCWD, call->args[1], 0))
#endif

const struct brokered name_calls[] = {
    {SYS_unlinkat, do_unlinkat},
    {SYS_mkdirat, do_mkdirat},
    {SYS_mknodat, do_mknodat},
    {SYS_symlinkat, do_symlinkat},
    {SYS_linkat, do_linkat},
    {SYS_renameat2, do_renameat2},
#ifdef SYS_renameat
    {SYS_renameat, do_renameat},
#endif
#ifdef __x86_64__
    {SYS_unlink, do_unlink},
    {SYS_rmdir, do_rmdir},
    {SYS_mkdir, do_mkdir},
    {SYS_mknod, do_mknod},
    {SYS_symlink, do_symlink},
    {SYS_link, do_link},
    {SYS_rename, do_rename},
#endif
    {0, NULL},
};
