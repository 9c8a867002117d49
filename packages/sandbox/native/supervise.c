#define _GNU_SOURCE
#include "supervise.h"
#include "cgroup.h"
#include "life.h"
#include "watch.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void frame_head(struct watch *w, char type, size_t len) {
    uint8_t head[FRAME_HEADER] = {(uint8_t)type};
    put_u32(head + 1, (uint32_t)len);
    buffer_add(&w->to_agent, head, sizeof head);
}

void frame(struct watch *w, char type, const void *bytes, size_t len) {
    frame_head(w, type, len);
    buffer_add(&w->to_agent, bytes, len);
}

void kill_sandbox(struct watch *w, const char *reason) {
    if (w->killed) return;
    w->killed = 1;
    if (reason && !w->reason[0]) snprintf(w->reason, sizeof w->reason, "%s", reason);
    /* Killing pid 1 kills every process of the namespace, however deep it forked. */
    if (w->box->init >= 0) syscall(SYS_pidfd_send_signal, w->box->init, SIGKILL, NULL, 0);
    /* And all at once, before pid 1 has had its turn; second, since the kernel may let this wait while it makes other cgroups. */
    if (w->state == RUNNING) kill_together(w);
}

static void close_stream(struct stream *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

/* One read of a stream; 0 when there is nothing now (or no more). What is over the limit is thrown away, so that the
 * program runs on to its own end; its wall clock bounds how long that can take. */
int pump(struct watch *w, struct stream *s) {
    static uint8_t chunk[CHUNK];
    ssize_t n = s->fd < 0 ? 0 : read(s->fd, chunk, sizeof chunk);
    if (n < 0) return errno == EINTR;
    if (n == 0) return close_stream(s), 0;
    size_t keep = (uint64_t)n < s->left ? (size_t)n : s->left;
    if (w->state != RUNNING) keep = 0;
    if (w->state == STARTING && s == &w->err) {
        size_t have = strlen(w->complaint), room = sizeof w->complaint - 1 - have;
        memcpy(w->complaint + have, chunk, (size_t)n < room ? (size_t)n : room);
    }
    if (keep) frame(w, s->letter, chunk, keep);
    s->left -= keep;
    if (w->state == RUNNING && (size_t)n > keep) s->truncated = 1;
    return 1;
}

/* Takes what is in the pipes now. A background process may go on writing for ever: at most this much is waited for. */
void drain(struct watch *w) {
    for (int i = 0; i < 256 && pump(w, &w->out); i++) {}
    for (int i = 0; i < 256 && pump(w, &w->err); i++) {}
}

/*
 * Who leaves a mount namespace last takes it apart, before he counts as dead: some milliseconds, mostly waiting for the kernel. Held
 * by us it is taken apart when we end, and nobody waits for that. Where it cannot be opened, ends are slower and nothing else.
 */
static int hold_mounts(const struct sandbox *box) {
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", box->pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* R: the worker is ready. D: its program has ended with this code (a program could say so itself: that is the same as exit). */
static void on_control(struct watch *w) {
    uint8_t *space = buffer_grow(&w->from_control, 256);
    ssize_t n = space ? read(w->box->control, space, 256) : 0;
    w->from_control.end -= (size_t)(256 - (n > 0 ? n : 0));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        close(w->box->control);
        w->box->control = -1;
        return;
    }
    while (buffer_size(&w->from_control) >= FRAME_HEADER) {
        uint8_t *head = w->from_control.data + w->from_control.start;
        uint32_t len = get_u32(head + 1);
        if (len > 4096) return kill_sandbox(w, "the worker broke its protocol");
        if (buffer_size(&w->from_control) < FRAME_HEADER + (size_t)len) break;
        if (head[0] == 'R' && w->state == STARTING) {
            w->state = READY;
            w->mounts = hold_mounts(w->box);
            uint8_t pid[4];
            put_u32(pid, (uint32_t)w->box->pid);
            send_stats(w, 'U');
            frame(w, 'R', pid, sizeof pid);
        } else if (head[0] == 'D' && len >= 4 && w->state == RUNNING) {
            w->has_code = w->ended = 1;
            w->code = (int)get_u32(head + FRAME_HEADER);
            if (len >= 20) memcpy(&w->voluntary, head + 9, 8), memcpy(&w->involuntary, head + 17, 8);
        } else if (head[0] == 'N' && w->state == STARTING) {
            frame(w, 'N', head + FRAME_HEADER, len);
            return kill_sandbox(w, "the worker could not start");
        } else if (++w->strays > MAX_STRAYS)
            return kill_sandbox(w, "the worker broke its protocol");
        buffer_drop(&w->from_control, FRAME_HEADER + (size_t)len);
    }
}

/* A guest's worker has its control on a connection of its own (guest/keeper.h). */
static void take_control(struct watch *w, int fd) {
    if (w->box->control >= 0) close(w->box->control);
    w->box->control = fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* What was told before a run's end belongs to it. */
#define LAST_WORDS 64

/* 0 when nothing waits to be read. */
static int on_life(struct watch *w) {
    union {
        char text[600];
        struct life_exit exit;
    } message;
    int fds[MAX_PASSED], count = 0;
    int n = recv_fds(w->box->life, &message, sizeof message, fds, &count, NULL);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return 0;
        close(w->box->life);
        w->box->life = -1;
        kill_sandbox(w, "init has gone");
        return 0;
    }
    if (message.text[0] == 'w' && count == 1) w->workspace = fds[0];
    if (message.text[0] == 'c' && count == 1) take_control(w, fds[0]);
    if (message.text[0] == 'l') give_listener(w, fds, count);
    if (message.text[0] == 't' && count == 1) take_trace(w, fds[0]);
    if (message.text[0] == 'e') {
        frame(w, 'N', message.text + 1, (size_t)n - 1);
        kill_sandbox(w, "a step of the confinement failed");
    }
    if (message.text[0] == 'x' && n == (int)sizeof message.exit && !w->has_status) {
        w->has_status = w->ended = 1;
        if (w->state == STARTING) kill_sandbox(w, "the worker ended");
        w->status = message.exit.status;
        w->voluntary = message.exit.voluntary;
        w->involuntary = message.exit.involuntary;
    }
    return 1;
}

static void flush_input(struct watch *w) {
    struct sandbox *box = w->box;
    if (box->control >= 0 && buffer_flush(&w->to_control, box->control)) w->to_control.start = w->to_control.end;
    if (box->in >= 0 && buffer_flush(&w->to_stdin, box->in)) w->to_stdin.start = w->to_stdin.end; /* the program closed it */
    if (box->in >= 0 && w->state == RUNNING && w->stdin_ends && !buffer_size(&w->to_stdin)) {
        close(box->in);
        box->in = -1;
    }
}

/* For its first moments a run's frames are kept together: a short one then wakes its readers once and not five times. */
static int holding(const struct watch *w) {
    return w->state == RUNNING && buffer_size(&w->to_agent) < HOLD_BYTES && now_us() - w->started < HOLD_US;
}

static int wait_for_something(struct watch *w, struct pollfd polled[10]) {
    struct sandbox *box = w->box;
    int held = holding(w);
    int room = buffer_size(&w->to_agent) < BACKLOG;
    polled[0] = (struct pollfd){w->conn_gone ? -1 : box->conn, (short)(POLLIN | (buffer_size(&w->to_agent) && !held ? POLLOUT : 0)), 0};
    polled[1] = (struct pollfd){room ? w->out.fd : -1, POLLIN, 0};
    polled[2] = (struct pollfd){room ? w->err.fd : -1, POLLIN, 0};
    polled[3] = (struct pollfd){box->control, (short)(POLLIN | (buffer_size(&w->to_control) ? POLLOUT : 0)), 0};
    polled[4] = (struct pollfd){box->life, POLLIN, 0};
    polled[5] = (struct pollfd){box->init, POLLIN, 0};
    polled[6] = (struct pollfd){buffer_size(&w->to_stdin) ? box->in : -1, POLLOUT, 0};
    polled[7] = (struct pollfd){box->watcher, POLLIN, 0};
    polled[8] = (struct pollfd){w->killed ? -1 : box->relay, POLLIN, 0};
    polled[9] = (struct pollfd){w->trace, POLLIN, 0};
    int timeout = -1;
    if (w->deadline) {
        uint64_t now = now_us();
        timeout = w->deadline > now ? (int)((w->deadline - now) / 1000) + 1 : 0;
    }
    if (held && (timeout < 0 || timeout > HOLD_US / 1000)) timeout = HOLD_US / 1000;
    return poll(polled, 10, timeout);
}

static void step(struct watch *w) {
    struct pollfd polled[10];
    if (wait_for_something(w, polled) < 0) return;
    /* Output before ends: what was written before the program ended must be in front of its result. */
    if (polled[1].revents) pump(w, &w->out);
    if (polled[2].revents) pump(w, &w->err);
    if (polled[7].revents) on_watcher(w);
    if (polled[9].revents) on_trace(w);
    if (polled[4].revents) on_life(w);
    if (polled[3].revents) on_control(w);
    if (polled[0].revents & (POLLIN | POLLHUP | POLLERR)) on_agent(w);
    if (polled[5].revents) w->dead = 1;
    if (polled[8].revents) kill_sandbox(w, "the relay of its way out has died");
    if (w->deadline && now_us() >= w->deadline) {
        kill_sandbox(w, w->state == STARTING ? "the worker was not ready in time" : "wall clock");
        w->deadline = 0; /* or we would spin until it is dead */
    }
    flush_input(w);
    if (w->state == RUNNING && (w->ended || w->dead)) {
        for (int i = 0; w->box->life >= 0 && i < LAST_WORDS && on_life(w); i++) {}
        last_traces(w);
        end_run(w);
    }
    if (!w->conn_gone && !holding(w) && buffer_flush(&w->to_agent, w->box->conn)) w->conn_gone = 1, kill_sandbox(w, "the agent went away");
}

static void unblock(int fd) {
    if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
}

#define HEAR_OUT_US 2000000

/* The agent may still send the rest of an input that the program did not wait for. Were that refused, it would take what it was told last for lost. */
static void hear_out(int conn) {
    char rest[4096];
    struct timeval patience = {.tv_sec = 1};
    if (shutdown(conn, SHUT_WR) || setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience)) return;
    for (uint64_t end = now_us() + HEAR_OUT_US; now_us() < end && read(conn, rest, sizeof rest) > 0;) {}
}

