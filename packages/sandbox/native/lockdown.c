#define _GNU_SOURCE
#include "lockdown.h"
#include "life.h"
#include "notify.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int sysctls = -1;

void hold_sysctls(const char *proc, int life) {
    char path[4096];
    snprintf(path, sizeof path, "%s/sys/user", proc);
    if (sysctls >= 0) close(sysctls);
    sysctls = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (sysctls < 0) step_failed(life, "open sysctls", path);
}

void forbid_user_namespaces(int life) {
    if (write_text(sysctls, "max_user_namespaces", "0")) step_failed(life, "max_user_namespaces", "");
}

/* What a user namespace holds of inotify instances, pending signals, timers and message queues is charged to its maker too.
 * Made by root, one sandbox could use up root's share: no timer and no inotify for the host's own services. Only the
 * effective uid counts for that; the capabilities that the change takes are put back, since some hosts ask for one.
 * (The children of one zygote still share one share: their namespaces lie in the zygote's.) */
static void act_as(long owner, int life) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data)) step_failed(life, "capget", "");
    if (setresuid((uid_t)-1, (uid_t)owner, (uid_t)-1)) step_failed(life, "own uid", "");
    if (syscall(SYS_capset, &header, data)) step_failed(life, "capset", "own uid");
}

void enter_user_namespace(int ipc, long owner, int life) {
    char ack;
    if (setgroups(0, NULL) && errno != EPERM) step_failed(life, "setgroups", "");
    int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (self < 0) step_failed(life, "open", "/proc/self");
    if (owner > 0) act_as(owner, life);
    if (unshare(CLONE_NEWUSER)) step_failed(life, "unshare", "user namespace");
    if (send_fds(ipc, "u", 1, &self, 1) != 1 || read_all(ipc, &ack, 1)) step_failed(life, "user namespace", "init did not map it");
    close(self);
}

void serve_user_namespace(int ipc, long inside, long outside, long count, int life) {
    char letter, map[64];
    int self, passed = 0;
    if (recv_fds(ipc, &letter, 1, &self, &passed, NULL) != 1 || passed != 1) _exit(70); /* the program said why */
    snprintf(map, sizeof map, "%ld %ld %ld", inside, outside, count);
    if (write_text(self, "setgroups", "deny")) step_failed(life, "setgroups", "deny");
    if (write_text(self, "uid_map", map)) step_failed(life, "uid_map", map);
    if (write_text(self, "gid_map", map)) step_failed(life, "gid_map", map);
    close(self);
    if (write_all(ipc, "k", 1)) _exit(70);
}

void loopback_up(int life) {
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request)) step_failed(life, "loopback", "");
    close(fd);
}

uint64_t kept_capabilities(const struct spec *spec) {
    uint64_t kept = 0;
    long number;
    for (int i = 0; i < spec->count; i++)
        if (is_op(&spec->record[i], "capability") && !field_long(&spec->record[i], 1, &number) && number >= 0 && number < 64) kept |= 1ull << number;
    return kept;
}

void enter_own_namespaces(const struct spec *spec, int life) {
    int own_network = spec_get(spec, "own-network", 0, NULL) != NULL;
    if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (own_network ? CLONE_NEWNET : 0))) step_failed(life, "unshare", "own namespaces");
    if (own_network) loopback_up(life);
}

void limit_capabilities(uint64_t kept, int life) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    for (int cap = 0;; cap++) {
        if (cap < 64 && kept >> cap & 1) continue;
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) break;
    }
    if (errno != EINVAL) step_failed(life, "capability bounding set", ""); /* EINVAL: past the last that the kernel knows */
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) step_failed(life, "ambient capabilities", "");
    if (setresgid(INSIDE_UID, INSIDE_UID, INSIDE_UID)) step_failed(life, "setresgid", "");
    if (setresuid(INSIDE_UID, INSIDE_UID, INSIDE_UID)) step_failed(life, "setresuid", "");
    for (int i = 0; i < 2; i++) data[i].effective = data[i].permitted = data[i].inheritable = (uint32_t)(kept >> 32 * i);
    if (syscall(SYS_capset, &header, data)) step_failed(life, "capset", "");
    for (int cap = 0; cap < 64; cap++) /* so that they outlive exec */
        if (kept >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0)) step_failed(life, "ambient capabilities", "");
}

void set_rlimits(const struct spec *spec, int life) {
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        long which, value;
        struct rlimit now;
        if (!is_op(r, "rlimit")) continue;
        if (field_long(r, 1, &which) || field_long(r, 2, &value)) step_failed(life, "spec", "rlimit");
        if (getrlimit((unsigned)which, &now)) step_failed(life, "getrlimit", r->field[1].data);
        /* Only ever down: raising a hard limit needs CAP_SYS_RESOURCE, which root may lack. */
        rlim_t wanted = (rlim_t)value < now.rlim_max ? (rlim_t)value : now.rlim_max;
        now.rlim_cur = now.rlim_max = wanted;
        if (setrlimit((unsigned)which, &now)) step_failed(life, "setrlimit", r->field[1].data);
    }
}

