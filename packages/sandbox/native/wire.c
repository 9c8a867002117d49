#define _GNU_SOURCE
#include "wire.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

uint32_t get_u32(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

void put_u32(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
    p[2] = (uint8_t)(value >> 16);
    p[3] = (uint8_t)(value >> 24);
}

static int parse_record(const uint8_t *bytes, size_t len, size_t *at, struct record *out) {
    if (len - *at < 2) return -1;
    out->count = bytes[*at] | bytes[*at + 1] << 8;
    *at += 2;
    if (out->count < 1 || out->count > MAX_FIELDS) return -1;
    for (int i = 0; i < out->count; i++) {
        if (len - *at < 4) return -1;
        uint32_t size = get_u32(bytes + *at);
        *at += 4;
        if (size > len - *at) return -1;
        char *copy = malloc((size_t)size + 1);
        if (!copy) return -1;
        memcpy(copy, bytes + *at, size);
        copy[size] = 0;
        *at += size;
        out->field[i] = (struct field){copy, size};
    }
    return 0;
}

int spec_parse(const uint8_t *bytes, size_t len, struct spec *out) {
    int room = 0;
    *out = (struct spec){0};
    for (size_t at = 0; at < len;) {
        if (out->count == room) {
            room = room ? room * 2 : 64;
            out->record = reallocarray(out->record, (size_t)room, sizeof(struct record));
            if (!out->record) return -1;
        }
        if (parse_record(bytes, len, &at, &out->record[out->count])) return -1;
        out->count++;
    }
    return 0;
}

int is_op(const struct record *record, const char *op) { return strcmp(record->field[0].data, op) == 0; }

const char *spec_get(const struct spec *spec, const char *op, int i, const char *fallback) {
    for (int r = 0; r < spec->count; r++)
        if (is_op(&spec->record[r], op)) return i < spec->record[r].count ? spec->record[r].field[i].data : fallback;
    return fallback;
}

int field_long(const struct record *record, int i, long *out) {
    if (i >= record->count || !record->field[i].len) return -1;
    char *end;
    errno = 0;
    *out = strtol(record->field[i].data, &end, 10);
    return errno || *end ? -1 : 0;
}

long spec_long(const struct spec *spec, const char *op, int i, long fallback) {
    long value;
    for (int r = 0; r < spec->count; r++)
        if (is_op(&spec->record[r], op)) return field_long(&spec->record[r], i, &value) ? fallback : value;
    return fallback;
}

int read_all(int fd, void *buffer, size_t len) {
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, (char *)buffer + at, len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += (size_t)n;
    }
    return 0;
}

int write_all(int fd, const void *buffer, size_t len) {
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, (const char *)buffer + at, len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += (size_t)n;
    }
    return 0;
}

int write_text(int dirfd, const char *path, const char *text) {
    int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int failed = write_all(fd, text, strlen(text));
    int saved = errno;
    close(fd);
    errno = saved;
    return failed;
}

int connect_with_token(const char *path, const char *token) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint8_t head[FRAME_HEADER] = {'H'};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path) return -1;
    strcpy(address.sun_path, path);
    put_u32(head + 1, (uint32_t)strlen(token));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) || write_all(fd, head, sizeof head) || write_all(fd, token, strlen(token))) return -1;
    return fd;
}

int send_fds(int socket, const void *data, size_t len, const int *fds, int count) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(MAX_PASSED * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    }
    ssize_t n;
    do n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return (int)n;
}

int recv_fds(int socket, void *data, size_t len, int *fds, int *count, int *pid) {
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(MAX_PASSED * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec iov = {data, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    ssize_t n;
    *count = 0;
    if (pid) *pid = 0;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_RIGHTS) {
            *count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(fds, CMSG_DATA(header), (size_t)*count * sizeof(int));
        } else if (header->cmsg_type == SCM_CREDENTIALS && pid) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(header), sizeof sender);
            *pid = sender.pid;
        }
    }
    return (int)n;
}
