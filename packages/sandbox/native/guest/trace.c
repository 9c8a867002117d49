#define _GNU_SOURCE
#include "trace.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { VARINT, FIXED64, BYTES, FIXED32 = 5 };
/* Fields of the messages: `exit` of every syscall's message, `errorno` of it (points/syscall.proto). */
enum { FIELD_EXIT = 2, FIELD_ERRNO = 2 };

int trace_listen(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = TRACE};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 1)) return -1;
    return fd;
}

int trace_accept(int listener) {
    static const uint8_t version_one[] = {1 << 3, 1}; /* Handshake{version: 1} */
    uint8_t theirs[64];
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return -1;
    if (recv(fd, theirs, sizeof theirs, 0) > 0 && send(fd, version_one, sizeof version_one, MSG_NOSIGNAL) == sizeof version_one) return fd;
    close(fd);
    return -1;
}

static int varint(const uint8_t **at, const uint8_t *end, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return 0;
    }
    return -1;
}

/* The value of `field`, if it is there: a varint, or (with `out_bytes`) where its bytes are and how many. */
static int find(const uint8_t *at, const uint8_t *end, uint64_t field, const uint8_t **out_bytes, uint64_t *out) {
    uint64_t key, value;
    while (at < end && !varint(&at, end, &key)) {
        int kind = (int)(key & 7);
        if (kind == FIXED64 || kind == FIXED32) {
            size_t size = kind == FIXED64 ? 8 : 4;
            if ((size_t)(end - at) < size) return 0;
            at += size;
            continue;
        }
        if ((kind != VARINT && kind != BYTES) || varint(&at, end, &value)) return 0;
        if (kind == BYTES && value > (uint64_t)(end - at)) return 0;
        if (key >> 3 == field && (kind == BYTES) == (out_bytes != NULL)) {
            if (out_bytes) *out_bytes = at;
            *out = value;
            return 1;
        }
        if (kind == BYTES) at += value;
    }
    return 0;
}

int trace_tells(const uint8_t *message, size_t len, uint64_t wanted) {
    const uint8_t *end = message + len, *exit = NULL;
    uint64_t size, number;
    size_t head = len >= 2 ? (size_t)(message[0] | message[1] << 8) : len;
    if (head >= len || !find(message + head, end, FIELD_EXIT, &exit, &size)) return 0;
    return find(exit, exit + size, FIELD_ERRNO, NULL, &number) && number == wanted;
}
