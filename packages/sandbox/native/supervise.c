#define _GNU_SOURCE
#include "supervise.h"
#include "buffer.h"
#include "cgroup.h"
#include "files.h"
#include "life.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536
#define BACKLOG (1u << 20)          /* stop reading output while the agent has this much to take */
#define START_MS 30000              /* a worker that is not ready by then never will be */

enum state { STARTING, READY, RUNNING };

struct stream {
    int fd;
    char letter;
    uint64_t left;
    int truncated;
};

struct watch {
    struct sandbox *box;
    enum state state;
    struct stream out, err;
    struct buffer to_agent, from_agent, to_stdin, to_control, from_control, globs;
    uint32_t collect_budget;
    int stdin_ends, killed, dead, conn_gone;
    uint64_t started, deadline;
    int ended, has_status, status, has_code, code, workspace;
    long long voluntary, involuntary;
    char reason[160];
    char complaint[400]; /* what the worker wrote to stderr before it was ready */
};

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void frame_head(struct watch *w, char type, size_t len) {
    uint8_t head[FRAME_HEADER] = {(uint8_t)type};
    put_u32(head + 1, (uint32_t)len);
    buffer_add(&w->to_agent, head, sizeof head);
}

static void frame(struct watch *w, char type, const void *bytes, size_t len) {
    frame_head(w, type, len);
    buffer_add(&w->to_agent, bytes, len);
}

static void kill_sandbox(struct watch *w, const char *reason) {
    if (w->killed) return;
    w->killed = 1;
    if (reason && !w->reason[0]) snprintf(w->reason, sizeof w->reason, "%s", reason);
    /* Killing pid 1 kills every process of the namespace, however deep it forked. */
    if (w->box->init >= 0) syscall(SYS_pidfd_send_signal, w->box->init, SIGKILL, NULL, 0);
}

static void close_stream(struct stream *s) {
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

/* One read of a stream; 0 when there is nothing now (or no more). What is over the limit is thrown away, so that the
 * program runs on to its own end; its wall clock bounds how long that can take. */
static int pump(struct watch *w, struct stream *s) {
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
static void drain(struct watch *w) {
    for (int i = 0; i < 256 && pump(w, &w->out); i++) {}
    for (int i = 0; i < 256 && pump(w, &w->err); i++) {}
}

/* ---- the agent's frames ---- */

static void on_file(struct watch *w, const uint8_t *p, uint32_t len) {
    char path[1100];
    uint32_t mode = len >= 8 ? get_u32(p) : 0, size = len >= 8 ? get_u32(p + 4) : 0;
    if (len < 8 || size > len - 8 || size >= sizeof path) return kill_sandbox(w, "malformed file frame");
    memcpy(path, p + 8, size);
    path[size] = 0;
    if (put_file(w->workspace, path, mode, (uid_t)w->box->uid, p + 8 + size, len - 8 - size)) {
        char text[1300];
        int n = snprintf(text, sizeof text, "file in: %s: %s", strerror(errno), path);
        frame(w, 'N', text, (size_t)n);
        kill_sandbox(w, "a file could not be put into the workspace");
    }
}

static void on_begin(struct watch *w, const uint8_t *p, uint32_t len) {
    if (len < 12 || w->state != READY) return kill_sandbox(w, "unexpected begin frame");
    if (w->box->session) drain(w); /* what a background job said between two runs is nobody's */
    uint64_t limit = get_u32(p + 4);
    w->started = now_us();
    w->deadline = w->started + (uint64_t)get_u32(p) * 1000;
    w->out = (struct stream){.fd = w->out.fd, .letter = 'O', .left = limit};
    w->err = (struct stream){.fd = w->err.fd, .letter = 'E', .left = limit};
    w->stdin_ends = !(get_u32(p + 8) & 1);
    w->ended = w->has_status = w->has_code = 0;
    w->state = RUNNING;
    buffer_add(&w->to_control, p + 12, len - 12);
}

static void on_frame(struct watch *w, char type, const uint8_t *p, uint32_t len) {
    char *text;
    switch (type) {
    case 'W':
        text = strndup((const char *)p, len);
        if (text && strlen(text) < len) {
            char *value = strndup((const char *)p + strlen(text) + 1, len - strlen(text) - 1);
            if (value && cgroup_write(w->box->spec, text, value)) kill_sandbox(w, "a limit could not be set");
            free(value);
        }
        free(text);
        break;
    case 'F': on_file(w, p, len); break;
    case 'C':
        w->globs.start = w->globs.end = 0;
        w->collect_budget = len >= 4 ? get_u32(p) : 0;
        if (len > 4) buffer_add(&w->globs, p + 4, len - 4), buffer_add(&w->globs, "", 1);
        break;
    case 'B': on_begin(w, p, len); break;
    case 'I': buffer_add(&w->to_stdin, p, len); break;
    case 'Z': w->stdin_ends = 1; break;
    case 'K':
        text = strndup((const char *)p, len);
        kill_sandbox(w, text && *text ? text : "killed");
        free(text);
        break;
    default:
        if (w->box->other) w->box->other(w->box, type, p, len);
    }
}

static void on_agent(struct watch *w) {
    uint8_t *space = buffer_grow(&w->from_agent, CHUNK);
    ssize_t n = space ? read(w->box->conn, space, CHUNK) : 0;
    w->from_agent.end -= (size_t)(CHUNK - (n > 0 ? n : 0));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        w->conn_gone = 1;
        return kill_sandbox(w, "the agent went away");
    }
    while (buffer_size(&w->from_agent) >= FRAME_HEADER) {
        uint8_t *head = w->from_agent.data + w->from_agent.start;
        uint32_t len = get_u32(head + 1);
        if (len > MAX_FRAME) return kill_sandbox(w, "frame too long");
        if (buffer_size(&w->from_agent) < FRAME_HEADER + (size_t)len) break;
        on_frame(w, (char)head[0], head + FRAME_HEADER, len);
        buffer_drop(&w->from_agent, FRAME_HEADER + (size_t)len);
    }
}

/* ---- the sandbox's side ---- */

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
            frame(w, 'R', NULL, 0);
        } else if (head[0] == 'D' && len >= 4 && w->state == RUNNING) {
            w->has_code = w->ended = 1;
            w->code = (int)get_u32(head + FRAME_HEADER);
            if (len >= 20) memcpy(&w->voluntary, head + 9, 8), memcpy(&w->involuntary, head + 17, 8);
        } else if (head[0] == 'N' && w->state == STARTING) {
            frame(w, 'N', head + FRAME_HEADER, len);
            return kill_sandbox(w, "the worker could not start");
        }
        buffer_drop(&w->from_control, FRAME_HEADER + (size_t)len);
    }
}

