#define _GNU_SOURCE
#include "keeper.h"
#include "../life.h"
#include "../lockdown.h"
#include "../program.h"
#include "report.h"
#include "trace.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Above the life line, below which nothing is kept. */
#define HELD 64

/* The starter connects in this order: its own line, then the worker's control. */
struct door {
    int listener, line;
    int trace_listener;
};

static void become_guest_root(const struct spec *spec, int ipc, int life) {
    enter_user_namespace(ipc, spec_long(spec, "uid", 1, 0), life);
    if (setresgid(0, 0, 0) || setresuid(0, 0, 0)) step_failed(life, "guest root ids", "");
    /* Its mounts must be its own user namespace's, or the gofer could make none. All of ours become locked in it. */
    if (unshare(CLONE_NEWNS)) step_failed(life, "unshare", "guest mounts");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) step_failed(life, "no_new_privs", "guest root");
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* runsc opens its own /proc/self */
}

static int open_door(int life) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = DOOR};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 2)) step_failed(life, "door", DOOR);
    if (chmod(DOOR, 0666)) step_failed(life, "door", DOOR);
    return fd;
}

/* Runs runsc with the program's own stdin, stdout and stderr, and nothing else of ours. Returns its pidfd. */
static int start_runsc(const struct spec *spec, const int *fds, int life) {
    int pid = fork();
    if (pid < 0) step_failed(life, "fork", "runsc");
    if (!pid) {
        for (int i = 0; i < 3; i++) {
            /* The guest looks at the mode of what it opens again as /dev/stdout; nobody else can reach a pipe. */
            if (fchmod(fds[i], 0666)) step_failed(life, "pipe mode", "");
            if (dup2(fds[i], i) < 0) step_failed(life, "descriptor", "");
        }
        exec_program(spec, life); /* all else is close-on-exec */
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) step_failed(life, "pidfd", "runsc");
    return pidfd;
}

/* Control goes to the supervisor itself, so that no byte of a run passes through us. */
static void on_knock(struct door *door, int life) {
    int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) step_failed(life, "door", "accept");
    if (door->line < 0) {
        door->line = fd;
        return;
    }
    if (send_fds(life, "c", 1, &fd, 1) != 1) _exit(70);
    close(fd);
    close(door->listener);
    door->listener = -1;
    unlink(DOOR);
}

static void tell(int life, int32_t status, int64_t voluntary, int64_t involuntary) {
    struct life_exit message = {.letter = 'x', .status = status, .voluntary = voluntary, .involuntary = involuntary};
    send(life, &message, sizeof message, MSG_NOSIGNAL);
}

/* What comes from inside the guest is the guest's word: a status and nothing else, cut to what wait4 can say. */
static void on_line(struct door *door, int life) {
    struct guest_report report;
    if (recv(door->line, &report, sizeof report, MSG_DONTWAIT) != sizeof report) { /* it is sent whole, or it is nothing */
        close(door->line);
        door->line = -1;
        return;
    }
    tell(life, report.status & 0xffff, report.voluntary, report.involuntary);
}

static void on_trace_knock(struct door *door, int life) {
    int fd = trace_accept(door->trace_listener);
    if (fd >= 0) {
        if (send_fds(life, "t", 1, &fd, 1) != 1) _exit(70);
        close(fd);
    }
    close(door->trace_listener);
    door->trace_listener = -1;
    unlink(TRACE);
}

static _Noreturn void keep(struct door *door, int runsc, int life) {
    for (;;) {
        struct pollfd wait[5] = {{door->listener, POLLIN, 0}, {door->line, POLLIN, 0}, {runsc, POLLIN, 0}, {life, POLLRDHUP, 0}, {door->trace_listener, POLLIN, 0}};
        if (poll(wait, 5, -1) < 0 && errno != EINTR) _exit(70);
        if (wait[3].revents) _exit(0);
        if (wait[4].revents) on_trace_knock(door, life);
        if (wait[1].revents) on_line(door, life);
        if (wait[0].revents) on_knock(door, life);
        if (wait[2].revents) {
            if (door->line >= 0) on_line(door, life); /* the guest's own word, if it came before its kernel ended */
            tell(life, GUEST_DIED, 0, 0);
            _exit(0);
        }
    }
}

void serve_guest_namespace(int ipc, long outside, int life) {
    char letter, map[64];
    int self, passed = 0;
    if (recv_fds(ipc, &letter, 1, &self, &passed, NULL) != 1 || passed != 1) _exit(70); /* the keeper said why */
    snprintf(map, sizeof map, "0 %ld %d", outside, GUEST_IDS);
    if (write_text(self, "uid_map", map)) step_failed(life, "uid_map", map);
    if (write_text(self, "gid_map", map)) step_failed(life, "gid_map", map);
    close(self);
    if (write_all(ipc, "k", 1)) _exit(70);
}

/* Our own copies, above all others: whatever else was inherited goes, for an end of a pipe that stays open here never ends there. */
static void keep_only(int *held, int count, int life) {
    for (int i = 0; i < count; i++)
        if ((held[i] = fcntl(held[i], F_DUPFD_CLOEXEC, HELD)) < 0) step_failed(life, "descriptor", "");
    if (syscall(SYS_close_range, 3u, (unsigned)life - 1, 0)) step_failed(life, "close_range", "");
    if (syscall(SYS_close_range, (unsigned)life + 1, HELD - 1u, 0)) step_failed(life, "close_range", "");
}

void keep_guest(const struct spec *spec, const int theirs[5], int ipc, int life) {
    struct door door = {-1, -1, -1};
    int held[4] = {theirs[0], theirs[1], theirs[2], ipc};
    const int *fds = held;
    hand_over_workspace(life);
    keep_only(held, 4, life);
    setsid();
    become_guest_root(spec, held[3], life);
    door.listener = open_door(life);
    if ((door.trace_listener = trace_listen()) < 0) step_failed(life, "trace", TRACE);
    int runsc = start_runsc(spec, fds, life);
    for (int i = 0; i < 4; i++) close(fds[i]);
    keep(&door, runsc, life);
}
