/*
 * Frames and records: the only two formats that native code reads.
 *
 * frame  = u8 type, u32 LE length, payload                 (packages/contracts/frames.ts)
 * record = u16 LE fields, then each field u32 LE length, bytes; a spec is a sequence of records whose first field names
 *          the operation                                    (packages/sandbox/drivers/local/spec.ts writes them)
 *
 * Everything read here comes from the agent, which is trusted, but is checked all the same: a short or lying length is an
 * error, never a read past the end.
 */
#ifndef PLASTRON_WIRE_H
#define PLASTRON_WIRE_H
#include <stddef.h>
#include <stdint.h>

#define FRAME_HEADER 5
#define MAX_FRAME (64u * 1024 * 1024)
#define MAX_FIELDS 8

struct field {
    const char *data; /* NUL-terminated copy */
    uint32_t len;     /* without the NUL */
};

struct record {
    int count;
    struct field field[MAX_FIELDS];
};

struct spec {
    int count;
    struct record *record;
};

/* Parses `len` bytes into `out` (allocated for the life of the process). 0, or -1 when malformed. */
int spec_parse(const uint8_t *bytes, size_t len, struct spec *out);
/* The i-th field of the first record named `op`, or `fallback`. */
const char *spec_get(const struct spec *spec, const char *op, int i, const char *fallback);
long spec_long(const struct spec *spec, const char *op, int i, long fallback);
int is_op(const struct record *record, const char *op);
int field_long(const struct record *record, int i, long *out);

/* Whole reads and writes over EINTR; -1 on error or end of file. */
int read_all(int fd, void *buffer, size_t len);
int write_all(int fd, const void *buffer, size_t len);
/* Writes `text` to an existing file (a cgroup knob, a uid map). 0 or -1 with errno. */
int write_text(int dirfd, const char *path, const char *text);

uint32_t get_u32(const uint8_t *p);
void put_u32(uint8_t *p, uint32_t value);

/* Connects to the agent's socket at `path` and says with a frame H which order this answers. The connection, or -1. */
int connect_with_token(const char *path, const char *token);

/* Sends one message with up to 8 descriptors; receives one. Both return the byte count or -1. */
#define MAX_PASSED 8
int send_fds(int socket, const void *data, size_t len, const int *fds, int count);
/* `pid` (may be NULL) gets the sender's pid as seen here, when the socket has SO_PASSCRED, else 0. */
int recv_fds(int socket, void *data, size_t len, int *fds, int *count, int *pid);
#endif
