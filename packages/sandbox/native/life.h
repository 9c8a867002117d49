/*
 * The life line: one SOCK_SEQPACKET pair between a supervisor (outside) and its sandbox (inside).
 *
 * Inside → out, one letter and a body: 'i' init is there, 'p' the program is there and waits for 'g' (zygote only),
 * 'w' (with a descriptor) the workspace, 'c' (with a descriptor) the worker's control, 'l' (with two) the listener
 * and the mount namespace of a program whose calls are watched, 't' (with a descriptor) the trace
 * of the guest's kernel (guests only), 'e' text: a step failed, 'x' struct life_exit: the program has ended.
 * Out → inside: 'g' go on, you are in your cgroup.
 * Its end of file is the death of the supervisor: init leaves at once, and the kernel kills the whole pid namespace.
 */
#ifndef PLASTRON_LIFE_H
#define PLASTRON_LIFE_H
#include <stdint.h>

struct life_exit {
    char letter; /* 'x' */
    char pad[3];
    int32_t status;       /* as wait4 gives it */
    int64_t voluntary;    /* context switches of the program and what it waited for */
    int64_t involuntary;
};

/* Names the step that failed, with errno in words, on the life line, and ends this process with 70 (EX_SOFTWARE). */
_Noreturn void step_failed(int life, const char *step, const char *detail);
/* Waits for 'g'. */
void await_go(int life);
/* Sends 'x' for a wait status. */
struct rusage;
void tell_exit(int life, int status, const struct rusage *usage);
#endif
