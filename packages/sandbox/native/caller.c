#define _GNU_SOURCE
#include "caller.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096

int caller_read(const struct call *call, uint64_t address, void *into, size_t len) {
    struct iovec here = {into, len}, there = {(void *)(uintptr_t)address, len};
    ssize_t n = process_vm_readv(call->tid, &here, 1, &there, 1, 0);
    if (n == (ssize_t)len) return 0;
    return n < 0 && errno != EFAULT ? -EACCES : -EFAULT;
}

int caller_path(const struct call *call, uint64_t address, char into[PATH_MAX], int empty) {
    /* Page by page: a string may end just before one that is not there. */
    for (size_t have = 0; have < PATH_MAX;) {
        size_t part = PAGE - (size_t)((address + have) % PAGE);
        if (part > PATH_MAX - have) part = PATH_MAX - have;
        int failed = caller_read(call, address + have, into + have, part);
        if (failed) return failed;
        if (memchr(into + have, 0, part)) return !*into && !empty ? -ENOENT : 0;
        have += part;
    }
    return -ENAMETOOLONG;
}

int caller_dir(const struct call *call, int dirfd) {
    char name[48];
    if (dirfd == AT_FDCWD)
        snprintf(name, sizeof name, "%d/cwd", call->tid);
    else if (dirfd < 0)
        return -EBADF;
    else
        snprintf(name, sizeof name, "%d/fd/%d", call->tid, dirfd);
    int fd = openat(call->w->proc, name, O_PATH | O_CLOEXEC);
    if (fd >= 0) return fd;
    return errno == ENOENT && dirfd != AT_FDCWD ? -EBADF : -errno;
}

int caller_file(const struct call *call, int fd) {
    struct caller_ids ids;
    if (fd < 0) return -EBADF;
    int failed = caller_ids(call, &ids);
    if (failed) return failed;
    int process = (int)syscall(SYS_pidfd_open, ids.host_tgid, 0);
    if (process < 0) return -errno;
    int file = (int)syscall(SYS_pidfd_getfd, process, fd, 0), why = errno;
    close(process);
    return file < 0 ? -why : file;
}

static long last_number(const char *text, const char *key, int base, int first) {
    const char *line = strstr(text, key);
    if (!line) return -1;
    line += strlen(key);
    long value = -1;
    for (char *end; *line && *line != '\n'; line = end) {
        long next = strtol(line, &end, base);
        if (end == line) break;
        value = next;
        if (first) break;
    }
    return value;
}

int caller_ids(const struct call *call, struct caller_ids *ids) {
    char name[32], text[4096];
    snprintf(name, sizeof name, "%d/status", call->tid);
    int fd = openat(call->w->proc, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n < 0) return -EACCES;
    text[n] = 0;
    /* The name of the thread comes first and is escaped there: no line feed of it can pretend to be a key. */
    long mask = last_number(text, "\nUmask:\t", 8, 1), tgid = last_number(text, "\nNStgid:\t", 10, 0), tid = last_number(text, "\nNSpid:\t", 10, 0);
    long host = last_number(text, "\nTgid:\t", 10, 1);
    if (mask < 0 || tgid <= 0 || tid <= 0 || host <= 0) return -EACCES;
    *ids = (struct caller_ids){(int)tgid, (int)tid, (int)host, (mode_t)mask & 0777};
    return 0;
}
