import * as linux from "./constants.ts";
import { FAMILIES, type Family } from "./families.ts";
import { absent, allow, anyBits, deny, type Entry, eq, errno, maskedEq, type Profile } from "./profile.ts";

/**
 * The system calls that every sandbox may use, whatever its policy: enough for CPython, numpy, Node, bash and what they start.
 * It is a list of what is allowed. A known call that is not here answers EPERM, a number that does not exist ENOSYS.
 *
 * Rules of policies are laid over it (profile.ts): they can take away and never give. Only an operator's consent lifts parts of it.
 */
export function floorProfile(denials: readonly Entry[] = [], lifted: readonly Family[] = []): Profile {
  const given = lifted.flatMap((family) => FAMILIES[family]);
  const entries = [...denials, ...given, ...FALLBACKS, ...PLAIN, ...PROCESSES, ...SOCKETS, ...FILES, ...ODDS];
  return { otherwise: errno("EPERM"), unknown: errno("ENOSYS"), entries };
}

/**
 * Calls with an older way that every caller knows: as if the kernel were too old for them.
 * clone3 and openat2 hide their flags behind a pointer that a filter cannot follow. Node aborts if clone3 says EPERM.
 */
const FALLBACKS: Entry[] = [
  absent("clone3 openat2 io_uring_setup io_uring_enter io_uring_register"),
  // Kernel-wide, not a user's or a cgroup's: one sandbox could take all of fs.aio-max-nr. Who finds none uses threads.
  absent("io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy"),
  absent("futex_wait futex_wake futex_requeue map_shadow_stack cachestat statmount listmount listns file_getattr file_setattr"),
  absent("setxattrat getxattrat listxattrat removexattrat lsm_get_self_attr lsm_set_self_attr lsm_list_modules"),
];

const PLAIN: Entry[] = [
  // Reading, writing, seeking.
  allow("read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek sendfile splice tee vmsplice copy_file_range readahead fadvise64"),
  allow("close close_range dup dup2 dup3 fcntl flock pipe pipe2 fsync fdatasync sync_file_range syncfs ftruncate truncate fallocate"),
  // Names and metadata.
  allow("stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getdents getdents64 getcwd chdir fchdir umask"),
  allow("mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat chown fchown lchown fchownat"),
  allow("utime utimes futimesat utimensat inotify_init inotify_init1 inotify_add_watch inotify_rm_watch"),
  allow("getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr"),
  // Memory.
  allow("brk mmap munmap mremap mprotect madvise msync mincore mlock mlock2 mlockall munlock munlockall mseal membarrier get_mempolicy"),
  allow("pkey_alloc pkey_free pkey_mprotect"),
  // Waiting.
  allow("poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4"),
  allow("futex futex_waitv get_robust_list set_robust_list rseq restart_syscall pause nanosleep clock_nanosleep"),
  // Time.
  allow("clock_gettime clock_getres gettimeofday time times alarm getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete"),
  allow("timerfd_create timerfd_settime timerfd_gettime"),
  // System V and POSIX queues: all of them within the sandbox's own namespaces.
  allow("shmget shmat shmdt shmctl semget semop semtimedop semctl"),
  allow("msgget msgsnd msgrcv msgctl mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr"),
];

const PROCESSES: Entry[] = [
  allow("clone", maskedEq(0, linux.CLONE_NEW_ANY, 0)),
  allow("fork vfork execve execveat exit exit_group wait4 waitid kill tkill tgkill pidfd_open pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo"),
  allow("rt_sigaction rt_sigprocmask rt_sigpending rt_sigtimedwait rt_sigsuspend rt_sigreturn sigaltstack set_tid_address arch_prctl prctl"),
  allow("getpid getppid gettid getpgid getpgrp setpgid getsid setsid getcpu getrusage sysinfo uname getrandom"),
  // Ids may be set to what they are; the user namespace maps no others. capset can only drop.
  allow("getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid setresgid setfsuid setfsgid setgroups"),
  allow("capget capset getrlimit setrlimit prlimit64 getpriority setpriority ioprio_get ioprio_set"),
  allow("sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_getattr sched_setattr"),
  allow("sched_get_priority_max sched_get_priority_min sched_rr_get_interval"),
  // Programs may sandbox themselves further: these only ever tighten.
  allow("seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self"),
];

