// Whose is a task? A sandbox is its pid namespace (docs/adr/0014).
#pragma once
#include "maps.h"

#define CLIMB 4

// The namespace in which a task has the number of that level. Direct loads where the kernel's array has no bound (since 6.5).
static __always_inline struct pid_namespace *namespace_at(struct pid *pid, u32 level) {
    struct pid_namespace *ns = 0;
    bpf_core_read(&ns, sizeof ns, (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns));
    return ns;
}

static __always_inline u32 number_at(struct pid *pid, u32 level) {
    u32 nr = 0;
    bpf_core_read(&nr, sizeof nr, (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr));
    return nr;
}

// Nested namespaces (a zygote's children, and what a permissive policy lets a program make) belong to the nearest that has a place.
static __noinline s32 climb(struct pid *pid) {
    u32 level = BPF_CORE_READ(pid, level);
    for (int i = 0; i < CLIMB; i++) {
        if (level <= own_level || level > 32) return -1;
        u32 inum = BPF_CORE_READ(namespace_at(pid, level), ns.inum);
        u32 *slot = bpf_map_lookup_elem(&places, &inum);
        if (slot) return *slot;
        level--;
    }
    return -1;
}

struct seen {
    struct account *account;
    u32 slot;
};

static __always_inline struct account *account_of(struct task_struct *task, u32 *slot) {
    struct pid *pid = task->thread_pid;
    if (pid->level <= own_level) return 0;
    s32 found = climb(pid);
    if (found < 0) return 0;
    *slot = found;
    struct account *account = bpf_map_lookup_elem(&accounts, slot);
    return account && account->generation ? account : 0;
}

// Numbers as the agent sees them.
static __always_inline u32 number_of(struct task_struct *task) {
    return number_at(BPF_CORE_READ(task, thread_pid), own_level);
}

#define ADD(counter) __sync_fetch_and_add(&(counter), 1)
