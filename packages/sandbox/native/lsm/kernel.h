/*
 * The kernel's structures, as far as the programs look into them. Their offsets are taken from the running kernel's own
 * description when they are loaded (CO-RE), so no header of a kernel is needed and one object fits many.
 */
#ifndef PLASTRON_LSM_KERNEL_H
#define PLASTRON_LSM_KERNEL_H
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
    __u32 len;
    const unsigned char *name;
};
struct file_system_type {
    const char *name;
};
struct list_head {
    struct list_head *next, *prev;
};
struct super_block {
    struct file_system_type *s_type;
    struct list_head s_mounts;
};
struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct super_block *d_sb;
};
struct vfsmount {
    struct dentry *mnt_root;
};
struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};
struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};
struct file {
    struct path f_path;
    unsigned int f_flags;
    unsigned int f_mode;
};
struct linux_binprm {
    struct file *file;
    const char *interp;
};
struct mm_struct {
    struct file *exe_file;
};
struct vm_area_struct {
    struct file *vm_file;
    unsigned long vm_flags;
};
struct ns_common {
    unsigned int inum;
};
struct mnt_namespace {
    struct ns_common ns;
};
struct nsproxy {
    struct mnt_namespace *mnt_ns;
};
struct task_struct {
    int tgid;
    struct mm_struct *mm;
    struct nsproxy *nsproxy;
};
struct sock_common {
    unsigned short skc_family;
};
struct sock {
    struct sock_common __sk_common;
};
struct unix_sock {
    struct path path;
};
struct socket {
    struct sock *sk;
};
struct msghdr {
    void *msg_name;
    int msg_namelen;
};
struct sockaddr {
    unsigned short sa_family;
};
struct cred;
struct user_namespace;

#pragma clang attribute pop
#endif
