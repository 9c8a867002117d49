/* Rules on paths, for the broker: canonical paths inside the sandbox are judged, never what the program wrote. */
#ifndef PLASTRON_RULES_H
#define PLASTRON_RULES_H
#include "lists.h"
#include "notify.h"
#include <limits.h>

/* Compiles the `watch-path` records and the lists. -1 with errno when one cannot be. */
int rules_prepare(const struct watcher *w);
/* The canonical path of what is open as `fd` (not always absolute: pipes, sockets). 0 or an errno below zero. */
int canonical(const struct watcher *w, int fd, char out[PATH_MAX]);
/* The canonical path of `name` in the directory open as `fd`. */
int canonical_in(const struct watcher *w, int fd, const char *name, char out[PATH_MAX]);

/* A rule was hit: recorded if that is asked for; 0 or an errno below zero. */
int hit(const struct call *call, const struct rule *rule, unsigned permissions, const char *path, const char *other);
/* Each returns 0 or an errno below zero, and records what is to be recorded. */
int may(const struct call *call, const char *path, unsigned permissions);
/*
 * A change of names must not change which rules that deny hold for a thing, or for anything below it: else a file could be
 * carried out from under its rule, or into a place that must not be changed - also later, by a call judged before and done after.
 */
int may_rename(const struct call *call, const char *from, const char *to, int directory);
int may_link(const struct call *call, const char *from, const char *to);
#endif
