#define _GNU_SOURCE
#include "init.h"
#include "life.h"
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void init_give_up(int life, long uid) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    if (setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid)) step_failed(life, "init setresgid", "");
    if (setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid)) step_failed(life, "init setresuid", "");
    if (syscall(SYS_capset, &header, none)) step_failed(life, "init capset", "");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) step_failed(life, "init no_new_privs", "");
    /* The program has the same kernel uid: without this it could reach our memory and, by /proc/1/exe, our binary. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) step_failed(life, "init dumpable", "");
}

void init_close_all_but(int life) {
    if (life > 0) syscall(SYS_close_range, 0u, (unsigned)life - 1, 0);
    syscall(SYS_close_range, (unsigned)life + 1, ~0u, 0);
}

static void reap(int life, int program) {
    struct rusage usage;
    int status;
    for (int pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;)
        if (pid == program) tell_exit(life, status, &usage);
}

void init_serve(int life, long uid, int program) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    if (setgroups(0, NULL)) step_failed(life, "init setgroups", "");
    init_give_up(life, uid);
    init_close_all_but(life);
    int signals = signalfd(-1, &child, SFD_CLOEXEC);
    if (signals < 0) step_failed(life, "init signalfd", "");
    reap(life, program);
    for (;;) {
        struct pollfd wait[2] = {{signals, POLLIN, 0}, {life, POLLRDHUP, 0}};
        if (poll(wait, 2, -1) < 0) {
            /* The program may lower our limits (its kernel uid is ours): without a poll nobody would see the life line end. */
            if (errno != EINTR) _exit(70);
            continue;
        }
        if (wait[1].revents) _exit(0);
        if (wait[0].revents) {
            struct signalfd_siginfo info;
            if (read(signals, &info, sizeof info) > 0) reap(life, program);
        }
    }
}
