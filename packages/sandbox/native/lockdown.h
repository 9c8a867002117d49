/*
 * The last steps of confinement, in the order in which the program's own process takes them. Each either holds or ends the
 * process with the step's name on the life line.
 */
#ifndef PLASTRON_LOCKDOWN_H
#define PLASTRON_LOCKDOWN_H
#include "wire.h"

/* Ids inside the sandbox's own user namespace. Uid 0 is not mapped there. */
#define INSIDE_UID 1000

/* Keeps a way to proc's sysctls from before they become read-only (called while mounting). */
void hold_sysctls(const char *proc, int life);
void forbid_user_namespaces(int life);

/* Lets the other side of `ipc` write this process's id maps: unshare, hand over /proc/self, wait. `owner` > 0 is the uid that
 * the new namespace belongs to and that the kernel's per-user counts of everything in it are charged to; 0 = our own. */
void enter_user_namespace(int ipc, long owner, int life);
/* That other side: maps `count` ids from `inside` to ids from `outside` of our own user namespace. */
void serve_user_namespace(int ipc, long inside, long outside, long count, int life);

void loopback_up(int life);
/* Records `capability NUMBER`: what a permissive policy keeps, over namespaces of its own alone. None = no capability at all. */
uint64_t kept_capabilities(const struct spec *spec);
/* Namespaces that belong to the program's own user namespace, so that its capabilities mean something in them, and nowhere
 * else. What was mounted before is locked there. Record `own-network`: a network of its own as well. */
void enter_own_namespaces(const struct spec *spec, int life);
/* Becomes INSIDE_UID with exactly these capabilities in every set. */
void limit_capabilities(uint64_t kept, int life);
void set_rlimits(const struct spec *spec, int life);
/* Records: landlock RIGHTS PATH, RIGHTS of "rx" (read, execute), "r", "x", "rwx", "rw" (no execute), "dev". None = no Landlock. */
void restrict_files(const struct spec *spec, int life);
/* Record: seccomp PROGRAM. None = no filter. */
void install_seccomp(const struct spec *spec, int life);
/* Makes stdio and control 0-3 of `fds` (four descriptors), and closes all others. */
void settle_descriptors(const int fds[4], int life);
#endif