static void on_life(struct watch *w) {
    union {
        char text[600];
        struct life_exit exit;
    } message;
    int fds[MAX_PASSED], count = 0;
    int n = recv_fds(w->box->life, &message, sizeof message, fds, &count, NULL);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) return;
        close(w->box->life);
        w->box->life = -1;
        return kill_sandbox(w, "init has gone");
    }
    if (message.text[0] == 'w' && count == 1) w->workspace = fds[0];
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
}

/* ---- the end of a run ---- */

static void send_artifact(void *context, const char *path, uint64_t size, const uint8_t *bytes, uint32_t len) {
    struct watch *w = context;
    uint8_t head[12];
    size_t name = strlen(path);
    frame_head(w, 'A', 4 + name + 8 + len);
    put_u32(head, (uint32_t)name);
    buffer_add(&w->to_agent, head, 4);
    buffer_add(&w->to_agent, path, name);
    put_u32(head, (uint32_t)size);
    put_u32(head + 4, (uint32_t)(size >> 32));
    buffer_add(&w->to_agent, head, 8);
    buffer_add(&w->to_agent, bytes, len);
}

static void send_stats(struct watch *w) {
    char content[8192];
    for (int i = 0; i < w->box->spec->count; i++) {
        const struct record *r = &w->box->spec->record[i];
        if (r->count < 3 || !is_op(r, "stat")) continue;
        int fd = open(r->field[2].data, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, content, sizeof content);
        if (fd >= 0) close(fd);
        if (n < 0) continue;
        frame_head(w, 'T', r->field[1].len + 1 + (size_t)n);
        buffer_add(&w->to_agent, r->field[1].data, r->field[1].len + 1);
        buffer_add(&w->to_agent, content, (size_t)n);
    }
}

static void send_result(struct watch *w, uint64_t wall, int over) {
    struct statfs space = {0};
    char text[512];
    int full = w->workspace >= 0 && !fstatfs(w->workspace, &space) && (!space.f_bfree || !space.f_ffree);
    int n = snprintf(text, sizeof text, "wall_us %llu\nvoluntary %lld\ninvoluntary %lld\nout_truncated %d\nerr_truncated %d\nworkspace_full %d\nover %d\n",
                     (unsigned long long)wall, w->voluntary, w->involuntary, w->out.truncated, w->err.truncated, full, over);
    if (w->has_code) n += snprintf(text + n, sizeof text - (size_t)n, "code %d\n", w->code);
    if (w->has_status) n += snprintf(text + n, sizeof text - (size_t)n, "status %d\n", w->status);
    if (w->reason[0]) n += snprintf(text + n, sizeof text - (size_t)n, "reason %s\n", w->reason);
    frame(w, 'X', text, (size_t)n);
}

