#define _GNU_SOURCE
#include "lists.h"
#include "glob.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most entries are plain paths: those are compared, and only globs walk an automaton. `head` bytes come before the first sign. */
struct entry {
    unsigned permissions;
    const char *text;
    size_t length, head;
    struct glob *glob;
};
static struct list {
    struct rule rule;
    int first, count;
} *lists;
static struct entry *entries;
static int list_count, entry_count;

static unsigned with_append(unsigned permissions) { return permissions & MAY_WRITE ? permissions | MAY_APPEND : permissions; }

static int read_entry(const struct record *r, struct entry *entry) {
    long permissions;
    errno = EINVAL;
    if (r->count < 3 || field_long(r, 1, &permissions)) return -1;
    const char *text = r->field[2].data;
    *entry = (struct entry){.permissions = with_append((unsigned)permissions), .text = text, .length = strlen(text), .head = strcspn(text, "*?[")};
    if (entry->head == entry->length) return 0;
    entry->glob = malloc(sizeof *entry->glob);
    return entry->glob ? glob_compile(entry->glob, text) : -1;
}

int lists_prepare(const struct watcher *w, int (*read_rule)(const struct record *r, struct rule *rule)) {
    int have_lists = 0, have_entries = 0;
    for (int i = 0; i < w->spec->count; i++) {
        have_lists += is_op(&w->spec->record[i], "watch-list");
        have_entries += is_op(&w->spec->record[i], "watch-allow");
    }
    lists = calloc((size_t)have_lists + 1, sizeof *lists);
    entries = calloc((size_t)have_entries + 1, sizeof *entries);
    if (!lists || !entries) return -1;
    for (int i = 0; i < w->spec->count; i++) {
        const struct record *r = &w->spec->record[i];
        if (is_op(r, "watch-list")) {
            lists[list_count].first = entry_count;
            if (r->count < 5 || read_rule(r, &lists[list_count].rule)) return -1;
            list_count++;
        } else if (is_op(r, "watch-allow")) {
            errno = EINVAL;
            if (!list_count || read_entry(r, &entries[entry_count])) return -1;
            entry_count++;
            lists[list_count - 1].count++;
        }
    }
    return 0;
}

static int names(const struct entry *entry, const char *path, size_t length) {
    if (!entry->glob) return length == entry->length && !memcmp(path, entry->text, length);
    if (length < entry->head || memcmp(path, entry->text, entry->head)) return 0;
    struct glob_states states = glob_after(entry->glob, path);
    return glob_accepts(entry->glob, &states);
}

/* A file whose name is gone is still what it was. A file that is only called so is given what that name would be: both are the program's own. */
static size_t length_before_deleted(const char *path, size_t length) {
    static const char gone[] = " (deleted)";
    size_t tail = sizeof gone - 1;
    return length > tail && !strcmp(path + length - tail, gone) ? length - tail : 0;
}

static unsigned given(const struct list *list, const char *path, unsigned asked) {
    char before[PATH_MAX];
    size_t length = strlen(path), without = length_before_deleted(path, length);
    unsigned have = 0;
    if (without && length < sizeof before) {
        memcpy(before, path, without);
        before[without] = 0;
    } else
        without = 0;
    for (const struct entry *entry = entries + list->first; entry < entries + list->first + list->count; entry++) {
        if (!(entry->permissions & asked & ~have)) continue;
        if (names(entry, path, length) || (without && names(entry, before, without))) have |= entry->permissions;
        if (!(asked & ~have)) break;
    }
    return have;
}

static unsigned missing(const struct list *list, const char *path, unsigned permissions) {
    unsigned asked = permissions & list->rule.permissions;
    /* What has no path (a pipe, a socket) was given to the program by whoever may use it. */
    if (!asked || *path != '/') return 0;
    return asked & ~given(list, path, asked);
}

static int hold(const struct call *call) { return list_count > 0 && atomic_load(&call->w->counts->began); }

static const struct rule *worse(const struct rule *known, const struct rule *other) { return known && (known->deny || !other->deny) ? known : other; }

const struct rule *lists_refuse(const struct call *call, const char *path, unsigned permissions) {
    const struct rule *found = NULL;
    if (!hold(call)) return NULL;
    for (const struct list *list = lists; list < lists + list_count; list++)
        if (missing(list, path, permissions)) found = worse(found, &list->rule);
    return found;
}

/* Whether something below the new name of a directory would be given what it is not given below the old one. */
static int gains_below(const struct list *list, const char *from, const char *to) {
    static char here[2 * PATH_MAX], there[PATH_MAX + 1];
    int length = snprintf(there, sizeof there, "%s/", to);
    for (const struct entry *entry = entries + list->first; entry < entries + list->first + list->count; entry++) {
        if (!entry->glob) {
            if (strncmp(entry->text, there, (size_t)length)) continue;
            snprintf(here, sizeof here, "%s/%s", from, entry->text + length);
            if (entry->permissions & list->rule.permissions & ~given(list, here, entry->permissions)) return 1;
            continue;
        }
        snprintf(here, sizeof here, "%s/", from);
        struct glob_states a = glob_after(entry->glob, here), b = glob_after(entry->glob, there);
        if (!glob_within(&b, &a)) return 1;
    }
    return 0;
}

const struct rule *lists_refuse_move(const struct call *call, const char *from, const char *to, int directory, const char **path) {
    const struct rule *found = NULL;
    if (!hold(call)) return NULL;
    for (const struct list *list = lists; list < lists + list_count; list++) {
        const char *blamed = missing(list, from, MAY_READ | MAY_WRITE) ? from : missing(list, to, MAY_WRITE) ? to : NULL;
        if (!blamed && directory && gains_below(list, from, to)) blamed = to;
        if (!blamed || worse(found, &list->rule) == found) continue;
        found = &list->rule;
        *path = blamed;
    }
    return found;
}

const struct rule *lists_refuse_link(const struct call *call, const char *from, const char *to) {
    const struct rule *found = NULL;
    if (!hold(call)) return NULL;
    for (const struct list *list = lists; list < lists + list_count; list++) {
        unsigned all = list->rule.permissions;
        if (given(list, to, all) & all & ~given(list, from, all)) found = worse(found, &list->rule);
    }
    return found;
}
