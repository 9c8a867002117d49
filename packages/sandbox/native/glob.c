#define _GNU_SOURCE
#include "glob.h"
#include <string.h>

static int has(const struct glob_states *s, int at) { return (int)(s->bits[at >> 6] >> (at & 63) & 1); }
static void put(struct glob_states *s, int at) { s->bits[at >> 6] |= 1ull << (at & 63); }
static int empty(const struct glob_states *s) { return !(s->bits[0] | s->bits[1] | s->bits[2] | s->bits[3]); }

/* The character at `p` and how many bytes it has; a byte that is no UTF-8 stands for itself, above all characters. */
static uint32_t character(const char *p, int *size) {
    const uint8_t *b = (const uint8_t *)p;
    int more = b[0] >= 0xf0 ? 3 : b[0] >= 0xe0 ? 2 : b[0] >= 0xc2 ? 1 : 0;
    uint32_t value = b[0] < 0x80 ? b[0] : more ? b[0] & (0x3fu >> more) : 0x200000u + b[0];
    for (int i = 1; i <= more; i++) {
        if ((b[i] & 0xc0) != 0x80) return *size = 1, 0x200000u + b[0];
        value = value << 6 | (b[i] & 0x3f);
    }
    *size = more + 1;
    return value;
}

/* Bytes of the set that begins at `p`, or 0 when it is none: a bracket that nothing closes is a character. */
static int set_length(const char *p) {
    const char *body = p + 1 + (p[1] == '^' || p[1] == '!');
    const char *end = *body && *body != ']' ? strchr(body, ']') : NULL;
    return end ? (int)(end - p) + 1 : 0;
}

int glob_compile(struct glob *glob, const char *text) {
    *glob = (struct glob){.text = text};
    size_t len = strlen(text);
    if (len > 4096) return -1;
    for (size_t at = 0; at < len;) {
        const char *p = text + at;
        int size = 1, set = *p == '[' ? set_length(p) : 0;
        if (glob->count == GLOB_TOKENS) return -1;
        char kind = p[0] == '*' && p[1] == '*' ? 'd' : *p == '*' || *p == '?' ? *p : set ? '[' : 'c';
        glob->at[glob->count] = (uint16_t)at;
        glob->kind[glob->count++] = kind;
        if (kind == 'd')
            while (text[at + (size_t)size] == '*') size++;
        else if (set)
            size = set;
        else if (kind == 'c')
            character(p, &size);
        at += (size_t)size;
    }
    return 0;
}

static int in_set(const char *p, uint32_t c) {
    int not = p[1] == '^' || p[1] == '!', found = 0, size;
    const char *end = p + set_length(p) - 1;
    for (p += 1 + not; p < end;) {
        uint32_t from = character(p, &size), to = from;
        p += size;
        if (*p == '-' && p + 1 < end) to = character(p + 1, &size), p += 1 + size;
        found |= c >= from && c <= to;
    }
    return found != not && c != '/';
}

static int is_slash(const struct glob *glob, int at) { return at < glob->count && glob->kind[at] == 'c' && glob->text[glob->at[at]] == '/'; }

/* Stars may stand for nothing. */
static void close_over(const struct glob *glob, struct glob_states *s) {
    for (int at = 0; at < glob->count; at++)
        if (has(s, at) && (glob->kind[at] == '*' || glob->kind[at] == 'd')) put(s, at + 1);
}

static void step(const struct glob *glob, const struct glob_states *from, uint32_t c, struct glob_states *to) {
    int size;
    for (int at = 0; at < glob->count; at++) {
        if (!(from->bits[at >> 6] >> (at & 63))) {
            at |= 63; /* nothing more in this word */
            continue;
        }
        if (!has(from, at)) continue;
        const char *p = glob->text + glob->at[at];
        switch (glob->kind[at]) {
        case 'd': put(to, at); break;
        case '*':
            if (c != '/') put(to, at);
            break;
        case '?':
            if (c != '/') put(to, at + 1);
            break;
        case '[':
            if (in_set(p, c)) put(to, at + 1);
            break;
        default:
            if (character(p, &size) != c) break;
            put(to, at + 1);
            /* Each double star between two slashes may stand for nothing, however many there are. */
            for (int over = at; c == '/' && over + 1 < glob->count && glob->kind[over + 1] == 'd' && is_slash(glob, over + 2); over += 2) put(to, over + 3);
        }
    }
    close_over(glob, to);
}

struct glob_states glob_after(const struct glob *glob, const char *path) {
    struct glob_states now = {{1}};
    close_over(glob, &now);
    for (int size; *path && !empty(&now); path += size) {
        struct glob_states next = {{0}};
        step(glob, &now, character(path, &size), &next);
        now = next;
    }
    return now;
}

int glob_accepts(const struct glob *glob, const struct glob_states *states) { return has(states, glob->count); }

int glob_within(const struct glob_states *inner, const struct glob_states *outer) {
    for (int i = 0; i < 4; i++)
        if (inner->bits[i] & ~outer->bits[i]) return 0;
    return 1;
}
