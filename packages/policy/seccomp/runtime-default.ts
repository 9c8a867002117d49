import * as linux from "./constants.ts";
import { absent, allow, eq, errno, maskedEq, not, type Profile } from "./profile.ts";

/**
 * What containerd and Docker let a container call that has no capability beyond their usual ones: the `RuntimeDefault` of a pod. The
 * calls that they give with one of those capabilities are in (chroot), the others are not (mount, bpf, perf_event_open).
 * Facts of containerd's contrib/seccomp and moby's profiles/seccomp, for x86-64 and 64-bit Arm on Linux 4.8 and later.
 */
export const RUNTIME_DEFAULT: Profile = {
  otherwise: errno("EPERM"),
  unknown: errno("ENOSYS"),
  entries: [
    allow("accept accept4 access alarm bind brk cachestat capget capset chdir chmod chown clock_adjtime clock_getres clock_gettime clock_nanosleep close"),
    allow("close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait"),
    allow("epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fanotify_mark fchdir fchmod fchmodat"),
    allow("fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex"),
    allow("futex_requeue futex_wait futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups getitimer"),
    allow("getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname"),
    allow("getsockopt get_thread_area gettid gettimeofday getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel"),
    allow("ioctl io_destroy io_getevents io_pgetevents ioprio_get ioprio_set io_setup io_submit kill landlock_add_rule landlock_create_ruleset"),
    allow("landlock_restrict_self lchown lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise"),
    allow("map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr"),
    allow("mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap"),
    allow("name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll"),
    allow("ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv"),
    allow("recvfrom recvmmsg recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction"),
    allow("rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr"),
    allow("sched_getparam sched_get_priority_max sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr"),
    allow("sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto setfsgid setfsuid"),
    allow("setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit set_robust_list setsid setsockopt set_thread_area"),
    allow("set_tid_address setuid setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx"),
    allow("symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime"),
    allow("timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat uretprobe utime utimensat utimes vfork vmsplice"),
    allow("wait4 waitid write writev process_vm_readv process_vm_writev ptrace arch_prctl modify_ldt chroot"),
    // All but vsock, which leads to the hypervisor.
    allow("socket", not(0, linux.AF_VSOCK)),
    ...[0, 8, 0x20000, 0x20008, linux.PERSONALITY_ASK].map((value) => allow("personality", eq(0, value))),
    allow("clone", maskedEq(0, linux.CLONE_NEW_ANY, 0)),
    absent("clone3"),
  ],
};
