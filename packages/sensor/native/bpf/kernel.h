// The few fields of the kernel's own structures that are read here. libbpf moves each access to where the running kernel has the
// field, so that no generated header of one kernel is needed; a field that it has not refuses the program by name.
#pragma once
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    u32 inum;
};
struct pid_namespace {
    struct ns_common ns;
};
struct upid {
    s32 nr;
    struct pid_namespace *ns;
};
struct pid {
    u32 level;
    struct upid numbers[];
};

struct qstr {
    const unsigned char *name;
};
struct hlist_bl_node {
    struct hlist_bl_node **pprev;
};
struct dentry {
    struct hlist_bl_node d_hash;
    struct dentry *d_parent;
    struct qstr d_name;
};
struct vfsmount {
    struct dentry *mnt_root;
};
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
    void *mnt_ns;
};
struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};
struct file {
    struct path f_path;
    u32 f_flags;
    u32 f_mode;
    void *private_data;
};
struct fdtable {
    u32 max_fds;
    struct file **fd;
};
struct files_struct {
    struct fdtable *fdt;
};
struct fs_struct {
    struct path pwd;
};

struct in6_addr_words {
    u32 word[4];
};
struct sock_common {
    u32 skc_daddr;
    u16 skc_dport;
    u16 skc_family;
    struct in6_addr_words skc_v6_daddr;
};
struct sock {
    struct sock_common __sk_common;
};
struct socket {
    struct sock *sk;
};

struct mm_struct {
    unsigned long arg_start, arg_end;
    struct file *exe_file;
};
struct live_count {
    s32 counter;
};
struct signal_struct {
    struct live_count live;
    s32 group_exit_code;
    s32 group_stop_count;
    u32 flags;
};
struct sigaction {
    void *sa_handler;
};
struct k_sigaction {
    struct sigaction sa;
};
struct sighand_struct {
    struct k_sigaction action[64];
};
struct thread_info {
    u32 status;
};
struct task_struct {
    struct thread_info thread_info;
    s32 pid, tgid;
    struct task_struct *group_leader;
    struct task_struct *real_parent;
    struct pid *thread_pid;
    struct mm_struct *mm;
    struct files_struct *files;
    struct fs_struct *fs;
    struct signal_struct *signal;
    struct sighand_struct *sighand;
    u64 start_boottime;
    void *vfork_done;
    s32 exit_code;
};
struct linux_binprm {
    struct file *file;
    const char *filename;
    const char *interp;
};

struct pt_regs {
#if defined(__TARGET_ARCH_x86)
    unsigned long r10, r9, r8, ax, cx, dx, si, di, orig_ax, bx, bp;
#else
    u64 regs[31];
    u64 orig_x0;
    s32 syscallno;
#endif
};
#pragma clang attribute pop
