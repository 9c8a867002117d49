/* Where a file is: its path from the root of the mount namespace, whatever root or working directory the task has. */
#ifndef PLASTRON_LSM_PATH_H
#define PLASTRON_LSM_PATH_H

/* Of one task alone, since two tasks may be in the middle of a hook on one processor. */
struct scratch {
    char path[PATH_BYTES + 256];
};

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, struct scratch);
} scratches SEC(".maps");

struct walk {
    struct scratch *scratch;
    struct dentry *dentry;
    struct vfsmount *vfsmount;
    __u32 start, ended;
};

/* One name, or one mount, upwards. */
static long walk_step(__u32 index, void *context) {
    struct walk *w = context;
    struct dentry *dentry = w->dentry;
    struct vfsmount *vfsmount = w->vfsmount;
    (void)index;
    if (dentry == BPF_CORE_READ(vfsmount, mnt_root)) {
        struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt), *parent = BPF_CORE_READ(mount, mnt_parent);
        if (parent == mount) {
            w->ended = 1;
            return 1;
        }
        w->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        w->vfsmount = (void *)parent + bpf_core_field_offset(struct mount, mnt);
        return 0;
    }
    struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
    if (parent == dentry) {
        w->ended = 1;
        return 1;
    }
    __u32 length = BPF_CORE_READ(dentry, d_name.len) & 255;
    if (w->start < length + 1 || w->start > PATH_BYTES) return 1;
    w->start -= length + 1;
    __u32 at = w->start & (PATH_BYTES - 1);
    w->scratch->path[at] = '/';
    bpf_probe_read_kernel(&w->scratch->path[at + 1], length, BPF_CORE_READ(dentry, d_name.name));
    w->dentry = parent;
    return 0;
}

/*
 * Writes the path to the end of `scratch`, from `*start`. 0, or -1 where it is longer than any path may be: deny then.
 * What is in no directory (a pipe, a memfd) is "/".
 */
static __always_inline int path_of(struct scratch *scratch, struct vfsmount *mount, struct dentry *dentry, __u32 *start) {
    struct walk w = {.scratch = scratch, .dentry = dentry, .vfsmount = mount, .start = PATH_BYTES, .ended = 0};
    bpf_loop(PATH_BYTES, walk_step, &w, 0);
    if (!w.ended) return -1;
    if (w.start == PATH_BYTES) scratch->path[(--w.start) & (PATH_BYTES - 1)] = '/';
    *start = w.start;
    return 0;
}
#endif