void supervise(struct sandbox *box) {
    struct watch w = {.box = box, .workspace = -1, .trace = -1, .mounts = -1, .out = {.fd = box->out, .letter = 'O'}, .err = {.fd = box->err, .letter = 'E'}};
    w.deadline = now_us() + START_MS * 1000ull;
    unblock(box->conn), unblock(box->in), unblock(box->out), unblock(box->err), unblock(box->control), unblock(box->life);
    while (!w.dead && !(w.conn_gone && w.killed)) {
        step(&w);
        if (w.state == READY && w.deadline) w.deadline = 0;
    }
    await_death(&w);
    end_watcher(box);
    cgroup_remove(box->spec);
    if (w.state == STARTING && !w.conn_gone) report_no_start(&w);
    fcntl(box->conn, F_SETFL, 0);
    if (!w.conn_gone && !buffer_flush(&w.to_agent, box->conn)) hear_out(box->conn);
}

int make_channels(struct sandbox *box, int theirs[5]) {
    int in[2], out[2], err[2], control[2], life[2], on = 1;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) return -1;
    /* So that the program may open /dev/stdout and its like, which are these by another name. */
    uid_t uid = (uid_t)box->uid;
    if (fchown(in[0], uid, uid) || fchown(out[0], uid, uid) || fchown(err[0], uid, uid)) return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life)) return -1;
    /* So that the kernel tells us pids as we see them. */
    if (setsockopt(life[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on)) return -1;
    box->in = in[1], box->out = out[0], box->err = err[0], box->control = control[0], box->life = life[0];
    theirs[0] = in[0], theirs[1] = out[1], theirs[2] = err[1], theirs[3] = control[1], theirs[4] = life[1];
    return 0;
}

void report_and_exit(int conn, const char *step, const char *detail) {
    char text[FRAME_HEADER + 600];
    int n = snprintf(text + FRAME_HEADER, sizeof text - FRAME_HEADER, "%s: %s%s%s", step, strerror(errno), detail && *detail ? ": " : "", detail ? detail : "");
    text[0] = 'N';
    put_u32((uint8_t *)text + 1, (uint32_t)n);
    write_all(conn, text, FRAME_HEADER + (size_t)n);
    _exit(71);
}
