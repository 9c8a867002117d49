/* The end of a run: the last output, the artefacts, the counters, the result. */
#define _GNU_SOURCE
#include "files.h"
#include "watch.h"
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

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

/* Opened before a program is there and kept: at a run's end, which somebody waits for, each costs one call. */
void send_stats(struct watch *w, char type) {
    char content[8192];
    int place = 0;
    for (int i = 0; i < w->box->spec->count && place < MAX_STATS; i++) {
        const struct record *r = &w->box->spec->record[i];
        if (r->count < 3 || !is_op(r, "stat")) continue;
        int *kept = &w->stats[place++];
        if (!*kept) *kept = open(r->field[2].data, O_RDONLY | O_CLOEXEC);
        ssize_t n = *kept < 0 ? -1 : pread(*kept, content, sizeof content, 0);
        if (n < 0) continue;
        frame_head(w, type, r->field[1].len + 1 + (size_t)n);
        buffer_add(&w->to_agent, r->field[1].data, r->field[1].len + 1);
        buffer_add(&w->to_agent, content, (size_t)n);
    }
}

/* So that the next run of a session has a peak of its own. Kernels that cannot (cgroup v2 before 6.12) keep the session's. */
static void forget_peak(const struct spec *spec) {
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (r->count > 2 && is_op(r, "stat") && !strcmp(r->field[1].data, "memory_peak") && write_text(AT_FDCWD, r->field[2].data, "0")) return;
    }
}

static void send_result(struct watch *w, uint64_t wall, int over, unsigned long dropped) {
    struct statfs space = {0};
    char text[600];
    int full = w->workspace >= 0 && !fstatfs(w->workspace, &space) && (!space.f_bfree || !space.f_ffree);
    int n = snprintf(text, sizeof text, "wall_us %llu\nvoluntary %lld\ninvoluntary %lld\nout_truncated %d\nerr_truncated %d\nworkspace_full %d\nfiles_cut %d\nover %d\n",
                     (unsigned long long)wall, w->voluntary, w->involuntary, w->out.truncated, w->err.truncated, full, w->cut_short, over);
    if (w->has_code) n += snprintf(text + n, sizeof text - (size_t)n, "code %d\n", w->code);
    if (w->has_status) n += snprintf(text + n, sizeof text - (size_t)n, "status %d\n", w->status);
    if (dropped) n += snprintf(text + n, sizeof text - (size_t)n, "violations_dropped %lu\n", dropped);
    if (w->note[0]) n += snprintf(text + n, sizeof text - (size_t)n, "%s\n", w->note);
    if (w->reason[0]) n += snprintf(text + n, sizeof text - (size_t)n, "reason %s\n", w->reason);
    frame(w, 'X', text, (size_t)n);
}

void await_death(struct watch *w) {
    struct pollfd gone = {w->box->init, POLLIN, 0};
    kill_sandbox(w, NULL);
    if (w->box->init >= 0 && !w->dead) poll(&gone, 1, 10000);
    w->dead = 1;
}

void end_run(struct watch *w) {
    uint64_t wall = now_us() - w->started;
    int over = !w->box->session || w->has_status || w->killed || w->dead;
    drain(w);
    if (buffer_size(&w->globs)) {
        if (over) await_death(w); /* nobody can change the files any more */
        w->cut_short = collect_files(w->workspace, (char *)w->globs.data, (uint32_t)buffer_size(&w->globs), w->collect_budget, send_artifact, w);
        w->globs.start = w->globs.end = 0;
    }
    unsigned long dropped = stop_counting(w);
    send_stats(w, 'T');
    send_result(w, wall, over, dropped);
    if (w->box->session) forget_peak(w->box->spec);
    w->state = READY;
    w->deadline = 0;
    if (over) kill_sandbox(w, NULL);
}

void report_no_start(struct watch *w) {
    char text[700];
    while (pump(w, &w->err)) {}
    int n = snprintf(text, sizeof text, "start: the sandbox ended before it was ready: %s", w->reason);
    if (w->has_status) n += snprintf(text + n, sizeof text - (size_t)n, ", wait status %d", w->status);
    if (w->complaint[0]) n += snprintf(text + n, sizeof text - (size_t)n, ": %s", w->complaint);
    frame(w, 'N', text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}
