/*
 * The supervisor: one process outside each sandbox that owns its life. It moves bytes between the agent's connection and the
 * sandbox's pipes, keeps time, cuts output, puts files in and takes them out, and in every end - the program's, the
 * agent's, its own - nothing of the sandbox is left.
 *
 * Agent → supervisor: W knob\0value · F u32 mode, u32 path length, path, bytes · C u32 budget, globs · B u32 wall ms, u32
 * output limit, u32 flags (1 = more stdin comes), start message · I stdin · Z stdin ends · K reason · z u8: freeze (1), thaw (0)
 * Supervisor → agent: P u32: pid 1 is there and has not begun (spec `await-agent`; it begins with frame G) · R u32 ready, with the host's pid of
 * pid 1 · z u8: it is frozen (1), is not any more (0), could not be frozen (2) · S the program is being started · O, E output · A u32 path length, path, u64 size, bytes · T name\0content (a `stat` at
 * the end of a run; U the same before the first) · V a violation (notify.h) · G u32 dropped,
 * and a message of the guest kernel's trace if there is one · X
 * "key value" lines: the end of a run · N text: a step failed
 */
#ifndef PLASTRON_SUPERVISE_H
#define PLASTRON_SUPERVISE_H
#include "wire.h"

struct sandbox {
    const struct spec *spec;
    int conn;            /* the agent */
    int in, out, err;    /* our ends of stdio */
    int control;         /* our end of the worker's control socket */
    int life;            /* our end of the life line */
    int init;            /* pidfd of pid 1 */
    int pid;             /* its pid on the host */
    long uid;            /* host uid of the sandbox */
    int session;
    /* What to do with a frame that is not of the list above (the zygote's fork request); may be NULL. */
    void (*other)(struct sandbox *box, char type, const uint8_t *payload, uint32_t len);
    int serve; /* zygote only: where requests to fork go */
    /* Only where calls are watched (notify.h), else -1 and NULL. */
    int watcher, watcher_process;
    struct watch_counts *counts;
    int relay; /* of a sandbox with a way out (relay/egress.h), else -1 */
};

/* Runs until the sandbox and its cgroups are gone. */
void supervise(struct sandbox *box);
/* Starts the watcher that the records of `rules` ask for, in the sandbox's cgroup. 0, or -1 with errno and *what. */
int start_watcher(struct sandbox *box, const struct spec *rules, const char **what);
/* Pipes, control pair and life line of a sandbox: `theirs` are stdin, stdout, stderr, control, life. 0 or -1. */
int make_channels(struct sandbox *box, int theirs[5]);
_Noreturn void report_and_exit(int conn, const char *step, const char *detail);
#endif
