/*
 * Holding a program still. The freezer of the unified hierarchy stops every process of its cgroup before it would next run an
 * instruction of its own, each new one as it is forked, and whatever they send each other wakes none; a frozen process still dies
 * of SIGKILL, so that every way to end a sandbox stays as it is. Where there is no such hierarchy we say so, and the agent kills
 * instead.
 */
#define _GNU_SOURCE
#include "watch.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Who sleeps in a call that cannot be interrupted, or has no core to go on, is at rest later, if at all; neither runs any more. */
#define REST_US 3000
#define LOOK_US 50

enum answer { THAWED, FROZEN, RESTLESS };

static int set_frozen(const char *dir, const char *value) {
    char path[400];
    snprintf(path, sizeof path, "%s/cgroup.freeze", dir);
    return write_text(AT_FDCWD, path, value);
}

static int is_frozen(const char *dir) {
    char path[400], text[200];
    snprintf(path, sizeof path, "%s/cgroup.events", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    text[n > 0 ? n : 0] = 0;
    return strstr(text, "frozen 1") != NULL;
}

static enum answer hold(const char *dir) {
    if (set_frozen(dir, "1")) return RESTLESS;
    for (uint64_t until = now_us() + REST_US; !is_frozen(dir) && now_us() < until;) usleep(LOOK_US);
    return FROZEN;
}

void kill_together(struct watch *w) {
    const char *dir = spec_get(w->box->spec, "freezer", 1, NULL);
    char path[400];
    if (!dir) return;
    snprintf(path, sizeof path, "%s/cgroup.kill", dir);
    write_text(AT_FDCWD, path, "1");
}

void freeze(struct watch *w, int wanted) {
    const char *dir = spec_get(w->box->spec, "freezer", 1, NULL);
    uint8_t answer = RESTLESS;
    if (dir && w->state == RUNNING && !w->killed && !w->dead) answer = (uint8_t)(wanted ? hold(dir) : set_frozen(dir, "0") ? RESTLESS : THAWED);
    frame(w, 'z', &answer, 1);
}
