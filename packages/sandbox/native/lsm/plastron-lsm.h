/*
 * The tables that the BPF LSM object reads: what packages/policy/backends/bpf-lsm.ts writes, the loader puts into maps and the
 * programs look at. Little endian, no padding but what is named. A table file: "PLASTLSM", then u32 version, u32 count of sets,
 * files, sockets, connects, mounts, ptraces; then 64 capabilities, then each array in that order.
 */
#ifndef PLASTRON_LSM_H
#define PLASTRON_LSM_H

#define LSM_MAGIC "PLASTLSM"
#define LSM_VERSION 1u
#define MAX_SETS 64u
#define MAX_FILES 512u
#define MAX_SOCKETS 64u
#define MAX_CONNECTS 512u
#define MAX_MOUNTS 128u
#define MAX_PTRACES 16u
#define MAX_CAPABILITIES 64u
#define MAX_TOKENS 128u
#define PATH_BYTES 4096u

/* Of a rule. Neither: the entry is not there. */
enum { FLAG_DENY = 1, FLAG_REPORT = 2 };

/* Of a file rule. COPY: the file may not be executed, so it may not be read, linked or moved to another name either. */
enum { FILE_READ = 1, FILE_WRITE = 2, FILE_APPEND = 4, FILE_EXEC = 8, FILE_COPY = 16, FILE_EVERY = 31 };

enum { PTRACE_TRACE = 1, PTRACE_READ = 2, PTRACE_TRACEBY = 4, PTRACE_READBY = 8 };

enum {
    MOUNT_NEW = 1,
    MOUNT_BIND = 2,
    MOUNT_REMOUNT = 4,
    MOUNT_MOVE = 8,
    MOUNT_UMOUNT = 16,
    MOUNT_PRIVATE = 32,
    MOUNT_SLAVE = 64,
    MOUNT_SHARED = 128,
    MOUNT_UNBINDABLE = 256
};

/* A step of a glob is an operation and its argument. BETWEEN: one slash, or any names between two. */
enum { GLOB_END = 0, GLOB_PLAIN, GLOB_ONE, GLOB_ANY, GLOB_DEEP, GLOB_SET, GLOB_BETWEEN };

/* `last`: the plain byte that it ends with, or 0: most files are told apart by it at once. */
struct glob {
    __u8 last;
    __u8 zero[3];
    __u8 token[2 * MAX_TOKENS];
};

struct set_bits {
    __u8 bits[32];
};

struct capability_rule {
    __u32 rule, flags;
};

struct file_rule {
    __u32 rule, flags, permissions, zero;
    struct glob glob;
};

/* `families` and `types` 0: every one. `protocols` is how many of `protocol` count; 0: every one. */
struct socket_rule {
    __u32 rule, flags;
    __u64 families;
    __u32 types, protocols;
    __u16 protocol[8];
};

/* Addresses as IPv6 (IPv4 mapped), already masked. `ports` 0: every port. */
struct connect_rule {
    __u32 rule, flags, ports, zero;
    __u32 address[4], mask[4];
    __u16 port[16][2];
};

struct mount_rule {
    __u32 rule, flags, kinds;
    char fstype[20];
    struct glob glob;
};

struct ptrace_rule {
    __u32 rule, flags, permissions, strict;
};

struct counts {
    __u32 sets, files, sockets, connects, mounts, ptraces;
};

enum { EVENT_CAPABILITY = 1, EVENT_FILE, EVENT_EXEC, EVENT_SOCKET, EVENT_CONNECT, EVENT_PTRACE, EVENT_MOUNT };

/* `detail`: the capability; permissions; family, type, protocol; port; the other side's pid; kinds. */
struct event {
    __u32 kind, rule, denied, pid;
    __u32 detail[3], external;
    __u8 address[16];
    char comm[16];
    char text[512];
};
#endif
