#define _GNU_SOURCE
#include "rules.h"
#include "glob.h"
#include "lists.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTENT (MAY_READ | MAY_WRITE | MAY_APPEND)
#define CHANGES (MAY_WRITE | MAY_APPEND)

static struct path_rule {
    struct rule rule;
    struct glob glob;
} *rules;
static int rule_count;

static int read_rule(const struct record *r, struct rule *rule) {
    long id, permissions, deny, report;
    errno = EINVAL;
    if (field_long(r, 1, &id) || field_long(r, 2, &permissions) || field_long(r, 3, &deny) || field_long(r, 4, &report)) return -1;
    *rule = (struct rule){.id = (int)id, .deny = deny != 0, .report = report != 0, .permissions = (unsigned)permissions};
    return 0;
}

int rules_prepare(const struct watcher *w) {
    int count = 0;
    for (int i = 0; i < w->spec->count; i++) count += is_op(&w->spec->record[i], "watch-path");
    rules = calloc((size_t)count + 1, sizeof *rules);
    for (int i = 0; rules && i < w->spec->count; i++) {
        const struct record *r = &w->spec->record[i];
        struct path_rule *rule = &rules[rule_count];
        if (!is_op(r, "watch-path")) continue;
        if (r->count < 6 || read_rule(r, &rule->rule) || glob_compile(&rule->glob, r->field[5].data)) return -1;
        rule_count++;
    }
    return rules ? lists_prepare(w, read_rule) : -1;
}

int canonical(const struct watcher *w, int fd, char out[PATH_MAX]) {
    char name[32];
    snprintf(name, sizeof name, "self/fd/%d", fd);
    ssize_t n = readlinkat(w->proc, name, out, PATH_MAX);
    if (n < 0) return -errno;
    if (n == PATH_MAX) return -ENAMETOOLONG; /* what cannot be named cannot be judged */
    out[n] = 0;
    return 0;
}

int canonical_in(const struct watcher *w, int fd, const char *name, char out[PATH_MAX]) {
    int failed = canonical(w, fd, out);
    size_t have = strlen(out), more = strlen(name);
    while (more && name[more - 1] == '/') more--;
    if (failed) return failed;
    if (have == 1 && *out == '/') have = 0;
    if (have + 1 + more >= PATH_MAX) return -ENAMETOOLONG;
    out[have] = '/';
    memcpy(out + have + 1, name, more);
    out[have + 1 + more] = 0;
    return 0;
}

static int fits(const struct path_rule *rule, const char *path) {
    struct glob_states states = glob_after(&rule->glob, path);
    return glob_accepts(&rule->glob, &states);
}

/* A file whose name is gone is still what it was; a file may also be called so. Both are looked at. */
static int concerns(const struct path_rule *rule, const char *path) {
    static const char gone[] = " (deleted)";
    size_t len = strlen(path), tail = sizeof gone - 1;
    char before[PATH_MAX];
    if (fits(rule, path)) return 1;
    if (len <= tail || len >= PATH_MAX || strcmp(path + len - tail, gone)) return 0;
    memcpy(before, path, len - tail);
    before[len - tail] = 0;
    return fits(rule, before);
}

int hit(const struct call *call, const struct rule *rule, unsigned permissions, const char *path, const char *other) {
    if (rule->report) record(call, rule->id, rule->deny, permissions & (rule->permissions | DID_CREATE | DID_RENAME | DID_LINK), path, other);
    return rule->deny ? -EACCES : 0;
}

int may(const struct call *call, const char *path, unsigned permissions) {
    const struct rule *noted = NULL;
    for (const struct path_rule *each = rules; each < rules + rule_count; each++) {
        const struct rule *rule = &each->rule;
        if (!(rule->permissions & permissions) || (noted && !rule->deny) || !concerns(each, path)) continue;
        if (rule->deny) return hit(call, rule, permissions, path, NULL);
        if (rule->report) noted = rule;
    }
    const struct rule *unlisted = lists_refuse(call, path, permissions);
    if (unlisted && (unlisted->deny || !noted)) noted = unlisted;
    return noted ? hit(call, noted, permissions, path, NULL) : 0;
}

static int differs_below(const struct path_rule *each, const char *from, const char *to) {
    char here[PATH_MAX + 1], there[PATH_MAX + 1];
    snprintf(here, sizeof here, "%s/", from);
    snprintf(there, sizeof there, "%s/", to);
    struct glob_states a = glob_after(&each->glob, here), b = glob_after(&each->glob, there);
    return !glob_within(&a, &b) || (each->rule.permissions & CHANGES && !glob_within(&b, &a));
}

int may_rename(const struct call *call, const char *from, const char *to, int directory) {
    const unsigned did = MAY_WRITE | DID_RENAME;
    const struct rule *noted = NULL;
    const char *noted_path = from;
    for (const struct path_rule *each = rules; each < rules + rule_count; each++) {
        const struct rule *rule = &each->rule;
        int source = concerns(each, from), target = concerns(each, to);
        if (rule->deny) {
            if (!(rule->permissions & CONTENT)) continue;
            if (source || (directory && differs_below(each, from, to))) return hit(call, rule, did, from, to);
            if (target && rule->permissions & CHANGES) return hit(call, rule, did, to, from);
        } else if (!noted && rule->report && rule->permissions & MAY_WRITE && (source || target))
            noted = rule, noted_path = source ? from : to;
    }
    const char *unlisted_path = from;
    const struct rule *unlisted = lists_refuse_move(call, from, to, directory, &unlisted_path);
    if (unlisted && (unlisted->deny || !noted)) noted = unlisted, noted_path = unlisted_path;
    return noted ? hit(call, noted, did, noted_path, noted_path == from ? to : from) : 0;
}

int may_link(const struct call *call, const char *from, const char *to) {
    const unsigned did = MAY_WRITE | DID_LINK;
    for (const struct path_rule *each = rules; each < rules + rule_count; each++)
        if (each->rule.deny && each->rule.permissions & CONTENT && concerns(each, from)) return hit(call, &each->rule, did, from, to);
    const struct rule *gained = lists_refuse_link(call, from, to);
    if (gained && gained->deny) return hit(call, gained, did, from, to);
    return may(call, to, did);
}
