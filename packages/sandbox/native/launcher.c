/*
 * plastron-launcher: makes sandboxes and supervises each to its end.
 *
 * Started by the agent, once, with descriptor 3 = the agent's connection. Each frame Q on it is the spec of one sandbox: a
 * fork takes it, connects back to the agent with the spec's token, and makes the sandbox. (Forking this small program costs a
 * tenth of what it costs a runtime as large as the agent's to start a process, and none of the agent's time.)
 *
 * As root it uses every namespace, a cgroup and a host uid from the agent's pool; mounts.h, lockdown.h and supervise.h say
 * what each part promises. Read main() and make_sandbox() as the table of contents.
 */
#define _GNU_SOURCE
#include "cgroup.h"
#include "guest/keeper.h"
#include "init.h"
#include "life.h"
#include "lockdown.h"
#include "mounts.h"
#include "program.h"
#include "relay/egress.h"
#include "supervise.h"
#include "zygote.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONN 3

/* The next spec's bytes, or NULL at the end of the agent's connection. */
static uint8_t *next_spec(uint32_t *len) {
    uint8_t head[FRAME_HEADER];
    if (read_all(CONN, head, sizeof head)) return NULL;
    *len = get_u32(head + 1);
    errno = EPROTO;
    if (head[0] != 'Q' || *len > MAX_FRAME) report_and_exit(CONN, "spec", "no spec frame");
    uint8_t *bytes = malloc(*len + 1u);
    if (!bytes || read_all(CONN, bytes, *len)) report_and_exit(CONN, "spec", "cut short");
    return bytes;
}

/* In the fork: CONN becomes a connection of this sandbox's own (a spec without `agent` is answered where it came from). */
static void take_connection(const struct spec *spec) {
    if (!spec_get(spec, "agent", 1, NULL)) return;
    int conn = connect_with_token(spec_get(spec, "agent", 1, ""), spec_get(spec, "token", 1, ""));
    if (conn < 0 || dup3(conn, CONN, O_CLOEXEC) < 0) _exit(71);
    close(conn);
}

/* In the sandbox's namespaces, still privileged there: build everything, start the program, then give up all. */
static _Noreturn void init_main(const struct sandbox *box, const int theirs[5], const struct zygote_start *zygote) {
    const struct spec *spec = box->spec;
    const char *netns = spec_get(spec, "join-network", 1, NULL), *name = spec_get(spec, "hostname", 1, "sandbox");
    int ipc[2], life = fcntl(theirs[4], F_DUPFD_CLOEXEC, 32);
    if (life < 0) _exit(70);
    close(box->life);
    await_go(life);
    if (unshare(CLONE_NEWCGROUP)) step_failed(life, "unshare", "cgroup namespace");
    if (netns) {
        int fd = open(netns, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNET)) step_failed(life, "join network", netns);
    } else
        loopback_up(life);
    if (sethostname(name, strlen(name))) step_failed(life, "hostname", name);
    build_root(spec, spec_get(spec, "root", 1, "/nonexistent"), box->uid, life);
    if (unshare(CLONE_NEWTIME)) step_failed(life, "unshare", "time namespace");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ipc)) step_failed(life, "socketpair", "");
    int program = fork();
    if (program < 0) step_failed(life, "fork", "");
    if (!program) {
        close(ipc[0]);
        if (zygote->orders >= 0) zygote_exec(spec, theirs, zygote, ipc[1], life);
        if (spec_get(spec, "guest", 0, NULL)) keep_guest(spec, theirs, ipc[1], life);
        confine_program(spec, theirs, ipc[1], life);
        exec_program(spec, life);
    }
    close(ipc[1]);
    if (zygote->orders >= 0)
        serve_user_namespace(ipc[0], 0, box->uid, zygote->uids, life);
    else if (spec_get(spec, "guest", 0, NULL))
        serve_guest_namespace(ipc[0], spec_long(spec, "guest", 1, 0), life);
    else if (!spec_get(spec, "keep-root", 0, NULL))
        serve_user_namespace(ipc[0], INSIDE_UID, box->uid, 1, life);
    init_serve(life, box->uid, program);
}

