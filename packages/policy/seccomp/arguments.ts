/**
 * How wide the kernel reads each argument. A register has 64 bits, but a call that takes an `int` looks at the low 32 only:
 * a filter that compares all 64 is passed by setting a high bit (`bpf(5 | 1 << 32)` loads a program all the same).
 *
 * One letter an argument: `i` int, unsigned int and narrower ids (32 bits), `m` umode_t (16 bits), `-` long or pointer (64).
 * Taken from the SYSCALL_DEFINE lines of Linux 6.x, and further in where those take a long and then keep its lower 32 bits:
 * `clone`, the pid of `ptrace`, the descriptors of `mmap`, `readv` and their like. What is not listed is compared on 64 bits.
 */
const SHAPES: readonly (readonly [shape: string, names: string])[] = [
  ["----i", "add_key lsetxattr mmap setxattr"],
  ["---i", "listmount listns pkey_mprotect request_key statmount"],
  ["---i-i", "futex_wait"],
  ["--i", "getrandom ioperm landlock_create_ruleset lsm_list_modules madvise map_shadow_stack mlock2 msync readlink"],
  ["--i--i", "mbind"],
  ["--ii", "futex_wake"],
  ["-i", "access delete_module fsopen memfd_create pipe2 ppoll ptrace setdomainname sethostname swapon symlinkat umount2"],
  ["-ii", "chown lchown poll"],
  ["-ii--i", "futex"],
  ["-ii-i", "futex_waitv"],
  ["-iii", "futex_requeue perf_event_open rseq"],
  ["-im", "mq_open open"],
  ["-m", "chmod creat mkdir"],
  ["-mi", "mknod"],
  [
    "i",
    [
      "accept alarm arch_prctl clock_adjtime clock_getres clock_gettime clock_settime clone close dup epoll_create epoll_create1 eventfd exit",
      "exit_group fchdir fdatasync fgetxattr flistxattr fremovexattr fstat fstatfs fsync ftruncate futimesat get_robust_list getgroups getitimer",
      "getpeername getpgid getrlimit getrusage getsid getsockname inotify_init1 io_setup io_uring_setup iopl keyctl memfd_secret migrate_pages",
      "mlockall modify_ldt mq_getsetattr mq_notify mq_timedreceive openat2 personality pkey_free prctl pread64 preadv process_vm_readv",
      "process_vm_writev pselect6 pwrite64 pwritev read readahead readv rt_sigaction rt_sigprocmask sched_get_priority_max sched_get_priority_min",
      "sched_getparam sched_getscheduler sched_rr_get_interval sched_setparam select set_mempolicy setfsgid setfsuid setgid setgroups setitimer",
      "setrlimit setuid signalfd syncfs sysfs timer_create timer_delete timer_getoverrun timer_gettime timerfd_gettime umask userfaultfd ustat",
      "write writev",
    ].join(" "),
  ],
  ["i----i", "move_pages preadv2 pwritev2"],
  ["i---i", "execveat file_getattr file_setattr fsetxattr msgrcv name_to_handle_at"],
  [
    "i--i",
    ["accept4 cachestat fadvise64 lsm_get_self_attr mq_timedsend msgsnd newfstatat readlinkat recvfrom signalfd4 sync_file_range utimensat", "vmsplice"].join(
      " ",
    ),
  ],
  ["i--i-i", "sendto"],
  ["i--ii", "process_madvise"],
  [
    "i-i",
    [
      "bind bpf connect epoll_pwait2 faccessat finit_module fspick getdents getdents64 getxattrat inotify_add_watch listxattrat lseek mount_setattr",
      "open_by_handle_at open_tree open_tree_attr quotactl recvmsg removexattrat renameat sched_setattr semop semtimedop sendmsg setxattrat shmat",
      "shmget syslog unlinkat wait4",
    ].join(" "),
  ],
  ["i-i--i", "copy_file_range splice"],
  ["i-i-i", "linkat move_mount renameat2"],
  ["i-ii", "epoll_pwait epoll_wait faccessat2 lsm_set_self_attr recvmmsg sched_getattr sendmmsg statx"],
  ["i-iii", "fchownat"],
  ["i-im", "openat"],
  ["i-m", "fchmodat mkdirat"],
  ["i-mi", "fchmodat2 mknodat"],
  [
    "ii",
    [
      "clock_nanosleep dup2 eventfd2 fallocate fanotify_init fcntl flock getpriority inotify_rm_watch ioctl ioprio_get kexec_file_load kill",
      "landlock_restrict_self listen msgctl msgget pidfd_open prlimit64 process_mrelease rt_sigqueueinfo sched_getaffinity sched_setaffinity",
      "sched_setscheduler seccomp sendfile setns setpgid setregid setreuid shmctl shutdown timer_settime timerfd_create timerfd_settime tkill",
    ].join(" "),
  ],
  ["ii--i", "fsconfig"],
  ["ii-i", "fanotify_mark io_uring_register landlock_add_rule pidfd_send_signal tee waitid"],
  [
    "iii",
    [
      "close_range dup3 epoll_ctl fchown fsmount getsockopt ioprio_set kcmp membarrier pidfd_getfd quotactl_fd reboot rt_tgsigqueueinfo semctl",
      "semget setpriority setresgid setresuid socket socketpair tgkill",
    ].join(" "),
  ],
  ["iii-i", "setsockopt"],
  ["iiii", "io_uring_enter"],
  ["im", "fchmod"],
];

const ARGUMENTS: ReadonlyMap<string, string> = new Map(SHAPES.flatMap(([shape, names]) => names.split(" ").map((name) => [name, shape])));

const WIDTHS = { i: 32, m: 16, "-": 64 } as const;
export type Width = 16 | 32 | 64;

/** Bits of argument `index` that the kernel looks at when `name` is called. */
export function argumentWidth(name: string, index: number): Width {
  const letter = (ARGUMENTS.get(name) ?? "")[index] ?? "-";
  return WIDTHS[letter as keyof typeof WIDTHS];
}
