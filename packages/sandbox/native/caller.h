/*
 * What the broker reads of the program that asks: strings, directories, its umask, its pid inside. The program may change any
 * of it meanwhile; each is read once, and what was read is what is judged and done.
 *
 * It goes by the host's /proc. The broker has the program's uid and owns its user namespace, so a program that makes itself
 * undumpable is read as well.
 */
#ifndef PLASTRON_CALLER_H
#define PLASTRON_CALLER_H
#include "notify.h"
#include <limits.h>

/* Each returns 0 or more, or an errno below zero. */
int caller_read(const struct call *call, uint64_t address, void *into, size_t len);
/* A path as system calls take it: EFAULT, ENAMETOOLONG, and ENOENT when it is empty and `empty` is 0. */
int caller_path(const struct call *call, uint64_t address, char into[PATH_MAX], int empty);
/* O_PATH descriptor of what `dirfd` of the caller is (AT_FDCWD: its working directory). */
int caller_dir(const struct call *call, int dirfd);
/* The caller's own open file, as by dup. */
int caller_file(const struct call *call, int fd);

struct caller_ids {
    int tgid, tid;         /* inside */
    int host_tgid;
    mode_t umask;
};
int caller_ids(const struct call *call, struct caller_ids *ids);
#endif
