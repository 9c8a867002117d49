/* Mounts, by what is mounted and how. A remount, a change of propagation and an unmount are known by their place. */
#ifndef PLASTRON_LSM_MOUNTS_H
#define PLASTRON_LSM_MOUNTS_H

#define FLAG_REMOUNT 32ul
#define FLAG_BIND 4096ul
#define FLAG_MOVE 8192ul
#define FLAG_UNBINDABLE (1ul << 17)
#define FLAG_PRIVATE (1ul << 18)
#define FLAG_SLAVE (1ul << 19)
#define FLAG_SHARED (1ul << 20)

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_MOUNTS);
    __type(key, __u32);
    __type(value, struct mount_rule);
} mounts SEC(".maps");

/* `every_source`: what is mounted has no name that could be trusted, so every rule's source matches. */
struct mount_search {
    struct scratch *scratch;
    __u32 start, length, kinds, every_source;
    char fstype[20];
    struct verdict verdict;
};

static long try_mount_rule(__u32 index, void *context) {
    struct mount_search *search = context;
    const struct mount_rule *rule = bpf_map_lookup_elem(&mounts, &index);
    if (!rule) return 1;
    if (!(rule->kinds & search->kinds)) return 0;
    if (search->kinds == MOUNT_NEW && rule->fstype[0] != '*') {
#pragma unroll
        for (int i = 0; i < 20; i++) {
            if (rule->fstype[i] != search->fstype[i]) return 0;
            if (!rule->fstype[i]) break;
        }
    }
    if (search->every_source || glob_matches(&rule->glob, search->scratch->path, search->start, search->length))
        found(&search->verdict, rule->rule, rule->flags);
    return 0;
}

static __always_inline int settle_mount(struct mount_search *search) {
    const struct counts *have = counted();
    if (!have) return -E_PERM;
    bpf_loop(have->mounts, try_mount_rule, search, 0);
    struct event *event = record(&search->verdict, EVENT_MOUNT);
    if (event) {
        event->detail[0] = search->kinds;
        __builtin_memcpy(event->address, search->fstype, sizeof event->address);
        bpf_probe_read_kernel_str(event->text, sizeof event->text, &search->scratch->path[search->start & (PATH_BYTES - 1)]);
        bpf_ringbuf_submit(event, 0);
    }
    return answer(&search->verdict);
}

/* As the kernel decides it (path_mount in fs/namespace.c): the first of these that is set. */
static __always_inline __u32 kind_of(unsigned long flags) {
    if (flags & FLAG_REMOUNT) return MOUNT_REMOUNT;
    if (flags & FLAG_BIND) return MOUNT_BIND;
    if (flags & FLAG_SHARED) return MOUNT_SHARED;
    if (flags & FLAG_PRIVATE) return MOUNT_PRIVATE;
    if (flags & FLAG_SLAVE) return MOUNT_SLAVE;
    if (flags & FLAG_UNBINDABLE) return MOUNT_UNBINDABLE;
    return flags & FLAG_MOVE ? MOUNT_MOVE : MOUNT_NEW;
}

/* The name as the caller wrote it. What is not a plain absolute path could lead anywhere. */
static __always_inline void take_source(struct mount_search *search, const char *source) {
    long length = source ? bpf_probe_read_kernel_str(search->scratch->path, PATH_BYTES, source) : 0;
    search->length = length > 0 ? (__u32)length - 1 : 0;
    search->scratch->path[search->length & (PATH_BYTES - 1)] = 0;
}

/* Ends at a name that is empty or begins with a dot. */
static long plain_step(__u32 index, void *context) {
    const struct mount_search *search = context;
    __u32 at = index & (PATH_BYTES - 1);
    char now = search->scratch->path[at], next = search->scratch->path[at + 1];
    return now == '/' && (next == '/' || next == '.');
}

static __always_inline int is_plain(struct mount_search *search) {
    if (search->length == 0 || search->scratch->path[0] != '/') return 0;
    /* At `length` stands a zero, which ends nothing: as many steps as that mean that no name ended the loop. */
    __u32 length = search->length & (PATH_BYTES - 1);
    return bpf_loop(length + 1, plain_step, search, 0) == length + 1;
}

SEC("lsm/sb_mount")
int BPF_PROG(mount_tree, const char *source, const struct path *path, const char *type, unsigned long flags, void *data, int ret) {
    if (ret || !is_confined()) return ret;
    struct mount_search search = {.scratch = own_scratch(), .kinds = kind_of(flags)};
    const struct counts *have = counted();
    if (!have || !have->mounts) return 0;
    if (!search.scratch) return -E_PERM;
    if (search.kinds & (MOUNT_NEW | MOUNT_BIND | MOUNT_MOVE)) {
        take_source(&search, source);
        if (search.kinds == MOUNT_NEW && type) bpf_probe_read_kernel_str(search.fstype, sizeof search.fstype, type);
        if (search.kinds != MOUNT_NEW) search.every_source = !is_plain(&search);
    } else {
        if (path_of(search.scratch, BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry), &search.start)) return -E_PERM;
        search.length = PATH_BYTES - search.start;
        search.scratch->path[PATH_BYTES] = 0;
    }
    return settle_mount(&search);
}

static __always_inline struct mount *mount_of(const struct path *path) {
    return (void *)BPF_CORE_READ(path, mnt) - bpf_core_field_offset(struct mount, mnt);
}

/* Whether this is the only view of its file system: what fsmount made, and not what open_tree copied. */
static __always_inline int is_only_view(const struct path *path) {
    struct super_block *block = BPF_CORE_READ(path, dentry, d_sb);
    return BPF_CORE_READ(block, s_mounts.next) == BPF_CORE_READ(block, s_mounts.prev);
}

/* A tree that was somewhere is moved; one that was nowhere is new or, where its file system has other views, a bind of any of them. */
SEC("lsm/move_mount")
int BPF_PROG(attach_tree, const struct path *from, const struct path *to, int ret) {
    if (ret || !is_confined()) return ret;
    struct mount *mount = mount_of(from);
    int attached = BPF_CORE_READ(mount, mnt_parent) != mount;
    const struct path *named = attached ? from : to;
    struct mount_search search = {.scratch = own_scratch(), .every_source = !attached, .kinds = attached ? MOUNT_MOVE : MOUNT_NEW};
    const struct counts *have = counted();
    if (!have || !have->mounts) return 0;
    if (!search.scratch || path_of(search.scratch, BPF_CORE_READ(named, mnt), BPF_CORE_READ(named, dentry), &search.start)) return -E_PERM;
    search.length = PATH_BYTES - search.start;
    search.scratch->path[PATH_BYTES] = 0;
    bpf_probe_read_kernel_str(search.fstype, sizeof search.fstype, BPF_CORE_READ(from, dentry, d_sb, s_type, name));
    int denied = settle_mount(&search);
    if (denied || attached || is_only_view(from)) return denied;
    search.verdict.reported = 0;
    search.kinds = MOUNT_BIND;
    return settle_mount(&search);
}

SEC("lsm/sb_umount")
int BPF_PROG(unmount_tree, struct vfsmount *mount, int flags, int ret) {
    if (ret || !is_confined()) return ret;
    struct mount_search search = {.scratch = own_scratch(), .kinds = MOUNT_UMOUNT};
    const struct counts *have = counted();
    if (!have || !have->mounts) return 0;
    if (!search.scratch || path_of(search.scratch, mount, BPF_CORE_READ(mount, mnt_root), &search.start)) return -E_PERM;
    search.length = PATH_BYTES - search.start;
    search.scratch->path[PATH_BYTES] = 0;
    return settle_mount(&search);
}
#endif
