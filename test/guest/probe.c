/*
 * One attempt, in the guest: exit 0 = it was possible (a refused connection was possible too), 13 = EPERM or EACCES,
 * 70 = anything else, with its name. Read main() as the list of what can be tried.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void came(int result) {
    if (result >= 0 || errno == ECONNREFUSED || errno == ENETUNREACH || errno == EINPROGRESS) exit(0);
    if (errno == EPERM || errno == EACCES) exit(13);
    perror("probe");
    exit(70);
}

/* An IPv4 or IPv6 address, as its text says. */
static socklen_t address_of(const char *text, const char *port, struct sockaddr_storage *to) {
    struct sockaddr_in *four = (void *)to;
    struct sockaddr_in6 *six = (void *)to;
    memset(to, 0, sizeof *to);
    if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)atoi(port));
        return sizeof *four;
    }
    inet_pton(AF_INET6, text, &six->sin6_addr);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons((uint16_t)atoi(port));
    return sizeof *six;
}

static _Noreturn void reach(const char *how, const char *text, const char *port) {
    struct sockaddr_storage to;
    socklen_t length = address_of(text, port, &to);
    int stream = !strcmp(how, "connect") || !strcmp(how, "fastopen");
    int fd = socket(to.ss_family, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    if (fd < 0) came(-1);
    if (!strcmp(how, "connect")) came(connect(fd, (void *)&to, length));
    /* The kernel takes an address without a family for IPv4 here. */
    if (!strcmp(how, "send-unspecified")) to.ss_family = AF_UNSPEC;
    came((int)sendto(fd, "x", 1, stream ? MSG_FASTOPEN : 0, (void *)&to, length));
}

static struct sockaddr_un file_address(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    return to;
}

/* Serves until it is killed. */
static _Noreturn void listen_at(const char *path) {
    struct sockaddr_un to = file_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(fd, (void *)&to, sizeof to) || listen(fd, 8)) came(-1);
    for (;;) pause();
}

static _Noreturn void trace_child(int asks) {
    int child = fork(), status = 0;
    if (!child) {
        if (asks) _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0);
        for (;;) pause();
    }
    if (asks) {
        waitpid(child, &status, 0);
        errno = WEXITSTATUS(status);
        came(errno ? -1 : 0);
    }
    long got = ptrace(PTRACE_SEIZE, child, 0, 0);
    int why = errno;
    kill(child, SIGKILL);
    errno = why;
    came((int)got);
}

static _Noreturn void map_executable(const char *path, int later) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) came(-1);
    void *at = mmap(NULL, 4096, PROT_READ | (later ? 0 : PROT_EXEC), MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED) came(-1);
    came(later ? mprotect(at, 4096, PROT_READ | PROT_EXEC) : 0);
}

/* The mount interface that names no source: fsopen, fsconfig(CREATE), fsmount, move_mount. */
static _Noreturn void mount_in_parts(const char *type, const char *place) {
    int fs = (int)syscall(SYS_fsopen, type, 0);
    if (fs < 0 || syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0)) came(-1);
    int made = (int)syscall(SYS_fsmount, fs, 0, 0);
    if (made < 0) came(-1);
    came((int)syscall(SYS_move_mount, made, "", AT_FDCWD, place, 4));
}

static _Noreturn void bind_in_parts(const char *source, const char *place) {
    int made = (int)syscall(SYS_open_tree, AT_FDCWD, source, 1);
    if (made < 0) came(-1);
    came((int)syscall(SYS_move_mount, made, "", AT_FDCWD, place, 4));
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "", *first = argc > 2 ? argv[2] : "", *second = argc > 3 ? argv[3] : "";
    if (!strcmp(what, "ok")) came(0);
    if (!strcmp(what, "connect") || !strcmp(what, "fastopen") || !strncmp(what, "send", 4)) reach(what, first, second);
    if (!strcmp(what, "listen")) listen_at(first);
    if (!strcmp(what, "connect-unix")) {
        struct sockaddr_un to = file_address(first);
        came(connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&to, sizeof to));
    }
    if (!strcmp(what, "socket")) came(socket(atoi(first), atoi(second), argc > 4 ? atoi(argv[4]) : 0));
    if (!strcmp(what, "trace")) trace_child(0);
    if (!strcmp(what, "traceme")) trace_child(1);
    if (!strcmp(what, "map")) map_executable(first, 0);
    if (!strcmp(what, "protect")) map_executable(first, 1);
    if (!strcmp(what, "truncate")) came(truncate(first, 0));
    if (!strcmp(what, "rename")) came(rename(first, second));
    if (!strcmp(what, "append")) {
        int fd = open(first, O_WRONLY | O_APPEND);
        came(fd < 0 ? -1 : (int)write(fd, "x", 1));
    }
    /* In two steps: the first gives a full set of capabilities in a new user namespace. */
    if (!strcmp(what, "namespaces")) came(unshare(CLONE_NEWUSER) || unshare(CLONE_NEWNS) ? -1 : 0);
    if (!strcmp(what, "new-namespace-read")) {
        if (unshare(CLONE_NEWNS)) came(-1);
        came(open(first, O_RDONLY));
    }
    /* Stops until it is let go on; then, as its first act, leaves the namespaces that it is in. */
    if (!strcmp(what, "leave")) {
        raise(SIGSTOP);
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) came(-1);
        came(open(first, O_RDONLY));
    }
    if (!strcmp(what, "mount")) mount_in_parts(first, second);
    if (!strcmp(what, "bind")) bind_in_parts(first, second);
    errno = EINVAL;
    came(-1);
}
