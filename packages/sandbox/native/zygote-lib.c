/*
 * libplastron-zygote.so: what the zygote's interpreter calls (runtimes/python/zygote.py):
 *
 *   int plastron_zygote_serve(int control)
 *
 * blocks in the zygote, making one child for each order of the supervisor, until the end (then -1); and returns once in each
 * child, fully confined, with its control descriptor. Per child: a pid namespace, an init in it, the fork, and in the child the
 * other namespaces, its private mounts and the confinement.
 *
 * That init is a task of its own that shares the zygote's memory (CLONE_VM) instead of copying or replacing it: an exec costs
 * more than all else it does. It runs only the code of init_entry, which fails by leaving, and as long as nothing fails touches
 * nothing but its own stack. The child, which is hostile, is a true fork and shares nothing with either.
 */
#define _GNU_SOURCE
#include "init.h"
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
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_CHILDREN 128
#define STACK 16384

static struct spec spec;
static int own_namespace = -1, signals = -1;
/* One child: its program's process and its init, both reaped here, and whom to tell of the program's end. The rest is for its
 * init, which reads it while we are already making the next. */
static struct child {
    int program, init, life;
    int init_life, init_ipc, uid;
} children[MAX_CHILDREN];
static char stacks[MAX_CHILDREN][STACK] __attribute__((aligned(16)));
/* The child under way: its slot, its ends, its ipc to init, its uid. */
static struct child *slot;
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
        for (struct child *c = children; c < children + MAX_CHILDREN; c++) {
            if (c->init == pid) c->init = 0;
            if (c->program != pid) continue;
            tell_exit(c->life, status, &usage);
            close(c->life);
            c->program = 0;
        }
}

/* Pid 1 of the child's namespace: maps the program's user namespace, becomes as powerless, and lives as long as the life line. */
static int init_entry(void *own) {
    const struct child *child = own;
    int life = child->init_life;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t all;
    /* The handlers are the interpreter's, and would write to the zygote's memory whenever the program signals its init. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    sigaction(SIGCHLD, &ignore, NULL); /* orphans are reaped by the kernel; the program's end is told by the zygote */
    if (send(life, "i", 1, MSG_NOSIGNAL) != 1) _exit(70);
    serve_user_namespace(child->init_ipc, INSIDE_UID, child->uid, 1, life);
    init_give_up(life, child->uid);
    init_close_all_but(life);
    /* No signal can interrupt it: it fails when the program has lowered our limits, and then we leave too. */
    struct pollfd wait = {life, POLLRDHUP, 0};
    poll(&wait, 1, -1);
    _exit(0);
}

static int spawn_init(void) {
    for (slot = children; slot < children + MAX_CHILDREN && (slot->init || slot->program); slot++) {}
    if (slot == children + MAX_CHILDREN) return errno = EAGAIN, -1;
    slot->init_life = fds[4];
    slot->init_ipc = ipc[0];
    slot->uid = uid;
    int pid = clone(init_entry, stacks[slot - children] + STACK, CLONE_VM | SIGCHLD, slot);
    slot->init = pid < 0 ? 0 : pid;
    return pid;
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
    if (spawn_init() < 0) return refuse("zygote init"), 0;
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

/* In the parent: back to our own namespace, and remember whom to tell of the child's end. */
static void forked(int pid) {
    slot->life = fcntl(fds[4], F_DUPFD_CLOEXEC, 16);
    slot->program = pid;
    close_order();
    setns(own_namespace, CLONE_NEWPID);
}

static int become_child(void) {
    const char *name = spec_get(&spec, "hostname", 1, "sandbox");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* The inits have made the memory that we are a copy of untraceable; ours must see our /proc to map our user namespace. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
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
