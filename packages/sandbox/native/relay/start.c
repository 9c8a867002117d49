#define _GNU_SOURCE
#include "egress.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALIVE 3
#define READY 4

struct failure {
    int error;
    int step;
};
static const char *const STEPS[] = {"egress: network namespace", "egress: routes", "egress: sockets", "egress: steering", "egress: confining the relay", "egress: token"};

/* Index of the first step that failed, or -1. */
static int build(struct relay *relay, int init, const char *directory, long uid) {
    if (init >= 0 ? setns(init, CLONE_NEWNET) : unshare(CLONE_NEWNET)) return 0;
    if (network_open()) return 1;
    if (relay_sockets(relay)) return 2;
    if (steer(relay)) return 3;
    return relay_confine(directory, uid) ? 4 : -1;
}

static _Noreturn void relay_main(const struct spec *spec, int init, const int alive[2], const int ready[2]) {
    struct relay relay = {.alive = ALIVE};
    const char *token = spec_get(spec, "egress", 2, "");
    int fds[3] = {fcntl(init, F_DUPFD_CLOEXEC, 16), fcntl(alive[0], F_DUPFD_CLOEXEC, 16), fcntl(ready[1], F_DUPFD_CLOEXEC, 16)};
    struct failure failed = {0, -1};
    if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0 || dup3(fds[1], ALIVE, O_CLOEXEC) < 0 || dup3(fds[2], READY, O_CLOEXEC) < 0 ||
        dup3(fds[0], 5, O_CLOEXEC) < 0 || syscall(SYS_close_range, 6u, ~0u, 0))
        _exit(70);
    if (strlen(token) != EGRESS_TOKEN)
        failed.step = 5, errno = EINVAL;
    else {
        memcpy(relay.token, token, EGRESS_TOKEN);
        failed.step = build(&relay, 5, spec_get(spec, "egress", 1, "/nonexistent"), spec_long(spec, "egress", 3, -1));
    }
    failed.error = errno;
    if (write_all(READY, &failed, sizeof failed) || failed.step >= 0) _exit(70);
    close(5);
    close(READY);
    relay_serve(&relay);
}

int egress_start(const struct spec *spec, int init, int *relay, const char **what) {
    int alive[2], ready[2];
    struct failure failed;
    if (!spec_get(spec, "egress", 3, NULL)) return 0;
    *what = "egress: relay";
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, alive) || pipe2(ready, O_CLOEXEC)) return -1;
    int pid = fork();
    if (pid < 0) return -1;
    if (!pid) relay_main(spec, init, alive, ready);
    /* Each sees the other's death in it: ours is the end of the relay, and the relay's is the end of the sandbox. */
    *relay = alive[1];
    close(alive[0]);
    close(ready[1]);
    ssize_t n;
    do n = read(ready[0], &failed, sizeof failed);
    while (n < 0 && errno == EINTR);
    close(ready[0]);
    errno = EIO;
    if (n != sizeof failed) return -1;
    if (failed.step < 0) return 0;
    errno = failed.error;
    *what = STEPS[failed.step];
    return -1;
}

int egress_probe(void) {
    struct relay relay = {0};
    int failed = build(&relay, -1, "/", 65534);
    if (failed < 0) _exit(0);
    printf("%s: %s\n", STEPS[failed], strerror(errno));
    return 1;
}
