/* eBPF programs: loaded into the kernel and attached to a cgroup. */
#ifndef PLASTRON_HOOKS_PROGRAMS_H
#define PLASTRON_HOOKS_PROGRAMS_H
#include "../wire.h"

/* What a step that failed has to say beside errno: at most this much of the end of the verifier's log. */
#define COMPLAINT 1024

struct failure {
    const char *step; /* "load connect4", for instance, in `text` */
    char text[64];
    char detail[COMPLAINT];
};

/* A ring buffer of `bytes` (a power of two, whole pages). The descriptor, or -1 with errno. */
int ring_make(uint32_t bytes);
/* Loads the program of a record `program POINT CODE` and attaches it to the cgroup, beside what others have attached.
 * Nothing is ever detached: the programs go with the cgroup, so that no death of ours sets free what runs in it.
 * 0, or -1 with errno and `failure`. */
int program_attach(const struct record *record, int cgroup, int ring, struct failure *failure);
#endif
