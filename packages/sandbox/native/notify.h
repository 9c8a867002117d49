/*
 * Calls that a policy wants looked at while the program runs (seccomp user notification), and the watcher that answers them.
 *
 * Spec records:  watch                                       the filter has a listener
 *                watch-call NUMBER OTHERWISE                 what a call means (packages/contracts/watch.ts):
 *                watch-entry ERRNO RULE [LATE]               entries of the call before it; RULE -1 = none; LATE 1 = see `began`
 *                watch-when INDEX WIDTH OP MASK VALUE        conditions of the entry before it
 *                watch-path RULE PERMISSIONS DENY REPORT GLOB    a rule on paths (rules.h)
 *                watch-list RULE PERMISSIONS DENY REPORT     hit by what no watch-allow PERMISSIONS GLOB behind it gives
 *
 * The watcher is one process for each sandbox that is watched: outside of its pid namespace (the program cannot see it, signal
 * it or trace it), in its cgroup (a flood of calls is paid by who makes it), with its host uid, no capability and
 * no_new_privs. If it dies, the listener dies with it, every watched call fails (ENOSYS), and the supervisor ends the run.
 */
#ifndef PLASTRON_NOTIFY_H
#define PLASTRON_NOTIFY_H
#include "wire.h"
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Of one run, as packages/contracts/violation-room.ts has it: so many are told of whatever rules, then the first few of each rule. */
enum { MAX_VIOLATIONS = 100, RESERVED_VIOLATIONS = 100, FIRST_OF_EACH = 3, TOLD_RULES = 1024 };
enum room { ROOM_FOR_ALL, ROOM_FOR_SELDOM, NO_ROOM };

/* Shared with the supervisor, who writes how much room there is and how many of each rule were told: the rest are only counted here. */
struct watch_counts {
    atomic_uint room;
    atomic_uchar told[TOLD_RULES]; /* by told_key, no further than FIRST_OF_EACH; rules beyond share places, which loses records alone */
    atomic_uint began; /* a program was given: from here on lists hold. Before, only the platform's own worker runs in there. */
    atomic_ulong dropped;
};

enum { MAY_READ = 1, MAY_WRITE = 2, MAY_APPEND = 4, MAY_EXEC = 8, DID_CREATE = 16, DID_RENAME = 32, DID_LINK = 64 };

/* One violation, as the supervisor passes it on in a frame V: this, then two paths, each u32 length and bytes. Little endian. */
struct violation {
    int32_t rule;
    uint32_t denied, pid;
    int32_t nr;
    uint64_t args[6];
    uint64_t mount_namespace;
    char comm[16];
    uint32_t permissions, zero;
};
#define MAX_VIOLATION (sizeof(struct violation) + 2 * (4 + 4096))

/* Denied ones and recorded ones of a rule are told apart. */
static inline unsigned told_key(int32_t rule, uint32_t denied) { return ((uint32_t)rule * 2 + (denied != 0)) % TOLD_RULES; }
static inline int has_room(struct watch_counts *counts, int32_t rule, uint32_t denied) {
    unsigned room = atomic_load(&counts->room);
    return room == ROOM_FOR_ALL || (room == ROOM_FOR_SELDOM && atomic_load(&counts->told[told_key(rule, denied)]) < FIRST_OF_EACH);
}

/* In the program, last of all: the filter with a listener, which goes out on the life line ('l', with the mount namespace). */
struct sock_fprog;
void install_with_listener(const struct sock_fprog *program, int life);

/* What the watcher knows. */
struct watcher {
    const struct spec *spec;
    int channel, listener, proc, keep_root;
    uid_t uid;
    uint64_t mount_namespace;
    struct watch_counts *counts;
    int paths; /* whether there are rules on paths, so that it opens files for the program */
};

/* One notified call. */
struct call {
    const struct watcher *w;
    uint64_t id;
    pid_t tid; /* as the host sees it */
    int nr;
    uint64_t args[6];
};

/* Starts the watcher of a sandbox whose rules are in `spec`; the supervisor's end of its channel, or -1. It waits for the listener. */
int watcher_start(const struct spec *spec, uid_t uid, struct watch_counts *counts, pid_t *pid);

/* The verdict of `watch-call` records: 0 or an errno; *known = there was one for this number. Records what is to be recorded. */
int judge_call(const struct call *call, int *known);
/* Tells the supervisor of a violation, unless it has enough. */
void record(const struct call *call, int rule, int denied, unsigned permissions, const char *path, const char *other);

/* Answers: an errno (0 = `value` is returned), or on with it (never where something behind a pointer was judged). */
void answer(const struct call *call, int error, int64_t value);
void let_pass(const struct call *call);
/* Whether the caller still waits for this answer: what was read of it before is its own. */
int still_waits(const struct call *call);
#endif