/* Landlock's user interface (Documentation/userspace-api/landlock.rst), declared here since headers may be older than kernels. */
struct ll_ruleset {
    uint64_t fs, net, scoped;
};
struct ll_path {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));
enum { LL_EXECUTE = 1, LL_WRITE = 2, LL_READ = 4, LL_READ_DIR = 8, LL_MAKE_CHAR = 1 << 6, LL_MAKE_BLOCK = 1 << 11, LL_TRUNCATE = 1 << 14, LL_IOCTL = 1 << 15 };
enum { LL_SCOPE_ABSTRACT = 1, LL_SCOPE_SIGNAL = 2 };

static uint64_t landlock_rights(const char *words, uint64_t handled) {
    const uint64_t read = LL_READ | LL_READ_DIR;
    if (!strcmp(words, "rx")) return read | LL_EXECUTE;
    if (!strcmp(words, "r")) return read;
    if (!strcmp(words, "x")) return LL_EXECUTE;
    if (!strcmp(words, "dev")) return (LL_READ | LL_WRITE | LL_TRUNCATE | LL_IOCTL) & handled;
    uint64_t write = handled & ~(uint64_t)(LL_MAKE_CHAR | LL_MAKE_BLOCK | LL_EXECUTE);
    return !strcmp(words, "rwx") ? write | LL_EXECUTE : write;
}

void restrict_files(const struct spec *spec, int life) {
    static const int rights_by_abi[] = {0, 13, 14, 15, 15, 16}; /* file rights known to ABI 1..5; later ABIs add none */
    if (!spec_get(spec, "landlock", 1, NULL)) return;
    long abi = syscall(444, NULL, 0, 1);
    if (abi < 1) step_failed(life, "landlock", "the kernel has none");
    /* Landlock refuses every mount to whom it restricts files. Where mounts are allowed it can say nothing of files: the root is
     * read-only and locked to a namespace that does not own it, which is what stands behind Landlock in every sandbox. */
    int mounts = (kept_capabilities(spec) >> CAP_SYS_ADMIN & 1) != 0;
    struct ll_ruleset set = {.fs = mounts ? 0 : (1ull << rights_by_abi[abi > 5 ? 5 : abi]) - 1, .scoped = abi >= 6 ? LL_SCOPE_ABSTRACT | LL_SCOPE_SIGNAL : 0};
    if (!set.fs && !set.scoped) return;
    int ruleset = (int)syscall(444, &set, abi >= 6 ? sizeof set : abi >= 4 ? 16 : 8, 0);
    if (ruleset < 0) step_failed(life, "landlock ruleset", "");
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (!is_op(r, "landlock") || mounts) continue;
        if (r->count < 3) step_failed(life, "spec", "landlock");
        struct ll_path rule = {landlock_rights(r->field[1].data, set.fs), open(r->field[2].data, O_PATH | O_CLOEXEC)};
        if (rule.parent < 0) step_failed(life, "landlock path", r->field[2].data);
        if (syscall(445, ruleset, 1, &rule, 0)) step_failed(life, "landlock rule", r->field[2].data);
        close(rule.parent);
    }
    if (syscall(446, ruleset, 0)) step_failed(life, "landlock restrict", "");
    close(ruleset);
}

void install_seccomp(const struct spec *spec, int life) {
    for (int i = 0; i < spec->count; i++) {
        const struct record *r = &spec->record[i];
        if (!is_op(r, "seccomp")) continue;
        errno = EINVAL;
        if (r->count < 2 || !r->field[1].len || r->field[1].len % sizeof(struct sock_filter)) step_failed(life, "spec", "seccomp");
        struct sock_fprog program = {(unsigned short)(r->field[1].len / sizeof(struct sock_filter)), (struct sock_filter *)(uintptr_t)r->field[1].data};
        if (spec_get(spec, "watch", 0, NULL))
            install_with_listener(&program, life);
        else if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
            step_failed(life, "seccomp", "");
    }
}

void settle_descriptors(const int fds[4], int life) {
    int high[4];
    for (int i = 0; i < 4; i++)
        if ((high[i] = fcntl(fds[i], F_DUPFD, 16)) < 0) step_failed(life, "descriptor", "");
    for (int i = 0; i < 4; i++)
        if (dup2(high[i], i) < 0) step_failed(life, "descriptor", "");
    /* The life line goes too, but only when exec or the zygote's child is done with it. */
    unsigned keep = (unsigned)life;
    if (keep > 4 && syscall(SYS_close_range, 4u, keep - 1, 0)) step_failed(life, "close_range", "");
    if (syscall(SYS_close_range, keep + 1, ~0u, 0)) step_failed(life, "close_range", "");
}
