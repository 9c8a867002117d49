/*
 * The broker: calls on paths, done for the program by the watcher. The program's own call never happens: the kernel would read
 * the path again after it was judged. What the call would have given - a descriptor, an error, a new name - is given instead.
 *
 * Each path is resolved to the thing itself (resolve.h), its canonical path is compared with the rules (rules.h), and then that
 * thing and no other is opened or changed (hands.h). Only execve and execveat go on where they are not refused, and the kernel reads
 * their path again: what may not be executed is masked, on a mount without exec, or refused by Landlock as well.
 */
#ifndef PLASTRON_BROKER_H
#define PLASTRON_BROKER_H
#include "notify.h"
#include <linux/openat2.h>

void broker_prepare(const struct watcher *w);
/* Does the call and answers it; 0 when it is none of those that take a path. */
int broker_call(const struct call *call);
int broker_waiting(void);
void broker_tend(void);

/* What each call returns here: 0, or an errno below zero, or ANSWERED. */
#define ANSWERED 1
typedef int (*broker_deed)(const struct call *call);
struct brokered {
    int nr;
    broker_deed act;
};
extern const struct brokered open_calls[], name_calls[], thing_calls[], exec_calls[]; /* each ends with act NULL */

/* Arguments as the kernel cuts them. */
static inline int int_arg(const struct call *call, int i) { return (int)(uint32_t)call->args[i]; }
#endif
