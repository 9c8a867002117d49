#define _GNU_SOURCE
#include "cgroup.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cgroup_make(const struct spec *spec, const char **what) {
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (r->count < 2) continue;
        *what = r->field[1].data;
        if (is_op(r, "cgroup") && mkdir(*what, 0755) && errno != EEXIST) return -1;
        if (is_op(r, "cgset") && r->count > 2 && write_text(AT_FDCWD, *what, r->field[2].data)) return -1;
    }
    return 0;
}

static int join(const struct spec *spec, const char *op, int pid, const char **what) {
    char text[16];
    snprintf(text, sizeof text, "%d", pid);
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (r->count < 2 || !is_op(r, op)) continue;
        *what = r->field[1].data;
        if (write_text(AT_FDCWD, *what, text)) return -1;
    }
    return 0;
}

int cgroup_limit(const struct spec *spec, int pid, const char **what) { return join(spec, "cgjoin", pid, what); }

int cgroup_join(const struct spec *spec, int pid, const char **what) {
    return cgroup_limit(spec, pid, what) || join(spec, "cgjoin-program", pid, what) ? -1 : 0;
}

int cgroup_write(const struct spec *spec, const char *knob, const char *value) {
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (r->count > 2 && is_op(r, "knob") && !strcmp(r->field[1].data, knob)) return write_text(AT_FDCWD, r->field[2].data, value);
    }
    errno = ENOENT;
    return -1;
}

void cgroup_remove(const struct spec *spec) {
    for (int tries = 0, busy = 1; busy && tries < 500; tries++) {
        busy = 0;
        for (int i = spec->count - 1; i >= 0; i--) {
            const struct record *r = &spec->record[i];
            if (r->count > 1 && is_op(r, "cgroup") && rmdir(r->field[1].data) && errno == EBUSY) busy = 1;
        }
        if (busy) usleep(tries < 20 ? 1000 : 10000);
    }
}
