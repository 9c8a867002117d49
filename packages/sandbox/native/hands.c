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
    int result, ready;
} order;

static struct waiting {
    pid_t pid;
    struct call call;
} waiting[MAX_WAITING];
static int waiting_count;

const char *handle(int fd, char out[32]) {
    snprintf(out, 32, "self/fd/%d", fd);
    return out;
}

/* A fork of the hands is under Landlock as they are. */
static int fork_off(void) {
    int pid = fork();
    if (pid) return pid < 0 ? -errno : pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    order.then(order.call, order.deed->act(order.deed));
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
    if (waiting_count == MAX_WAITING) return -EAGAIN;
    int pid = give(deed, call, then);
    if (pid < 0) return pid;
    waiting[waiting_count++] = (struct waiting){pid, *call};
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

void hands_tend(void) {
    for (int i = waiting_count - 1; i >= 0; i--) {
        struct waiting *one = &waiting[i];
        int ended = waitpid(one->pid, NULL, WNOHANG) != 0;
        if (!ended && still_waits(&one->call)) {
            if (!interrupted(&one->call)) continue;
            kill(one->pid, SIGKILL);
            waitpid(one->pid, NULL, 0);
            answer(&one->call, RESTART, 0);
            ended = 1;
        }
        if (!ended) kill(one->pid, SIGKILL), waitpid(one->pid, NULL, 0);
        /* One that died without an answer (the memory limit) must not leave its caller waiting for ever. */
        if (still_waits(&one->call)) answer(&one->call, EACCES, 0);
        *one = waiting[--waiting_count];
    }
}
