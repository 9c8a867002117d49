/*
 * Builds the file system that a sandbox sees, from nothing: a tmpfs root that becomes read-only, and only what the spec
 * names. The caller is alone in a fresh mount namespace. Operations, in the order of the spec:
 *
 *   dir PATH MODE            an empty directory
 *   text PATH CONTENT MODE   a small file (synthetic /etc)
 *   link TARGET PATH         a symbolic link
 *   bind SOURCE PATH FLAGS   host file or directory, recursively; FLAGS of "ro", "noexec"
 *   tmpfs PATH SIZE INODES MODE UID FLAGS   FLAGS may hold "noexec"; always nosuid,nodev
 *   proc PATH                a proc of this pid namespace (and keeps the way to its sysctls, see lockdown.h)
 *   ro PATH                  makes what is there read-only, by a bind of itself
 *   noexec PATH              what is there stays readable, but cannot be executed
 *   mask PATH                hides a file or directory behind one of mode 0000 whose owner is not mapped inside, so that it
 *                            answers EACCES whatever capabilities the program has (a bind of /dev/null would read as empty)
 *
 * Every bind is nosuid and nodev but for the device nodes ("dev"). A missing source is an error, except for `mask` of a path
 * that is not there (there is nothing to hide).
 */
#ifndef PLASTRON_MOUNTS_H
#define PLASTRON_MOUNTS_H
#include "wire.h"

/* Mounts a tmpfs on `root`, applies the records whose op is not prefixed, pivots into it and makes it read-only. The owner
 * "self" of a tmpfs is `uid`, as our user namespace sees it. */
void build_root(const struct spec *spec, const char *root, long uid, int life);
/* Applies the records with `prefix` (what each child of a zygote has for itself) onto the present root; the owner "self" is `uid`. */
void build_private(const struct spec *spec, const char *prefix, long uid, int life);
#endif
