// The path of a file from the kernel's own tree, so that it is the file's and not what a program says or has said.
#pragma once
#include "emit.h"

#define DEEP 48
#define LONG 1024

static __always_inline int is_in_no_tree(void *mnt_ns) {
    return mnt_ns == 0 || (unsigned long)mnt_ns >= (unsigned long)-4095;
}

static __noinline int add_path(struct scratch *s, struct vfsmount *at, struct dentry *dentry, u32 which) {
    if (!s || which >= PARTS) return 0;
    u32 from = s->size, flags = CUT;
    if (!at || !dentry || from > DATA - 2048) return 0;
    struct mount *mount = (void *)at - bpf_core_field_offset(struct mount, mnt);
    struct dentry *root = BPF_CORE_READ(at, mnt_root);
    u32 deleted = dentry != root && BPF_CORE_READ(dentry, d_hash.pprev) == 0 ? DELETED : 0;
    for (int i = 0; i < DEEP; i++) {
        if (dentry == root) {
            struct mount *parent = BPF_CORE_READ(mount, mnt_parent);
            if (parent == mount) {
                flags = is_in_no_tree(BPF_CORE_READ(mount, mnt_ns)) ? ANONYMOUS : 0;
                break;
            }
            dentry = BPF_CORE_READ(mount, mnt_mountpoint);
            mount = parent;
            root = BPF_CORE_READ(mount, mnt.mnt_root);
            continue;
        }
        // Parent and name in one go: they lie beside each other.
        u64 block[4] = {};
        u32 parent_at = bpf_core_field_offset(struct dentry, d_parent), name_at = bpf_core_field_offset(struct dentry, d_name.name);
        if (name_at - parent_at == 16) {
            bpf_probe_read_kernel(block, 24, (void *)dentry + parent_at);
        } else {
            bpf_probe_read_kernel(&block[0], 8, (void *)dentry + parent_at);
            bpf_probe_read_kernel(&block[2], 8, (void *)dentry + name_at);
        }
        struct dentry *parent = (struct dentry *)block[0];
        // Its own parent, and no root of a mount: what never had a place in a tree (memfd) has a name all the same.
        if (parent == dentry) flags = ANONYMOUS;
        if (parent == dentry && i > 0) break;
        // The size stays in memory: in a register the verifier would follow each of its values through each turn of the loop.
        if (s->size - from > LONG - 256) break;
        s64 n = bpf_probe_read_kernel_str(&s->data[s->size & (DATA - 1024 - 1)], 256, (const void *)block[2]);
        if (n <= 0 || n > 256) break;
        *(volatile u32 *)&s->size += n;
        if (parent == dentry) break;
        dentry = parent;
    }
    // An empty walk is the root itself: one NUL says that there was a walk.
    if (s->size == from) {
        s->data[from & (DATA - 1024 - 1)] = 0;
        s->size = from + 1;
    }
    part(s, which, from, flags | deleted);
    return 0;
}

static __always_inline void add_file(struct scratch *s, struct file *file, u32 which) {
    if (!file) return;
    struct path path = BPF_CORE_READ(file, f_path);
    add_path(s, path.mnt, path.dentry, which);
}

static __always_inline struct file *file_at(struct task_struct *task, u32 fd) {
    struct fdtable *table = BPF_CORE_READ(task, files, fdt);
    struct file *file = 0;
    struct file **files = BPF_CORE_READ(table, fd);
    if (fd < BPF_CORE_READ(table, max_fds)) bpf_probe_read_kernel(&file, sizeof file, files + fd);
    return file;
}
