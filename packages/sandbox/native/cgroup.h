/*
 * The supervisor's cgroups. Records: cgroup DIR (made now, removed at the end), cgset PATH VALUE, cgjoin PATH (a
 * cgroup.procs), cgjoin-program PATH (the same, but its watcher stays outside and answers while the program is frozen, freeze.c), knob NAME
 * PATH (may be written per run), stat NAME PATH (read at the end of each run), freezer DIR (of the unified hierarchy).
 */
#ifndef PLASTRON_CGROUP_H
#define PLASTRON_CGROUP_H
#include "wire.h"

/* 0, or -1 with errno; `what` names the path. */
int cgroup_make(const struct spec *spec, const char **what);
int cgroup_join(const struct spec *spec, int pid, const char **what);
/* Into those alone that limit: for what belongs to a sandbox and is not of its program. */
int cgroup_limit(const struct spec *spec, int pid, const char **what);
int cgroup_write(const struct spec *spec, const char *knob, const char *value);
/* Removes the directories, waiting up to 5 s for the last dead process to leave. */
void cgroup_remove(const struct spec *spec);
#endif
