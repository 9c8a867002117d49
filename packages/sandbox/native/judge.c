/* What a watched call means: packages/contracts/watch.ts, watchedCallSchema. All that is judged is in registers, so nothing can
 * change behind our back. Strings of the caller are read for the record alone: a race can change what it says, never what happens. */
#define _GNU_SOURCE
#include "caller.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t number(const struct record *r, int i) { return i < r->count ? strtoull(r->field[i].data, NULL, 10) : 0; }

static int holds(const struct record *r, const uint64_t args[6]) {
    uint64_t index = number(r, 1), width = number(r, 2), mask = number(r, 4), value = number(r, 5);
    const char *op = r->count > 5 ? r->field[3].data : "";
    if (index > 5) return 0;
    uint64_t argument = width == 64 ? args[index] : args[index] & ((1ull << width) - 1);
    if (!strcmp(op, "eq")) return argument == value;
    if (!strcmp(op, "ne")) return argument != value;
    if (!strcmp(op, "lt")) return argument < value;
    if (!strcmp(op, "le")) return argument <= value;
    if (!strcmp(op, "gt")) return argument > value;
    if (!strcmp(op, "ge")) return argument >= value;
    if (!strcmp(op, "masked_eq")) return (argument & mask) == value;
    if (!strcmp(op, "any_bits")) return (argument & mask) != 0;
    return 0;
}

#define CALLS 1024

/* Where the record of a call is, or -1. Looked for once: a flood asks often. */
static int find_call(const struct spec *spec, int nr) {
    static int place[CALLS], filled;
    for (int i = spec->count - 1; i >= 0 && !filled; i--) {
        uint64_t call = is_op(&spec->record[i], "watch-call") ? number(&spec->record[i], 1) : CALLS;
        if (call < CALLS) place[call] = i + 1;
    }
    filled = 1;
    return nr >= 0 && nr < CALLS ? place[nr] - 1 : -1;
}

/* One string of the caller, as much of it as a path may have; empty where it is not there. */
static const char *told(const struct call *call, uint64_t address, char into[PATH_MAX]) {
    memset(into, 0, PATH_MAX);
    int failed = address ? caller_path(call, address, into, 1) : -EFAULT;
    return failed && failed != -ENAMETOOLONG ? NULL : into;
}

/* A call that mounts: what, or where, and the type of the file system. Not read once enough is recorded: a flood would be paid here. */
static void record_judged(const struct call *call, int rule, int denied) {
    static char text[2][PATH_MAX];
    const uint64_t *args = call->args;
    const char *path = NULL, *type = NULL;
    if (has_room(call->w->counts, rule, (uint32_t)denied)) switch (call->nr) {
        case SYS_mount: path = told(call, args[0], text[0]), type = told(call, args[2], text[1]); break;
        case SYS_umount2: path = told(call, args[0], text[0]); break;
        case SYS_fsopen: type = told(call, args[0], text[1]); break;
        case SYS_move_mount: case SYS_open_tree: case SYS_fspick: case SYS_mount_setattr: path = told(call, args[1], text[0]); break;
        }
    if (!still_waits(call)) path = type = NULL; /* another process may have its number by now, and its memory is not ours to tell */
    record(call, rule, denied, 0, path, type);
}

int judge_call(const struct call *call, int *known) {
    const struct spec *spec = call->w->spec;
    int at = find_call(spec, call->nr), verdict = -1;
    long rule = -1;
    *known = at >= 0;
    if (at < 0) return 0;
    const struct record *head = &spec->record[at++];
    while (at < spec->count && is_op(&spec->record[at], "watch-entry") && (verdict < 0 || rule < 0)) {
        const struct record *entry = &spec->record[at++];
        int fits = !number(entry, 3) || atomic_load(&call->w->counts->began);
        for (; at < spec->count && is_op(&spec->record[at], "watch-when"); at++) fits = fits && holds(&spec->record[at], call->args);
        if (!fits) continue;
        if (verdict < 0) verdict = (int)number(entry, 1);
        if (rule < 0 && field_long(entry, 2, &rule)) rule = -1;
    }
    if (verdict < 0) verdict = (int)number(head, 2);
    if (rule >= 0) record_judged(call, (int)rule, verdict != 0);
    return verdict;
}

static size_t add_path(uint8_t *at, const char *path) {
    size_t len = path ? strnlen(path, 4096) : 0;
    put_u32(at, (uint32_t)len);
    if (len) memcpy(at + 4, path, len);
    return 4 + len;
}

void record(const struct call *call, int rule, int denied, unsigned permissions, const char *path, const char *other) {
    const struct watcher *w = call->w;
    static uint8_t message[1 + MAX_VIOLATION];
    struct violation v = {.rule = rule, .denied = (uint32_t)denied, .pid = (uint32_t)call->tid, .nr = call->nr, .mount_namespace = w->mount_namespace, .permissions = permissions};
    char name[32];
    if (!has_room(w->counts, rule, v.denied)) {
        atomic_fetch_add(&w->counts->dropped, 1);
        return;
    }
    memcpy(v.args, call->args, sizeof v.args);
    snprintf(name, sizeof name, "%d/comm", call->tid);
    int fd = openat(w->proc, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, v.comm, sizeof v.comm);
    if (n > 0) v.comm[n - 1] = 0; /* its line feed */
    if (fd >= 0) close(fd);
    message[0] = 'v';
    memcpy(message + 1, &v, sizeof v);
    size_t len = 1 + sizeof v;
    len += add_path(message + len, path);
    len += add_path(message + len, other);
    /* The supervisor is behind: it is not waited for, since the program would wait too. */
    if (send(w->channel, message, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len) atomic_fetch_add(&w->counts->dropped, 1);
}