static void await_death(struct watch *w) {
    struct pollfd gone = {w->box->init, POLLIN, 0};
    kill_sandbox(w, NULL);
    if (w->box->init >= 0 && !w->dead) poll(&gone, 1, 10000);
    w->dead = 1;
}

static void end_run(struct watch *w) {
    uint64_t wall = now_us() - w->started;
    int over = !w->box->session || w->has_status || w->killed || w->dead;
    drain(w);
    if (buffer_size(&w->globs)) {
        if (over) await_death(w); /* nobody can change the files any more */
        collect_files(w->workspace, (char *)w->globs.data, (uint32_t)buffer_size(&w->globs), w->collect_budget, send_artifact, w);
        w->globs.start = w->globs.end = 0;
    }
    send_stats(w);
    send_result(w, wall, over);
    w->state = READY;
    w->deadline = 0;
    if (over) kill_sandbox(w, NULL);
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

static int wait_for_something(struct watch *w, struct pollfd polled[7]) {
    struct sandbox *box = w->box;
    int room = buffer_size(&w->to_agent) < BACKLOG;
    polled[0] = (struct pollfd){w->conn_gone ? -1 : box->conn, (short)(POLLIN | (buffer_size(&w->to_agent) ? POLLOUT : 0)), 0};
    polled[1] = (struct pollfd){room ? w->out.fd : -1, POLLIN, 0};
    polled[2] = (struct pollfd){room ? w->err.fd : -1, POLLIN, 0};
    polled[3] = (struct pollfd){box->control, (short)(POLLIN | (buffer_size(&w->to_control) ? POLLOUT : 0)), 0};
    polled[4] = (struct pollfd){box->life, POLLIN, 0};
    polled[5] = (struct pollfd){box->init, POLLIN, 0};
    polled[6] = (struct pollfd){buffer_size(&w->to_stdin) ? box->in : -1, POLLOUT, 0};
    int timeout = -1;
    if (w->deadline) {
        uint64_t now = now_us();
        timeout = w->deadline > now ? (int)((w->deadline - now) / 1000) + 1 : 0;
    }
    return poll(polled, 7, timeout);
}

static void step(struct watch *w) {
    struct pollfd polled[7];
    if (wait_for_something(w, polled) < 0) return;
    /* Output before ends: what was written before the program ended must be in front of its result. */
    if (polled[1].revents) pump(w, &w->out);
    if (polled[2].revents) pump(w, &w->err);
    if (polled[4].revents) on_life(w);
    if (polled[3].revents) on_control(w);
    if (polled[0].revents & (POLLIN | POLLHUP | POLLERR)) on_agent(w);
    if (polled[5].revents) w->dead = 1;
    if (w->deadline && now_us() >= w->deadline) kill_sandbox(w, w->state == STARTING ? "the worker was not ready in time" : "wall clock");
    flush_input(w);
    if (w->state == RUNNING && (w->ended || w->dead)) end_run(w);
    if (!w->conn_gone && buffer_flush(&w->to_agent, w->box->conn)) w->conn_gone = 1, kill_sandbox(w, "the agent went away");
}

static void unblock(int fd) {
    if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void report_no_start(struct watch *w) {
    char text[700];
    while (pump(w, &w->err)) {}
    int n = snprintf(text, sizeof text, "start: the sandbox ended before it was ready: %s", w->reason);
    if (w->has_status) n += snprintf(text + n, sizeof text - (size_t)n, ", wait status %d", w->status);
    if (w->complaint[0]) n += snprintf(text + n, sizeof text - (size_t)n, ": %s", w->complaint);
    frame(w, 'N', text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

void supervise(struct sandbox *box) {
    struct watch w = {.box = box, .workspace = -1, .out = {.fd = box->out, .letter = 'O'}, .err = {.fd = box->err, .letter = 'E'}};
    w.deadline = now_us() + START_MS * 1000ull;
    unblock(box->conn), unblock(box->in), unblock(box->out), unblock(box->err), unblock(box->control), unblock(box->life);
    while (!w.dead && !(w.conn_gone && w.killed)) {
        step(&w);
        if (w.state == READY && w.deadline) w.deadline = 0;
    }
    await_death(&w);
    cgroup_remove(box->spec);
    if (w.state == STARTING && !w.conn_gone) report_no_start(&w);
    fcntl(box->conn, F_SETFL, 0);
    if (!w.conn_gone) buffer_flush(&w.to_agent, box->conn);
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
