// Whose is a task? A sandbox is its pid namespace (docs/adr/0014).
#pragma once
#include "maps.h"

#define CLIMB 4

#define NUMBERS (bpf_core_field_offset(struct pid, numbers))
#define NUMBER_SIZE (bpf_core_type_size(struct upid))

// The namespace in which a task has the number of that level. Plain loads where the kernel's array has no bound (since 6.5) and the
// index is a constant: a call that reads memory safely costs as much as all the rest.
static __always_inline u32 inum_at(struct pid *pid, u32 level) {
    if (bpf_core_field_size(pid->numbers) == 0) {
        switch (level) {
        case 1: return pid->numbers[1].ns->ns.inum;
        case 2: return pid->numbers[2].ns->ns.inum;
        case 3: return pid->numbers[3].ns->ns.inum;
        case 4: return pid->numbers[4].ns->ns.inum;
        case 5: return pid->numbers[5].ns->ns.inum;
        }
    }
    struct pid_namespace *ns = 0;
    bpf_probe_read_kernel(&ns, sizeof ns, (void *)pid + NUMBERS + level * NUMBER_SIZE + bpf_core_field_offset(struct upid, ns));
    return BPF_CORE_READ(ns, ns.inum);
}

static __always_inline u32 number_at(struct pid *pid, u32 level) {
    u32 nr = 0;
    bpf_probe_read_kernel(&nr, sizeof nr, (void *)pid + NUMBERS + level * NUMBER_SIZE + bpf_core_field_offset(struct upid, nr));
    return nr;
}

// One more than its slot, or 0.
static __always_inline u32 slot_of(u32 inum) {
    u32 key = inum & (BUCKETS - 1);
    struct bucket *bucket = bpf_map_lookup_elem(&places, &key);
    if (!bucket) return 0;
    for (int i = 0; i < WAYS; i++)
        if (bucket->inum[i] == inum) return bucket->slot[i];
    return 0;
}

// Nested namespaces (a zygote's children, and what a permissive policy lets a program make) belong to the nearest that has a place.
static __noinline u32 climb(struct pid *pid) {
    u32 level = pid->level;
    for (int i = 0; i < CLIMB; i++) {
        level--;
        if (level <= own_level || level > 32) return 0;
        u32 slot = slot_of(inum_at(pid, level));
        if (slot) return slot;
    }
    return 0;
}

static __always_inline struct account *armed_account_of(struct task_struct *task, u32 *slot) {
    struct pid *pid = task->thread_pid;
    u32 level = pid->level;
    if (level <= own_level || level > 32) return 0;
    u32 found = slot_of(inum_at(pid, level));
    if (!found && level > own_level + 1) found = climb(pid);
    if (!found) return 0;
    *slot = found - 1;
    struct account *account = bpf_map_lookup_elem(&accounts, slot);
    return account && account->generation ? account : 0;
}

static __always_inline struct account *account_of(struct task_struct *task, u32 *slot) {
    struct account *account = armed_account_of(task, slot);
    return account && !(account->sensing & FROM_EXEC) ? account : 0;
}

// Numbers as the agent sees them.
static __always_inline u32 number_of(struct task_struct *task) {
    if (own_level == 0) return BPF_CORE_READ(task, pid);
    return number_at(BPF_CORE_READ(task, thread_pid), own_level);
}

static __always_inline u32 process_of(struct task_struct *task) {
    if (own_level == 0) return BPF_CORE_READ(task, tgid);
    return number_of(BPF_CORE_READ(task, group_leader));
}

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)
