/** Numbers of Linux's user interface that filters compare with, each from the header named. Equal on x86-64 and 64-bit Arm. */

/** linux/sched.h: every flag of clone(2) that makes a namespace. (CLONE_NEWTIME exists for clone3 and unshare only.) */
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWCGROUP = 0x02000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEW_ANY = 0x7e020000;

/** linux/socket.h, linux/net.h, linux/in.h */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const AF_ALG = 38;
export const AF_VSOCK = 40;
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_ICMP = 1;
export const IPPROTO_ICMPV6 = 58;
export const IPPROTO_UDPLITE = 136;
export const IPPROTO_MPTCP = 262;
export const NETLINK_AUDIT = 9;
export const SOL_SOCKET = 1;
export const SO_ATTACH_FILTER = 26;
export const SO_ATTACH_BPF = 50;
export const SO_ATTACH_REUSEPORT_CBPF = 51;
export const SO_ATTACH_REUSEPORT_EBPF = 52;

/** linux/bpf.h */
export const BPF_PROG_LOAD = 5;

/** linux/stat.h, asm-generic/fcntl.h */
export const S_IFMT = 0o170000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFIFO = 0o010000;
export const S_IFSOCK = 0o140000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_IXUGO = 0o111;
export const O_CREAT = 0o100;
/** The bit of O_TMPFILE that is its own (the other is O_DIRECTORY, which differs by architecture). */
export const O_TMPFILE_BIT = 0o20000000;

/** linux/memfd.h, asm-generic/mman-common.h, linux/shm.h */
export const MFD_NOEXEC_SEAL = 8;
export const MFD_HUGETLB = 4;
export const MAP_HUGETLB = 0x40000;
export const SHM_HUGETLB = 0o4000;

/** linux/time.h, linux/prctl.h, linux/syslog.h (sizes may be asked by anybody, and so may everything where dmesg is not restricted). */
export const CLOCK_REALTIME_ALARM = 8;
export const CLOCK_BOOTTIME_ALARM = 9;
export const PR_CAPBSET_DROP = 24;
export const SYSLOG_ACTION_READ_ALL = 3;
export const SYSLOG_ACTION_SIZE_BUFFER = 10;

/** asm-generic/resource.h */
export const RLIMIT_CORE = 4;

/** asm-generic/ioctls.h: put bytes into a terminal's input; console selection; line disciplines (a source of kernel bugs). */
export const TIOCSTI = 0x5412;
export const TIOCLINUX = 0x541c;
export const TIOCSETD = 0x5423;

/** linux/personality.h: 0xffffffff only asks. */
export const PERSONALITY_ASK = 0xffffffff;