/** AF_UNIX, and TCP and UDP over IP. Everything else (netlink, packet, vsock, AF_ALG, raw, SCTP, MPTCP...) is attack surface of the kernel. */
const SOCKETS: Entry[] = [
  ...[linux.SOCK_STREAM, linux.SOCK_DGRAM, linux.SOCK_SEQPACKET].map((type) =>
    allow("socket socketpair", eq(0, linux.AF_UNIX), maskedEq(1, linux.SOCK_TYPE_MASK, type)),
  ),
  ...[linux.AF_INET, linux.AF_INET6].flatMap((family) =>
    [[linux.SOCK_STREAM, linux.IPPROTO_TCP] as const, [linux.SOCK_DGRAM, linux.IPPROTO_UDP] as const].flatMap(([type, protocol]) =>
      [0, protocol].map((number) => allow("socket", eq(0, family), maskedEq(1, linux.SOCK_TYPE_MASK, type), eq(2, number))),
    ),
  ),
  allow("bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg"),
];

const FILES: Entry[] = [
  allow("open openat creat chmod fchmod fchmodat fchmodat2 memfd_create"),
  ...setModeDenials(linux.S_ISUID),
  // No device nodes: regular files, pipes and sockets only.
  ...[0, linux.S_IFREG, linux.S_IFIFO, linux.S_IFSOCK].flatMap((type) => [
    allow("mknod", maskedEq(1, linux.S_IFMT, type)),
    allow("mknodat", maskedEq(2, linux.S_IFMT, type)),
  ]),
];

const ODDS: Entry[] = [
  allow("ioctl"),
  // Reserved huge pages are the host's (a database's, mostly), and no cgroup of ours counts them.
  deny("mmap", anyBits(3, linux.MAP_HUGETLB)),
  deny("memfd_create", anyBits(1, linux.MFD_HUGETLB)),
  deny("shmget", anyBits(2, linux.SHM_HUGETLB)),
  ...coreLimitStays(),
  ...[linux.TIOCSTI, linux.TIOCLINUX, linux.TIOCSETD].map((command) => deny("ioctl", eq(1, command))),
  allow("personality", eq(0, 0)),
  allow("personality", eq(0, linux.PERSONALITY_ASK)),
];

/**
 * A crash must not start the host's handler of core dumps, which runs as root outside of everything. Only a limit of exactly 1
 * byte prevents that (a limit of 0 does not: core(5)), so the driver sets it and here it stays. Programs that turn dumps off
 * are told that it is done, for it is.
 */
function coreLimitStays(): Entry[] {
  const done: Entry["verdict"] = { action: "errno", errno: 0 };
  return [
    { names: ["setrlimit"], verdict: done, when: [eq(0, linux.RLIMIT_CORE)] },
    { names: ["prlimit64"], verdict: done, when: [eq(1, linux.RLIMIT_CORE), { index: 2, op: "ne", value: 0n }] },
  ];
}

/** Refuses every way to give a file one of the mode bits of `bits`: the chmod family, and creating the file with them. */
export function setModeDenials(bits: number): Entry[] {
  return [
    ...chmodDenials(bits),
    deny("creat mknod", anyBits(1, bits)),
    deny("mknodat", anyBits(2, bits)),
    ...[linux.O_CREAT, linux.O_TMPFILE_BIT].flatMap((flag) => [
      // Without these flags the mode is not read, and the register may hold anything.
      deny("open", anyBits(1, flag), anyBits(2, bits)),
      deny("openat", anyBits(2, flag), anyBits(3, bits)),
    ]),
  ];
}

/** Refuses setting one of the mode bits of `bits` on a file that exists. A POSIX ACL is an attribute that sets the execute bits too. */
export function chmodDenials(bits: number): Entry[] {
  const byAcl = bits & linux.S_IXUGO ? [deny("setxattr lsetxattr fsetxattr")] : [];
  return [deny("chmod fchmod", anyBits(1, bits)), deny("fchmodat fchmodat2", anyBits(2, bits)), ...byAcl];
}