static int clone_init(struct sandbox *box, uint64_t flags) {
    struct clone_args args = {.flags = flags | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&box->init, .exit_signal = SIGCHLD};
    return (int)syscall(SYS_clone3, &args, sizeof args);
}

/* Our end of the orders socket is returned; the zygote's goes into `start`. */
static int prepare_zygote(const struct spec *spec, struct zygote_start *start) {
    int pair[2];
    start->uids = spec_long(spec, "zygote", 1, 0);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) report_and_exit(CONN, "channels", "");
    start->orders = pair[1];
    return pair[0];
}

/* Who looks on from the first call on must know the pid before there is one. */
static void await_agent(int pid) {
    uint8_t told[FRAME_HEADER + 4] = {'P', 4}, head[FRAME_HEADER];
    put_u32(told + FRAME_HEADER, (uint32_t)pid);
    if (write_all(CONN, told, sizeof told) || read_all(CONN, head, sizeof head)) _exit(71);
    errno = EPROTO;
    if (head[0] != 'G' || get_u32(head + 1)) report_and_exit(CONN, "start", "the agent did not say go");
}

static void make_sandbox(const uint8_t *bytes, uint32_t len) {
    struct spec spec;
    struct sandbox box = {.spec = &spec, .conn = CONN, .init = -1, .serve = -1, .watcher = -1, .watcher_process = -1, .relay = -1};
    struct zygote_start zygote = {-1, 0};
    const char *what = "";
    int theirs[5];
    errno = EPROTO;
    if (spec_parse(bytes, len, &spec)) report_and_exit(CONN, "spec", "malformed");
    take_connection(&spec);
    box.uid = spec_long(&spec, "uid", 1, -1);
    box.session = spec_get(&spec, "session", 0, NULL) != NULL;
    errno = EINVAL;
    if (box.uid <= 0) report_and_exit(CONN, "spec", "no uid, or uid 0");
    if (make_channels(&box, theirs)) report_and_exit(CONN, "channels", "");
    if (spec_get(&spec, "zygote", 1, NULL)) {
        box.serve = prepare_zygote(&spec, &zygote);
        box.other = zygote_request;
    }
    if (cgroup_make(&spec, &what)) report_and_exit(CONN, "cgroup", what);
    uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    if (!spec_get(&spec, "join-network", 0, NULL)) flags |= CLONE_NEWNET;
    int pid = clone_init(&box, flags);
    if (pid < 0) report_and_exit(CONN, "clone", "namespaces");
    if (!pid) {
        signal(SIGCHLD, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        init_main(&box, theirs, &zygote);
    }
    for (int i = 0; i < 5; i++) close(theirs[i]);
    close(zygote.orders);
    if (cgroup_join(&spec, pid, &what)) report_and_exit(CONN, "join cgroup", what);
    if (zygote.orders < 0 && start_watcher(&box, &spec, &what)) report_and_exit(CONN, "start", what);
    if (egress_start(&spec, box.init, &box.relay, &what)) report_and_exit(CONN, "start", what);
    box.pid = pid;
    if (spec_get(&spec, "await-agent", 0, NULL)) await_agent(pid);
    if (send_fds(box.life, "g", 1, NULL, 0) != 1) report_and_exit(CONN, "start", "init is gone");
    supervise(&box);
}

int main(int argc, char **argv) {
    uint32_t len;
    if (argc > 1 && !strcmp(argv[1], "probe-egress")) return egress_probe();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C at the terminal is the agent's to handle */
    signal(SIGCHLD, SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    fcntl(CONN, F_SETFD, FD_CLOEXEC);
    for (uint8_t *bytes; (bytes = next_spec(&len)); free(bytes)) {
        int pid = fork();
        errno = EAGAIN;
        if (pid < 0) report_and_exit(CONN, "fork", "");
        if (pid) continue;
        make_sandbox(bytes, len);
        _exit(0);
    }
    return 0;
}
