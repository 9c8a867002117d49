/* The host's side of a zygote (zygote.h): starting its interpreter, and supervising each child. */
#define _GNU_SOURCE
#include "zygote.h"
#include "cgroup.h"
#include "life.h"
#include "lockdown.h"
#include "program.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a zygote needs inside its own user namespace to confine its children; nothing of it reaches the host. */
static const int kept[] = {0 /* chown */, 6 /* setgid */, 7 /* setuid */, 8 /* setpcap */, 12 /* net_admin */, 21 /* sys_admin */, 24 /* sys_resource */};

static void drop_other_capabilities(int life) {
    for (int cap = 0; cap < 64; cap++) {
        int keep = 0;
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) keep |= cap == kept[i];
        if (!keep && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL) step_failed(life, "zygote capabilities", "");
    }
}

/* What the children need of the spec. The rest (tokens, paths of the host, its uid) would stay in memory that they can read. */
static int for_children(const struct record *r) {
    static const char *const ops[] = {"hostname", "rlimit", "landlock", "seccomp", "watch", "keep-root", "keep-user-namespaces"};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (is_op(r, ops[i])) return 1;
    return !strncmp(r->field[0].data, "child-", 6);
}

/* Serialised again into a memfd, since the interpreter's exec keeps no memory. */
static int spec_memfd(const struct spec *spec, int life) {
    int fd = memfd_create("spec", MFD_CLOEXEC);
    if (fd < 0) step_failed(life, "zygote spec", "");
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (!for_children(r)) continue;
        uint8_t count[2] = {(uint8_t)r->count, 0}, len[4];
        int failed = write_all(fd, count, 2);
        for (int f = 0; f < r->count; f++) {
            put_u32(len, r->field[f].len);
            failed |= write_all(fd, len, 4) | write_all(fd, r->field[f].data, r->field[f].len);
        }
        if (failed) step_failed(life, "zygote spec", "");
    }
    if (lseek(fd, 0, SEEK_SET)) step_failed(life, "zygote spec", "");
    return fd;
}

/* The zygote's own user namespace holds its uid and those of its children; its mounts are copies that it cannot undo. */
static void enter_zygote_namespaces(long owner, int ipc, int life) {
    enter_user_namespace(ipc, owner, life);
    if (setresgid(0, 0, 0) || setresuid(0, 0, 0)) step_failed(life, "zygote ids", "");
    /* Its pid namespace must be its own user namespace's as well: it leaves it for each child's and comes back. */
    if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)) step_failed(life, "unshare", "zygote namespaces");
    int zygote = fork(), status = 0;
    if (zygote < 0) step_failed(life, "fork", "zygote");
    if (!zygote) return;
    syscall(SYS_close_range, 0u, ~0u, 0);
    waitpid(zygote, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

void zygote_exec(const struct spec *spec, const int theirs[5], const struct zygote_start *start, int ipc, int life) {
    const int fds[6] = {theirs[0], theirs[1], theirs[2], theirs[3], start->orders, spec_memfd(spec, life)};
    int high[6];
    enter_zygote_namespaces(spec_long(spec, "uid", 1, 0), ipc, life);
    for (int i = 0; i < 6; i++)
        if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 40)) < 0) step_failed(life, "descriptor", "");
    for (int i = 0; i < 6; i++)
        if (dup2(high[i], i) < 0) step_failed(life, "descriptor", "");
    syscall(SYS_close_range, 6u, (unsigned)life - 1, 0);
    syscall(SYS_close_range, (unsigned)life + 1, ~0u, 0);
    setsid();
    drop_other_capabilities(life);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) step_failed(life, "no_new_privs", "");
    exec_program(spec, life);
}

/* ---- one child ---- */

/* Waits for one hello of init ('i') and one of the program ('p'), which joins the cgroup. */
static void greet(struct sandbox *box) {
    const char *what = "";
    for (int seen = 0; seen != 3;) {
        char text[600];
        int fds[MAX_PASSED], count, pid;
        struct pollfd wait = {box->life, POLLIN, 0};
        errno = ETIMEDOUT;
        if (poll(&wait, 1, 10000) != 1) report_and_exit(box->conn, "zygote child", "no answer");
        int n = recv_fds(box->life, text, sizeof text - 1, fds, &count, &pid);
        if (n <= 0 || text[0] == 'e') {
            text[n > 0 ? n : 0] = 0;
            errno = ECHILD;
            report_and_exit(box->conn, "zygote child", n > 0 ? text + 1 : "it has gone");
        }
        if (text[0] == 'i') {
            seen |= 1;
            box->pid = pid;
            box->init = (int)syscall(SYS_pidfd_open, pid, 0);
            if (box->init < 0) report_and_exit(box->conn, "pidfd", "");
        } else if (text[0] == 'p')
            seen |= 2;
        else
            continue;
        /* Init costs nothing that a limit should count; it stays in the zygote's group. */
        if (text[0] == 'p' && cgroup_join(box->spec, pid, &what)) report_and_exit(box->conn, "join cgroup", what);
    }
}

static _Noreturn void child_supervisor(const struct sandbox *zygote, const uint8_t *payload, uint32_t len) {
    struct spec spec;
    struct sandbox box = {.spec = &spec, .conn = -1, .init = -1, .serve = -1, .watcher = -1, .watcher_process = -1, .relay = -1};
    const char *what = "";
    int theirs[5];
    if (spec_parse(payload, len, &spec)) _exit(64);
    box.uid = spec_long(&spec, "uid", 1, -1);
    struct zygote_order order = {(int32_t)spec_long(&spec, "inside", 1, 0)};
    close(zygote->conn), close(zygote->in), close(zygote->out), close(zygote->err), close(zygote->control), close(zygote->life), close(zygote->init);
    box.conn = connect_with_token(spec_get(zygote->spec, "children", 1, ""), spec_get(&spec, "token", 1, ""));
    if (box.conn < 0) _exit(71);
    errno = EINVAL;
    if (box.uid <= 0 || order.uid <= 0) report_and_exit(box.conn, "spec", "no uid, or uid 0");
    if (make_channels(&box, theirs)) report_and_exit(box.conn, "channels", "");
    if (cgroup_make(&spec, &what)) report_and_exit(box.conn, "cgroup", what);
    if (send_fds(zygote->serve, &order, sizeof order, theirs, 5) != (int)sizeof order) report_and_exit(box.conn, "zygote", "it has gone");
    for (int i = 0; i < 5; i++) close(theirs[i]);
    close(zygote->serve);
    if (start_watcher(&box, zygote->spec, &what)) report_and_exit(box.conn, "start", what);
    greet(&box);
    if (send_fds(box.life, "g", 1, NULL, 0) != 1) report_and_exit(box.conn, "zygote child", "it has gone");
    supervise(&box);
    _exit(0);
}

void zygote_request(struct sandbox *box, char type, const uint8_t *payload, uint32_t len) {
    if (type != 'Y' || box->serve < 0) return;
    int pid = fork();
    if (!pid) child_supervisor(box, payload, len);
}
