/* A growing queue of bytes on their way to a descriptor that may not take them yet. */
#ifndef PLASTRON_BUFFER_H
#define PLASTRON_BUFFER_H
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data;
    size_t start, end, room;
};

static inline size_t buffer_size(const struct buffer *b) { return b->end - b->start; }
/* Space for `len` more bytes, to be filled by the caller; NULL when memory is out. */
uint8_t *buffer_grow(struct buffer *b, size_t len);
int buffer_add(struct buffer *b, const void *bytes, size_t len);
void buffer_drop(struct buffer *b, size_t len);
/* Writes what the descriptor takes. 0, or -1 when the other end is gone. */
int buffer_flush(struct buffer *b, int fd);
#endif
