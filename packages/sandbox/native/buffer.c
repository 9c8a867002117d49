#define _GNU_SOURCE
#include "buffer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t *buffer_grow(struct buffer *b, size_t len) {
    if (b->start == b->end) b->start = b->end = 0;
    if (b->room - b->end < len && b->start) {
        memmove(b->data, b->data + b->start, buffer_size(b));
        b->end -= b->start;
        b->start = 0;
    }
    if (b->room - b->end < len) {
        size_t room = b->room ? b->room : 4096;
        while (room - b->end < len) room *= 2;
        uint8_t *data = realloc(b->data, room);
        if (!data) return NULL;
        b->data = data;
        b->room = room;
    }
    uint8_t *space = b->data + b->end;
    b->end += len;
    return space;
}

int buffer_add(struct buffer *b, const void *bytes, size_t len) {
    uint8_t *space = buffer_grow(b, len);
    if (!space) return -1;
    if (len) memcpy(space, bytes, len);
    return 0;
}

void buffer_drop(struct buffer *b, size_t len) { b->start += len; }

int buffer_flush(struct buffer *b, int fd) {
    while (buffer_size(b)) {
        ssize_t n = write(fd, b->data + b->start, buffer_size(b));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN ? 0 : -1;
        b->start += (size_t)n;
    }
    return 0;
}
