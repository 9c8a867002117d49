/* The program's side of notify.h: how the listener gets out from under the filter that it listens to. */
#define _GNU_SOURCE
#include "notify.h"
#include "life.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define STACK 16384

/* The message must not be sent under the filter, which may ask about sendmsg itself while nobody answers yet. So a task that
 * shares our memory and descriptors, made before the filter, waits for the listener and sends it. */
static char stack[STACK] __attribute__((aligned(16)));
static struct courier {
    int life;
    volatile int listener; /* 0: not yet; -1: there is none */
    volatile int done;     /* 1: sent; -1: could not be sent */
    int mounts;
} courier;

static int carry(void *none) {
    (void)none;
    while (!courier.listener) syscall(SYS_sched_yield);
    if (courier.listener > 0) {
        int fds[2] = {courier.listener, courier.mounts};
        courier.done = send_fds(courier.life, "l", 1, fds, 2) == 1 ? 1 : -1;
    }
    syscall(SYS_exit, 0);
    return 0;
}

static int install(const struct sock_fprog *program) {
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, program);
    /* Before Linux 5.19 a signal can interrupt a call that is being answered; it is then asked for again. */
    if (fd < 0 && errno == EINVAL) fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, program);
    return fd;
}

void install_with_listener(const struct sock_fprog *program, int life) {
    courier = (struct courier){.life = life, .mounts = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC)};
    if (courier.mounts < 0) step_failed(life, "open", "/proc/self/ns/mnt");
    int pid = clone(carry, stack + STACK, CLONE_VM | CLONE_FILES, NULL);
    if (pid < 0) step_failed(life, "clone", "listener");
    int listener = install(program), why = errno;
    courier.listener = listener < 0 ? -1 : listener;
    if (listener < 0) errno = why, step_failed(life, "seccomp", "listener");
    while (!courier.done) {} /* without a system call: the filter is on and nobody answers it yet */
    if (courier.done < 0) _exit(70);
    waitpid(pid, NULL, __WALL);
    /* Who holds the listener may answer its own calls. */
    if (close(listener) || close(courier.mounts)) _exit(70);
}
