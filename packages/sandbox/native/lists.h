/* Lists of all that may be done to files (packages/contracts/watch.ts, pathListSchema): what an entry does not give is refused. */
#ifndef PLASTRON_LISTS_H
#define PLASTRON_LISTS_H
#include "notify.h"

/* What a rule on paths says, however it says which paths. */
struct rule {
    int id, deny, report;
    unsigned permissions;
};

/* Reads the `watch-list` and `watch-allow` records; `read_rule` reads fields 1 to 4. -1 with errno when one cannot be. */
int lists_prepare(const struct watcher *w, int (*read_rule)(const struct record *r, struct rule *rule));

/* The list that is hit, one that denies before others; NULL: none, or no program was given yet. */
const struct rule *lists_refuse(const struct call *call, const char *path, unsigned permissions);
/* To move a thing, its old name must be readable and writable and the new one writable, as AppArmor asks; nothing below a directory
 * may be given more by its new name. `*path` is the name that is to blame. */
const struct rule *lists_refuse_move(const struct call *call, const char *from, const char *to, int directory, const char **path);
/* A second name must give nothing that the first does not. */
const struct rule *lists_refuse_link(const struct call *call, const char *from, const char *to);
#endif
