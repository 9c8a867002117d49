/*
 * Holding a program still. The freezer of the unified hierarchy stops every process of its cgroup, each new one as it is forked,
 * and whatever they send each other wakes none; a frozen process still dies of SIGKILL, so that every way to end a sandbox
 * stays as it is. Where there is none, or something inside does not come to rest, it says so and the agent kills instead.
 */
#define _GNU_SOURCE
#include "watch.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TRIES 4
#define REST_US 5000 /* in which all come to rest where nothing holds one of them in a call */
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

static int comes_to_rest(const char *dir) {
    for (uint64_t until = now_us() + REST_US; now_us() < until; usleep(LOOK_US))
        if (is_frozen(dir)) return 1;
    return is_frozen(dir);
}

/* A call that the watcher was about to answer holds its caller where the freezer does not count it as at rest (on version 2 the
 * watcher has to share the cgroup): it gets to answer, and then the next try. */
static enum answer hold(const char *dir) {
    for (int i = 0; i < TRIES; i++) {
        if (set_frozen(dir, "1")) return RESTLESS;
        if (comes_to_rest(dir)) return FROZEN;
        set_frozen(dir, "0");
        usleep(LOOK_US);
    }
    return RESTLESS;
}

void freeze(struct watch *w, int wanted) {
    const char *dir = spec_get(w->box->spec, "freezer", 1, NULL);
    uint8_t answer = RESTLESS;
    if (dir && w->state == RUNNING && !w->killed && !w->dead) answer = (uint8_t)(wanted ? hold(dir) : set_frozen(dir, "0") ? RESTLESS : THAWED);
    frame(w, 'z', &answer, 1);
}
