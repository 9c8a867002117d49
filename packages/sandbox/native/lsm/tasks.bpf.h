/* Capabilities, and looking into other processes. */
#ifndef PLASTRON_LSM_TASKS_H
#define PLASTRON_LSM_TASKS_H

#define WITHOUT_AUDIT 2u       /* CAP_OPT_NOAUDIT */
#define LOOK_READ 1u           /* PTRACE_MODE_READ */
#define LOOK_ATTACH 2u         /* PTRACE_MODE_ATTACH */
#define LOOK_WITHOUT_AUDIT 4u  /* PTRACE_MODE_NOAUDIT */

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_CAPABILITIES);
    __type(key, __u32);
    __type(value, struct capability_rule);
} capabilities SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_PTRACES);
    __type(key, __u32);
    __type(value, struct ptrace_rule);
} ptraces SEC(".maps");

/* Whatever set the task has and whichever user namespace is asked for: a new namespace gives nothing back. */
SEC("lsm/capable")
int BPF_PROG(use_capability, const struct cred *cred, struct user_namespace *space, int capability, unsigned int options, int ret) {
    if (ret || !is_confined()) return ret;
    __u32 index = (__u32)capability;
    const struct capability_rule *rule = bpf_map_lookup_elem(&capabilities, &index);
    if (!rule || !rule->flags) return 0;
    struct verdict verdict = {};
    found(&verdict, rule->rule, rule->flags);
    if (options & WITHOUT_AUDIT) verdict.reported = 0;
    struct event *event = record(&verdict, EVENT_CAPABILITY);
    if (event) {
        event->detail[0] = index;
        bpf_ringbuf_submit(event, 0);
    }
    return answer(&verdict);
}

struct ptrace_search {
    __u32 wanted, external;
    struct verdict verdict;
};

static long try_ptrace_rule(__u32 index, void *context) {
    struct ptrace_search *search = context;
    const struct ptrace_rule *rule = bpf_map_lookup_elem(&ptraces, &index);
    if (!rule) return 1;
    if (rule->permissions & search->wanted && (rule->strict || search->external)) found(&search->verdict, rule->rule, rule->flags);
    return 0;
}

/* `ours`: whether the task that looks, and the one that is looked at, are confined. */
static __always_inline int look(int looks, int looked_at, __u32 attach, __u32 silent, __u32 other) {
    struct ptrace_search search = {.external = looks != looked_at};
    const struct counts *have = counted();
    if (!have) return -E_PERM;
    if (looks) search.wanted |= attach ? PTRACE_TRACE : PTRACE_READ;
    if (looked_at) search.wanted |= attach ? PTRACE_TRACEBY : PTRACE_READBY;
    bpf_loop(have->ptraces, try_ptrace_rule, &search, 0);
    if (silent) search.verdict.reported = 0;
    struct event *event = record(&search.verdict, EVENT_PTRACE);
    if (event) {
        event->detail[0] = search.wanted;
        event->detail[1] = other;
        event->external = search.external;
        bpf_ringbuf_submit(event, 0);
    }
    return answer(&search.verdict);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(look_into, struct task_struct *child, unsigned int mode, int ret) {
    if (ret) return ret;
    int looks = is_confined(), looked_at = is_marked(child) || in_named_namespace(child);
    if (!looks && !looked_at) return 0;
    return look(looks, looked_at, mode & LOOK_ATTACH, mode & LOOK_WITHOUT_AUDIT, (__u32)BPF_CORE_READ(child, tgid));
}

/* Asking to be traced by the parent. */
SEC("lsm/ptrace_traceme")
int BPF_PROG(be_traced, struct task_struct *parent, int ret) {
    if (ret) return ret;
    int looks = is_marked(parent) || in_named_namespace(parent), looked_at = is_confined();
    if (!looks && !looked_at) return 0;
    return look(looks, looked_at, 1, 0, (__u32)BPF_CORE_READ(parent, tgid));
}
#endif
