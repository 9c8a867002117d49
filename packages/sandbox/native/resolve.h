/*
 * Paths of the program, as the kernel would walk them for it, but by the broker: /proc/self and /proc/thread-self are the
 * caller's, and the links of /proc (fd, cwd, root, exe) are followed where the caller could. What comes out is a descriptor of
 * the thing itself (O_PATH): nothing that the program renames or links afterwards changes what it is.
 */
#ifndef PLASTRON_RESOLVE_H
#define PLASTRON_RESOLVE_H
#include "caller.h"

/* Learns which file system is the sandbox's /proc. */
void resolve_prepare(void);

/* A path that a call brings: the directory that it starts from (an owned descriptor, or -1 where the path is absolute). */
struct path {
    int base;
    uint64_t resolve; /* RESOLVE_* of openat2 */
    char text[PATH_MAX];
};
/* Reads the path at `address` and opens what it starts from; `resolve` is set before. 0 or an errno below zero; `path_done` in every case. */
int path_of(const struct call *call, int dirfd, uint64_t address, int empty, struct path *path);
void path_done(struct path *path);

/* O_PATH descriptor of what the path leads to; of the link itself when it ends in one and `follow` is 0. Or an errno below zero. */
int resolve_thing(const struct call *call, const struct path *path, int follow);
/* O_PATH descriptor of the directory of the path's last name, which is written to `name` with the slashes behind it. */
int resolve_parent(const struct call *call, const struct path *path, char name[NAME_MAX + 2]);
/* Where a walk that may not go on has stopped, with what was left to walk: the canonical path of what it would have led to if no
 * link is behind that place. 0, or an errno below zero where the walk does not stop or the rest is no plain path. */
int resolve_stopped(const struct call *call, const struct path *path, char out[PATH_MAX]);
/* Makes `path` say where a link in it leads: `text` is what the link, its last name, holds. */
int path_follow(struct path *path, const char *text);

/* Whether `fd` lies in the sandbox's /proc; and whether the caller may look at this part of it. */
int on_proc(int fd);
int caller_may_see(const struct call *call, int fd);
#endif
