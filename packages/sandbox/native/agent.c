/* What the agent asks of a supervisor (the frames of supervise.h). */
#define _GNU_SOURCE
#include "cgroup.h"
#include "files.h"
#include "watch.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    last_traces(w);                /* and what was told before this run's first frame is not this run's */
    uint64_t limit = get_u32(p + 4);
    w->started = now_us();
    w->deadline = w->started + (uint64_t)get_u32(p) * 1000;
    w->out = (struct stream){.fd = w->out.fd, .letter = 'O', .left = limit};
    w->err = (struct stream){.fd = w->err.fd, .letter = 'E', .left = limit};
    w->stdin_ends = !(get_u32(p + 8) & 1);
    w->ended = w->has_status = w->has_code = w->cut_short = 0;
    count_anew(w);
    w->note[0] = 0;
    w->state = RUNNING;
    frame(w, 'S', NULL, 0);
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
    case 'I':
        buffer_add(&w->to_stdin, p, len);
        if (buffer_size(&w->to_stdin) > MAX_STDIN) kill_sandbox(w, "it was sent far more input than it read");
        break;
    case 'Z': w->stdin_ends = 1; break;
    case 'K':
        text = strndup((const char *)p, len);
        kill_sandbox(w, text && *text ? text : "killed");
        free(text);
        break;
    case 'z': freeze(w, len > 0 && p[0]); break;
    default:
        if (w->box->other) w->box->other(w->box, type, p, len);
    }
}

void on_agent(struct watch *w) {
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
