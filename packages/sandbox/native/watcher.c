/* The watcher's process (notify.h): its start, its loop, its answers. */
#define _GNU_SOURCE
#include "broker.h"
#include "life.h"
#include "notify.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#define SYNC_WAKE_UP 1ull

static int listener_of(const struct call *call) { return call->w->listener; }

void answer(const struct call *call, int error, int64_t value) {
    struct seccomp_notif_resp response = {.id = call->id, .error = -error, .val = error ? 0 : value};
    ioctl(listener_of(call), SECCOMP_IOCTL_NOTIF_SEND, &response); /* ENOENT: nobody waits for it any more */
}

void let_pass(const struct call *call) {
    struct seccomp_notif_resp response = {.id = call->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    ioctl(listener_of(call), SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int still_waits(const struct call *call) { return !ioctl(listener_of(call), SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id); }

/* The only secret of the host that it could tell is the supervisor's memory, a copy of which it is: so it is made untraceable first. */
static void become_powerless(const struct watcher *w) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    int life = w->channel;
    if (!w->keep_root) {
        if (setgroups(0, NULL)) step_failed(life, "watcher setgroups", "");
        if (setresgid(w->uid, w->uid, w->uid)) step_failed(life, "watcher setresgid", "");
        if (setresuid(w->uid, w->uid, w->uid)) step_failed(life, "watcher setresuid", "");
        if (syscall(SYS_capset, &header, none)) step_failed(life, "watcher capset", "");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) step_failed(life, "watcher no_new_privs", "");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) step_failed(life, "watcher dumpable", "");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Blocks until the program has its filter. */
static void await_listener(struct watcher *w) {
    struct stat info;
    char letter;
    int fds[MAX_PASSED], count = 0;
    w->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->proc < 0) step_failed(w->channel, "watcher", "/proc");
    if (recv_fds(w->channel, &letter, 1, fds, &count, NULL) != 1 || count != 2) _exit(0); /* the supervisor has gone */
    w->listener = fds[0];
    if (fstat(fds[1], &info)) step_failed(w->channel, "watcher", "mount namespace");
    w->mount_namespace = info.st_ino;
    if (w->paths && setns(fds[1], CLONE_NEWNS)) step_failed(w->channel, "watcher", "mount namespace");
    close(fds[1]);
}

static void on_call(const struct call *call) {
    int known, verdict = judge_call(call, &known);
    if (known && verdict) return answer(call, verdict, 0);
    if (call->w->paths && broker_call(call)) return;
    if (known) return let_pass(call);
    answer(call, EACCES, 0); /* the filter asks about a call that no rule explains */
}

static void serve(const struct watcher *w) {
    union {
        struct seccomp_notif notif;
        char room[512];
    } in;
    struct pollfd wait[2] = {{w->listener, POLLIN, 0}, {w->channel, POLLRDHUP, 0}};
    for (;;) {
        if (poll(wait, 2, broker_waiting() ? 50 : -1) < 0 && errno != EINTR) _exit(70);
        broker_tend();
        if (wait[1].revents) _exit(0); /* the end of the supervisor */
        if (wait[0].revents & (POLLHUP | POLLERR)) wait[0].fd = -1; /* that of every program; what it means is the supervisor's to say */
        if (!(wait[0].revents & POLLIN)) continue;
        memset(&in, 0, sizeof in);
        if (ioctl(w->listener, SECCOMP_IOCTL_NOTIF_RECV, &in.notif)) continue; /* ENOENT: killed meanwhile */
        struct call call = {w, in.notif.id, (pid_t)in.notif.pid, in.notif.data.nr, {0}};
        memcpy(call.args, in.notif.data.args, sizeof call.args);
        on_call(&call);
    }
}

static _Noreturn void watcher_main(struct watcher *w) {
    struct seccomp_notif_sizes sizes;
    prctl(PR_SET_NAME, "watcher");
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes)) step_failed(w->channel, "watcher", "sizes");
    errno = E2BIG;
    if (sizes.seccomp_notif > 512 || sizes.seccomp_notif_resp > sizeof(struct seccomp_notif_resp)) step_failed(w->channel, "watcher", "sizes");
    await_listener(w);
    ioctl(w->listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP); /* Linux 6.6: a call is answered on the caller's core */
    become_powerless(w);
    if (w->paths) broker_prepare(w);
    serve(w);
    _exit(0);
}

static int has_record(const struct spec *spec, const char *op) { return spec_get(spec, op, 0, NULL) != NULL; }

int watcher_start(const struct spec *spec, uid_t uid, struct watch_counts *counts, pid_t *pid) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) return -1;
    *pid = fork();
    if (*pid < 0) return -1;
    if (*pid) {
        close(pair[1]);
        return pair[0];
    }
    struct watcher w = {.spec = spec, .channel = pair[1], .listener = -1, .uid = uid, .counts = counts, .paths = has_record(spec, "watch-path") || has_record(spec, "watch-list"), .keep_root = has_record(spec, "keep-root")};
    if (pair[1] > 0) syscall(SYS_close_range, 0u, (unsigned)pair[1] - 1, 0);
    syscall(SYS_close_range, (unsigned)pair[1] + 1, ~0u, 0);
    for (int fd = 0; fd >= 0 && fd < 2;) fd = open("/dev/null", O_RDWR | O_CLOEXEC); /* so that no descriptor of use is 0, 1 or 2 */
    signal(SIGCHLD, SIG_DFL);
    watcher_main(&w);
}
