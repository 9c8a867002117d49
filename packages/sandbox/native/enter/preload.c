/*
 * Loaded into every dynamic program of a guest whose gVisor refuses AT_NO_AUTOMOUNT with EINVAL, as Debian 12's does (0.0~20221219):
 * the `ls` and `stat` of coreutils 9 give that flag to every call. A guest has no automounts, so nothing is lost with it.
 * A convenience only: what a program does without it is an ordinary error, never more than it may do with it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

SHOWN int statx(int dir, const char *restrict path, int flags, unsigned mask, struct statx *restrict out) {
    return (int)syscall(SYS_statx, dir, path, flags & ~AT_NO_AUTOMOUNT, mask, out);
}

SHOWN int fstatat(int dir, const char *restrict path, struct stat *restrict out, int flags) {
    return (int)syscall(SYS_newfstatat, dir, path, out, flags & ~AT_NO_AUTOMOUNT);
}
