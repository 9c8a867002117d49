/* Whether a text is what a glob names: the language of packages/policy/orders/glob.ts, on bytes. */
#ifndef PLASTRON_LSM_GLOB_H
#define PLASTRON_LSM_GLOB_H

/*
 * One `*` and one `**` can be taken back: an earlier one cannot find what a later one did not, since `**` takes everything and
 * a `*` ends at a slash that the pattern has to match in any case. Hence no recursion, and length times length steps at most.
 */
struct match {
    const struct glob *glob;
    const char *text;
    __u32 start, length;
    __u32 token, at;
    __u32 any_token, any_at, deep_token, deep_at;
    __u8 deep_between, seeking, unsettled, matched;
};

#define NONE 0xffffffffu
#define MAX_STEPS (1u << 16)

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_SETS);
    __type(key, __u32);
    __type(value, struct set_bits);
} sets SEC(".maps");

static __always_inline __u8 byte_at(const struct match *m, __u32 at) {
    return (__u8)m->text[(m->start + at) & (PATH_BYTES - 1)];
}

static __always_inline int in_set(__u32 which, __u8 byte) {
    const struct set_bits *set = bpf_map_lookup_elem(&sets, &which);
    return set && (set->bits[byte >> 3] >> (byte & 7) & 1);
}

/* To the nearest wildcard that can take one byte more; 1 when there is none. */
static __always_inline long take_back(struct match *m) {
    if (m->any_token != NONE && m->any_at < m->length && byte_at(m, m->any_at) != '/') {
        m->at = ++m->any_at;
        m->token = m->any_token;
        return 0;
    }
    m->any_token = NONE;
    if (m->deep_token == NONE || m->deep_at >= m->length) {
        m->unsettled = 0;
        return 1;
    }
    m->at = ++m->deep_at;
    m->token = m->deep_token;
    m->seeking = m->deep_between && byte_at(m, m->deep_at - 1) != '/';
    return 0;
}

static long match_step(__u32 index, void *context) {
    struct match *m = context;
    (void)index;
    if (m->seeking) return take_back(m);
    __u32 token = m->token & (MAX_TOKENS - 1);
    __u8 operation = m->glob->token[2 * token], argument = m->glob->token[2 * token + 1];
    if (operation == GLOB_END) {
        if (m->at < m->length) return take_back(m);
        m->matched = 1;
        m->unsettled = 0;
        return 1;
    }
    if (operation == GLOB_ANY) {
        m->any_token = ++m->token;
        m->any_at = m->at;
        return 0;
    }
    if (operation == GLOB_DEEP) {
        m->deep_token = ++m->token;
        m->deep_at = m->at;
        m->deep_between = 0;
        m->any_token = NONE;
        return 0;
    }
    if (m->at >= m->length) return take_back(m);
    __u8 byte = byte_at(m, m->at);
    int fits = operation == GLOB_PLAIN || operation == GLOB_BETWEEN ? byte == argument
             : operation == GLOB_ONE                                ? byte != '/'
                                                                    : in_set(argument, byte);
    if (!fits) return take_back(m);
    m->token++;
    m->at++;
    if (operation == GLOB_BETWEEN) {
        m->deep_token = m->token;
        m->deep_at = m->at;
        m->deep_between = 1;
        m->any_token = NONE;
    }
    return 0;
}

/* Too many steps count as a match: a name that is made to be expensive is denied. */
static __always_inline int glob_matches(const struct glob *glob, const char *text, __u32 start, __u32 length) {
    struct match m = {.glob = glob, .text = text, .start = start, .length = length, .any_token = NONE, .deep_token = NONE, .unsettled = 1};
    if (glob->last && (length == 0 || (__u8)text[(start + length - 1) & (PATH_BYTES - 1)] != glob->last)) return 0;
    bpf_loop(MAX_STEPS, match_step, &m, 0);
    return m.matched || m.unsettled;
}
#endif
