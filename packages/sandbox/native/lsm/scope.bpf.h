/*
 * Whom the rules hold for: mount namespaces and cgroups (with all below them) that the loader names. Whoever was seen in one
 * once keeps the mark, and so do its children. Every way into another namespace asks for a capability while the task is still in
 * the old one, so that it is marked by then at the latest: a new namespace is no way out.
 */
#ifndef PLASTRON_LSM_SCOPE_H
#define PLASTRON_LSM_SCOPE_H

#define MAX_SCOPES 4096
#define MAX_CGROUP_DEPTH 12
#define E_PERM 1

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MAX_SCOPES);
    __type(key, __u32);
    __type(value, __u8);
} mount_namespaces SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MAX_SCOPES);
    __type(key, __u64);
    __type(value, __u8);
} cgroups SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, int);
    __type(value, __u32);
} marks SEC(".maps");

static __always_inline int is_marked(struct task_struct *task) {
    return bpf_task_storage_get(&marks, task, 0, 0) != 0;
}

static __always_inline int in_named_namespace(struct task_struct *task) {
    __u32 inum = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
    return bpf_map_lookup_elem(&mount_namespaces, &inum) != 0;
}

static __always_inline int in_named_cgroup(void) {
#pragma unroll
    for (int level = 0; level < MAX_CGROUP_DEPTH; level++) {
        __u64 id = bpf_get_current_ancestor_cgroup_id(level);
        if (!id) break;
        if (bpf_map_lookup_elem(&cgroups, &id)) return 1;
    }
    return 0;
}

/* Whether the rules hold for the task that called. Where the mark cannot be kept they hold at least now. */
static __always_inline int is_confined(void) {
    struct task_struct *task = bpf_get_current_task_btf();
    if (is_marked(task)) return 1;
    if (!in_named_namespace(task) && !in_named_cgroup()) return 0;
    __u32 one = 1;
    bpf_task_storage_get(&marks, task, &one, BPF_LOCAL_STORAGE_GET_F_CREATE);
    return 1;
}

SEC("lsm/task_alloc")
int BPF_PROG(inherit, struct task_struct *child, unsigned long flags, int ret) {
    __u32 one = 1;
    if (ret) return ret;
    if (!is_confined()) return 0;
    return bpf_task_storage_get(&marks, child, &one, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -E_PERM;
}
#endif
