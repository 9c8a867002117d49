/*
 * Rules' globs over canonical paths: `*` within a name, `**` across names, `?` one character but `/`, `[a-z]`, `[^a-z]`. Between
 * two slashes `**` may stand for nothing, and one slash remains. The same language as packages/policy/orders/glob.ts.
 *
 * A glob is an automaton whose states can be compared: what may still match below one directory and not below another is what
 * a rename must not change.
 */
#ifndef PLASTRON_GLOB_H
#define PLASTRON_GLOB_H
#include <stdint.h>

#define GLOB_TOKENS 255
struct glob_states {
    uint64_t bits[4];
};
struct glob {
    const char *text;
    int count;
    uint16_t at[GLOB_TOKENS]; /* where each token begins in `text` */
    char kind[GLOB_TOKENS];   /* 'c' that character, '?', '[', '*', 'd' for `**` */
};

/* 0, or -1 when it has more tokens than we take. `text` must live on. */
int glob_compile(struct glob *glob, const char *text);
/* Where the automaton stands after `path`. */
struct glob_states glob_after(const struct glob *glob, const char *path);
/* Whether what led to `states` is a whole match. */
int glob_accepts(const struct glob *glob, const struct glob_states *states);
/* Whether whatever still matches from `inner` matches from `outer` too (may say no where it would, never yes where it would not). */
int glob_within(const struct glob_states *inner, const struct glob_states *outer);
#endif
