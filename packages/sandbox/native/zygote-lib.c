/*
 * libplastron-zygote.so: what the zygote's interpreter calls (runtimes/python/zygote.py):
 *
 *   int plastron_zygote_serve(int control)
 *
 * blocks in the zygote, making one child for each order of the supervisor, until the end (then -1); and returns once in each
 * child, fully confined, with its control descriptor. Per child: a pid namespace, an init in it (exec'd, so that it shares no
 * memory with the interpreter), the fork, and in the child the other namespaces, its private mounts and the confinement.
 */
#define _GNU_SOURCE
#include "life.h"
#include "lockdown.h"
#include "mounts.h"
#include "program.h"
#include "zygote.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_CHILDREN 256

static struct spec spec;
static int own_namespace = -1, signals = -1;
static struct {
    int pid, life;
} children[MAX_CHILDREN];
/* The child under way: its ends, and its ipc to init. */
static int fds[MAX_PASSED], ipc[2], uid;

static int open_zygote(void) {
    struct stat info;
    sigset_t child;
    if (fstat(ZYGOTE_SPEC, &info)) return -1;
    uint8_t *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, ZYGOTE_SPEC, 0);
    if (bytes == MAP_FAILED || spec_parse(bytes, (size_t)info.st_size, &spec)) return -1;
    munmap(bytes, (size_t)info.st_size);
    close(ZYGOTE_SPEC);
    fcntl(ZYGOTE_ORDERS, F_SETFD, FD_CLOEXEC);
    fcntl(ZYGOTE_INIT, F_SETFD, FD_CLOEXEC);
    own_namespace = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return own_namespace < 0 || signals < 0 ? -1 : 0;
}

static void reap(void) {
    struct rusage usage;
    int status;
    for (int pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        for (int i = 0; i < MAX_CHILDREN; i++)
            if (children[i].pid == pid) {
                tell_exit(children[i].life, status, &usage);
                close(children[i].life);
                children[i].pid = 0;
            }
}

/* Pid 1 of the new namespace: a small static program, by vfork and exec, so that it shares nothing with the interpreter. */
static int spawn_init(int as, int life) {
    char text[16];
    snprintf(text, sizeof text, "%d", as);
    char *const argv[] = {"init", text, NULL}, *const envp[] = {NULL};
    int pid = vfork();
    if (pid) return pid;
    int a = fcntl(life, F_DUPFD, 64), b = fcntl(ipc[0], F_DUPFD, 64), image = fcntl(ZYGOTE_INIT, F_DUPFD_CLOEXEC, 64);
    if (a < 0 || b < 0 || image < 0 || dup2(a, 3) < 0 || dup2(b, 4) < 0) _exit(70);
    syscall(SYS_close_range, 5u, (unsigned)image - 1, 0);
    syscall(SYS_close_range, 0u, 2u, 0);
    fcntl(image, F_SETFD, FD_CLOEXEC);
    syscall(SYS_close_range, (unsigned)image + 1, ~0u, 0);
    syscall(SYS_execveat, image, "", argv, envp, 0x1000 /* AT_EMPTY_PATH */);
    _exit(70);
}

static void close_order(void) {
    for (int i = 0; i < 5; i++) close(fds[i]);
    close(ipc[0]);
    close(ipc[1]);
}

static void refuse(const char *step) {
    char text[128];
    int n = snprintf(text, sizeof text, "e%s: %s", step, strerror(errno));
    send(fds[4], text, (size_t)n, MSG_NOSIGNAL);
    close_order();
    setns(own_namespace, CLONE_NEWPID);
}

static int take_order(void) {
    struct zygote_order order;
    int count = 0, n = recv_fds(ZYGOTE_ORDERS, &order, sizeof order, fds, &count, NULL);
    if (n <= 0) return -1;
    if (n != (int)sizeof order || count != 5 || order.uid <= 0) {
        for (int i = 0; i < count; i++) close(fds[i]);
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ipc)) ipc[0] = ipc[1] = -1;
    if (ipc[0] < 0 || unshare(CLONE_NEWPID)) return refuse("zygote pid namespace"), 0;
    uid = order.uid;
    if (spawn_init(uid, fds[4]) < 0) return refuse("zygote init"), 0;
    return 1;
}

/* Blocks until a child is wanted; 0 at the end of everything. */
static int next_order(int control) {
    for (;;) {
        struct pollfd wait[3] = {{ZYGOTE_ORDERS, POLLIN, 0}, {signals, POLLIN, 0}, {control, POLLRDHUP, 0}};
        if (poll(wait, 3, -1) < 0 && errno != EINTR) return 0;
        if (wait[1].revents & POLLIN) {
            struct signalfd_siginfo info;
            while (read(signals, &info, sizeof info) > 0) {}
            reap();
        }
        if (wait[2].revents) return 0;
        if (wait[0].revents) {
            int taken = take_order();
            if (taken < 0) return 0;
            if (taken) return 1;
        }
    }
}

/* In the parent: back to our own namespace; remember whom to tell of the child's end. */
static void forked(int pid) {
    int life = fcntl(fds[4], F_DUPFD_CLOEXEC, 16);
    for (int i = 0; i < MAX_CHILDREN && life >= 0; i++)
        if (!children[i].pid) {
            children[i].pid = pid;
            children[i].life = life;
            life = -1;
        }
    if (life >= 0) close(life);
    close_order();
    setns(own_namespace, CLONE_NEWPID);
}

static int become_child(void) {
    const char *name = spec_get(&spec, "hostname", 1, "sandbox");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int life = fcntl(fds[4], F_DUPFD_CLOEXEC, 100);
    if (life < 0 || send(life, "p", 1, MSG_NOSIGNAL) != 1) _exit(70);
    await_go(life);
    if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)) step_failed(life, "unshare", "namespaces");
    if (sethostname(name, strlen(name))) step_failed(life, "hostname", name);
    loopback_up(life);
    build_private(&spec, "child-", uid, life);
    confine_program(&spec, fds, ipc[1], life);
    close(life);
    return 3;
}

EXPORT int plastron_zygote_serve(int control) {
    static const uint8_t ready[FRAME_HEADER] = {'R'};
    if (open_zygote() || write_all(control, ready, sizeof ready)) return -1;
    while (next_order(control)) {
        int pid = fork();
        if (!pid) return become_child();
        if (pid < 0)
            refuse("zygote fork");
        else
            forked(pid);
    }
    return -1;
}
