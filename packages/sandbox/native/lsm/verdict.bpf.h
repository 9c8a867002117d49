/* How the matching rules of one hook become one answer and at most one record. */
#ifndef PLASTRON_LSM_VERDICT_H
#define PLASTRON_LSM_VERDICT_H

struct verdict {
    __u32 denied, reported, rule;
};

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 20);
} events SEC(".maps");

/* Records that found no room: the loader tells it. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} lost SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct counts);
} counts SEC(".maps");

static __always_inline const struct counts *counted(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&counts, &zero);
}

/* The first reporting rule that denies is named; where none denies, the first that reports. */
static __always_inline void found(struct verdict *verdict, __u32 rule, __u32 flags) {
    int denies = (flags & FLAG_DENY) != 0, first = denies && !verdict->denied;
    if (flags & FLAG_REPORT && (!verdict->reported || first)) {
        verdict->reported = 1;
        verdict->rule = rule;
    }
    verdict->denied |= (__u32)denies;
}

static __always_inline struct event *record(const struct verdict *verdict, __u32 kind) {
    __u32 zero = 0;
    if (!verdict->reported) return 0;
    struct event *event = bpf_ringbuf_reserve(&events, sizeof *event, 0);
    if (!event) {
        __u64 *count = bpf_map_lookup_elem(&lost, &zero);
        if (count) __sync_fetch_and_add(count, 1);
        return 0;
    }
    __builtin_memset(event, 0, sizeof *event);
    event->kind = kind;
    event->rule = verdict->rule;
    event->denied = verdict->denied;
    event->pid = (__u32)(bpf_get_current_pid_tgid() >> 32);
    bpf_get_current_comm(event->comm, sizeof event->comm);
    return event;
}

static __always_inline int answer(const struct verdict *verdict) { return verdict->denied ? -E_PERM : 0; }
#endif
