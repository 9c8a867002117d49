#define _GNU_SOURCE
#include "egress.h"
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "name the architecture"
#endif

/* What moving bytes between sockets takes. No open, no exec, no fork, no memory that could be run. */
static const int CALLS[] = {SYS_ppoll, SYS_read, SYS_write, SYS_recvmsg, SYS_sendto,     SYS_sendmsg,    SYS_accept4,       SYS_connect,      SYS_shutdown,
                            SYS_close, SYS_getsockname, SYS_setsockopt, SYS_mmap, SYS_munmap, SYS_brk, SYS_mremap, SYS_clock_gettime, SYS_restart_syscall,
                            SYS_rt_sigreturn, SYS_exit, SYS_exit_group};
#define COUNT ((int)(sizeof CALLS / sizeof *CALLS))
#define DATA(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, skip)

static int filter(void) {
    struct sock_filter program[COUNT * 2 + 16];
    unsigned short n = 0;
    program[n++] = (struct sock_filter)DATA(arch);
    program[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
    program[n++] = (struct sock_filter)DATA(nr);
    for (int i = 0; i < COUNT; i++) {
        program[n++] = (struct sock_filter)UNLESS(CALLS[i], 1);
        program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    }
    /* New sockets are unix ones: an address of the host's networks is out of its reach even so. */
    program[n++] = (struct sock_filter)UNLESS(SYS_socket, 3);
    program[n++] = (struct sock_filter)DATA(args[0]);
    program[n++] = (struct sock_filter)UNLESS(AF_UNIX, 1);
    program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    program[n++] = (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS);
    struct sock_fprog all = {n, program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &all);
}

static int drop(long uid) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    for (int cap = 0; !prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); cap++) errno = 0;
    if (setgroups(0, NULL) || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) || setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid)) return -1;
    if (syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) return -1;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* after: a change of uid clears it */
}

static int limit(int which, rlim_t value) {
    struct rlimit now;
    if (getrlimit((unsigned)which, &now)) return -1;
    now.rlim_cur = now.rlim_max = value < now.rlim_max ? value : now.rlim_max;
    return setrlimit((unsigned)which, &now);
}

int relay_confine(const char *directory, long uid) {
    errno = EINVAL;
    if (uid <= 0 || chdir(directory) || chroot(".") || chdir("/")) return -1;
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_FSIZE, 0) || limit(RLIMIT_NOFILE, 2 * (EGRESS_FLOWS + EGRESS_QUESTIONS) + 32)) return -1;
    return drop(uid) || filter() ? -1 : 0;
}
