/*
 * Two threads share the broker: one reads the program and judges, and must not be under Landlock, which forbids to look at a
 * process of another domain; the other, the hands, does what was judged, under the sandbox's own Landlock rules.
 */
#ifndef PLASTRON_HANDS_H
#define PLASTRON_HANDS_H
#include "notify.h"
#include <limits.h>
#include <time.h>

/* What is to be done. All descriptors are the broker's; `result` is a new descriptor, 0, or an errno below zero. */
struct deed {
    int (*act)(const struct deed *deed);
    const struct watcher *w;
    int a, b;                /* the thing, or the directory of the name with the same letter */
    const char *name_a, *name_b;
    unsigned flags;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    int64_t length;
    struct timespec times[2];
    void *value;             /* of an extended attribute */
    size_t size;
};

void hands_prepare(const struct watcher *w);
/* Does it now. */
int hands_do(const struct deed *deed);
/* Does it in a process of its own, which also answers the call: it may wait for long. `then` answers. 0 or an errno below zero. */
int hands_wait(const struct call *call, const struct deed *deed, void (*then)(const struct call *, int result));
/* The calls that wait so: how many there are; ends those that nobody waits for any more. */
int hands_waiting(void);
void hands_tend(void);

/* "self/fd/N", by which a thing is used that is open as N: relative to the host's /proc. */
const char *handle(int fd, char out[32]);
#endif
