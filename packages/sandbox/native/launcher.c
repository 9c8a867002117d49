/*
 * plastron-launcher: makes one sandbox and supervises it to its end.
 *
 * Started by the agent with descriptor 3 = the agent's connection; reads one frame Q (the spec) from it. As root it uses
 * every namespace, a cgroup of its own and a host uid from the agent's pool; see mounts.h, lockdown.h, supervise.h for what
 * each part promises. Read main() as the table of contents.
 */
#define _GNU_SOURCE
#include "cgroup.h"
#include "init.h"
#include "life.h"
#include "lockdown.h"
#include "mounts.h"
#include "program.h"
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

static void read_spec(struct spec *spec) {
    uint8_t head[FRAME_HEADER];
    errno = EPROTO;
    if (read_all(CONN, head, sizeof head) || head[0] != 'Q' || get_u32(head + 1) > MAX_FRAME) report_and_exit(CONN, "spec", "no spec frame");
    uint32_t len = get_u32(head + 1);
    uint8_t *bytes = malloc(len + 1u);
    if (!bytes || read_all(CONN, bytes, len) || spec_parse(bytes, len, spec)) report_and_exit(CONN, "spec", "malformed");
    free(bytes);
}

/* In the sandbox's namespaces, still privileged there: build everything, start the program, then give up all. */
static _Noreturn void init_main(const struct sandbox *box, const int theirs[5], int zygote_serve) {
    const struct spec *spec = box->spec;
    const char *netns = spec_get(spec, "join-network", 1, NULL), *name = spec_get(spec, "hostname", 1, "sandbox");
    int ipc[2], life = fcntl(theirs[4], F_DUPFD_CLOEXEC, 32);
    if (life < 0) _exit(70);
    close(box->life);
    await_go(life);
    if (zygote_serve >= 0 && (setresgid(0, 0, 0) || setresuid(0, 0, 0))) step_failed(life, "zygote ids", "");
    if (unshare(CLONE_NEWCGROUP)) step_failed(life, "unshare", "cgroup namespace");
    if (netns) {
        int fd = open(netns, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, CLONE_NEWNET)) step_failed(life, "join network", netns);
    } else
        loopback_up(life);
    if (sethostname(name, strlen(name))) step_failed(life, "hostname", name);
    build_root(spec, spec_get(spec, "root", 1, "/nonexistent"), life);
    if (unshare(CLONE_NEWTIME)) step_failed(life, "unshare", "time namespace");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ipc)) step_failed(life, "socketpair", "");
    int program = fork();
    if (program < 0) step_failed(life, "fork", "");
    if (!program) {
        if (zygote_serve >= 0) zygote_exec(spec, theirs, zygote_serve, life);
        close(ipc[0]);
        confine_program(spec, theirs, ipc[1], life);
        exec_program(spec, life);
    }
    close(ipc[1]);
    if (zygote_serve < 0 && !spec_get(spec, "keep-root", 0, NULL)) serve_user_namespace(ipc[0], box->uid, life);
    init_serve(life, zygote_serve < 0 ? box->uid : 0, program);
}

static int clone_init(struct sandbox *box, uint64_t flags) {
    struct clone_args args = {.flags = flags | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&box->init, .exit_signal = SIGCHLD};
    return (int)syscall(SYS_clone3, &args, sizeof args);
}

static void map_zygote(int pid, long uid, const char *count) {
    char path[64], map[64];
    snprintf(map, sizeof map, "0 %ld %s", uid, count);
    snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
    if (write_text(AT_FDCWD, path, map)) report_and_exit(CONN, "zygote uid_map", map);
    snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
    if (write_text(AT_FDCWD, path, map)) report_and_exit(CONN, "zygote gid_map", map);
}

int main(void) {
    struct spec spec;
    struct sandbox box = {.spec = &spec, .conn = CONN, .init = -1, .serve = -1};
    const char *what = "";
    int theirs[5], serve[2] = {-1, -1};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C at the terminal is the agent's to handle */
    signal(SIGCHLD, SIG_IGN);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    read_spec(&spec);
    box.uid = spec_long(&spec, "uid", 1, -1);
    box.session = spec_get(&spec, "session", 0, NULL) != NULL;
    const char *children = spec_get(&spec, "zygote", 1, NULL);
    errno = EINVAL;
    if (box.uid <= 0) report_and_exit(CONN, "spec", "no uid, or uid 0");
    if (make_channels(&box, theirs)) report_and_exit(CONN, "channels", "");
    if (children && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, serve)) report_and_exit(CONN, "channels", "");
    if (cgroup_make(&spec, &what)) report_and_exit(CONN, "cgroup", what);
    uint64_t flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
    if (!spec_get(&spec, "join-network", 0, NULL)) flags |= CLONE_NEWNET;
    if (children) flags |= CLONE_NEWUSER;
    int pid = clone_init(&box, flags);
    if (pid < 0) report_and_exit(CONN, "clone", "namespaces");
    if (!pid) {
        signal(SIGCHLD, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        init_main(&box, theirs, children ? serve[1] : -1);
    }
    for (int i = 0; i < 5; i++) close(theirs[i]);
    if (children) {
        close(serve[1]);
        map_zygote(pid, box.uid, children);
        box.serve = serve[0];
        box.other = zygote_request;
    }
    if (cgroup_join(&spec, pid, &what)) report_and_exit(CONN, "join cgroup", what);
    if (send_fds(box.life, "g", 1, NULL, 0) != 1) report_and_exit(CONN, "start", "init is gone");
    supervise(&box);
    return 0;
}
