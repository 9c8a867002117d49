#define _GNU_SOURCE
#include "hands.h"
#include "caller.h"
#include "life.h"
#include "lockdown.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WAITING 256
#define RESTART 512 /* ERESTARTSYS: the kernel runs the handler, and the call again where the handler was set so */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wanted = PTHREAD_COND_INITIALIZER, done = PTHREAD_COND_INITIALIZER;
static const struct watcher *watcher;
static struct {
    const struct deed *deed;
    const struct call *call; /* set: in a process of its own */
    void (*then)(const struct call *, int);
    int result, ready, place;
} order;

static struct waiting {
    pid_t pid; /* 0: a free place */
    struct call call;
} waiting[MAX_WAITING];
static int waiting_count;
/* Who answers, shared with the processes: whoever changes it from 0 may. One that were killed while its descriptor is on the
 * way into the program would leave the call to return 0, which the program takes for a descriptor. */
static atomic_int *claims;

static int claim(int place) {
    int nobody = 0;
    return atomic_compare_exchange_strong(&claims[place], &nobody, 1);
}

const char *handle(int fd, char out[32]) {
    snprintf(out, 32, "self/fd/%d", fd);
    return out;
}

/* A fork of the hands is under Landlock as they are. */
static int fork_off(void) {
    int pid = fork();
    if (pid) return pid < 0 ? -errno : pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int result = order.deed->act(order.deed);
    if (claim(order.place)) order.then(order.call, result);
    _exit(0);
}

static void *hands_main(void *none) {
    (void)none;
    restrict_files(watcher->spec, watcher->channel);
    pthread_mutex_lock(&lock);
    order.ready = 1;
    pthread_cond_signal(&done);
    for (;;) {
        while (!order.deed) pthread_cond_wait(&wanted, &lock);
        order.result = order.call ? fork_off() : order.deed->act(order.deed);
        order.deed = NULL;
        pthread_cond_signal(&done);
    }
    return NULL;
}

void hands_prepare(const struct watcher *w) {
    pthread_t thread;
    pthread_attr_t small;
    watcher = w;
    claims = mmap(NULL, MAX_WAITING * sizeof *claims, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (claims == MAP_FAILED) step_failed(w->channel, "broker", "memory");
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    errno = EAGAIN;
    if (pthread_create(&thread, &small, hands_main, NULL)) step_failed(w->channel, "broker", "thread");
    pthread_mutex_lock(&lock);
    while (!order.ready) pthread_cond_wait(&done, &lock);
    pthread_mutex_unlock(&lock);
}

static int give(const struct deed *deed, const struct call *call, void (*then)(const struct call *, int)) {
    pthread_mutex_lock(&lock);
    order.call = call;
    order.then = then;
    order.deed = deed;
    pthread_cond_signal(&wanted);
    while (order.deed) pthread_cond_wait(&done, &lock);
    int result = order.result;
    pthread_mutex_unlock(&lock);
    return result;
}

int hands_do(const struct deed *deed) { return give(deed, NULL, NULL); }

int hands_wait(const struct call *call, const struct deed *deed, void (*then)(const struct call *, int)) {
    int place = 0;
    while (place < MAX_WAITING && waiting[place].pid) place++;
    if (place == MAX_WAITING) return -EAGAIN;
    atomic_store(&claims[place], 0);
    order.place = place;
    int pid = give(deed, call, then);
    if (pid < 0) return pid;
    waiting[place] = (struct waiting){pid, *call};
    waiting_count++;
    return 0;
}

int hands_waiting(void) { return waiting_count; }

/* Whether a signal waits for the caller that it has not blocked: a call that sleeps would be interrupted by it. A signal to the
 * whole process wakes its first thread; told to any other one, the kernel would not restart the call but show the program 512. */
static int interrupted(const struct call *call) {
    struct caller_ids ids;
    static const char *const keys[] = {"\nSigPnd:\t", "\nShdPnd:\t", "\nSigBlk:\t", "\nSigIgn:\t"};
    unsigned long long sets[4] = {0};
    char name[32], text[4096];
    snprintf(name, sizeof name, "%d/status", call->tid);
    int fd = openat(call->w->proc, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    for (int i = 0; i < 4; i++) {
        const char *at = strstr(text, keys[i]);
        if (at) sscanf(at + strlen(keys[i]), "%llx", &sets[i]);
    }
    if (caller_ids(call, &ids) || ids.host_tgid != call->tid) sets[1] = 0;
    return ((sets[0] | sets[1]) & ~sets[2] & ~sets[3]) != 0;
}

/* Ends one whose caller is gone (0), or is to be told that it was interrupted. */
static void give_up(struct waiting *one, int error) {
    if (!claim((int)(one - waiting))) return; /* it answers just now */
    kill(one->pid, SIGKILL);
    if (error) answer(&one->call, error, 0);
}

void hands_tend(void) {
    for (struct waiting *one = waiting; one < waiting + MAX_WAITING; one++) {
        if (!one->pid) continue;
        if (waitpid(one->pid, NULL, WNOHANG)) {
            /* One that died without an answer (the memory limit) must not leave its caller waiting for ever. */
            if (still_waits(&one->call)) answer(&one->call, EACCES, 0);
            one->pid = 0;
            waiting_count--;
        } else if (!still_waits(&one->call))
            give_up(one, 0);
        else if (interrupted(&one->call))
            give_up(one, RESTART);
    }
}
