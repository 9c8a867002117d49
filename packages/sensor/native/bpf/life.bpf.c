// Processes: begun, made into something else, ended.
#include "walk.h"

#define SIGNAL_GROUP_EXIT 4

// What a process is, of one that nobody saw begin. Its memory may be gone at its end (before Linux 6.16).
static __noinline int add_identity(struct scratch *s, struct task_struct *task) {
    if (!s || !task) return 0;
    struct mm_struct *mm = BPF_CORE_READ(task, mm);
    if (!mm) return 0;
    unsigned long from = BPF_CORE_READ(mm, arg_start), to = BPF_CORE_READ(mm, arg_end);
    if (to > from) add_bytes(s, (void *)from, to - from, ASKED);
    add_file(s, BPF_CORE_READ(mm, exe_file), EXE);
    return 0;
}

// A sandbox's own pid 1 has made it: with its end a run is as good as over, and somebody is about to ask for all of it.
static __always_inline int is_main(struct task_struct *task) {
    struct pid *parent = BPF_CORE_READ(task, real_parent, thread_pid);
    u32 level = BPF_CORE_READ(parent, level);
    return level > own_level && level <= 32 && number_at(parent, level) == 1;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) {
    u32 slot;
    struct account *account = account_of(parent, &slot);
    if (!account) return 0;
    int thread = child->tgid == parent->tgid;
    if (thread) ADD(account->threads);
    else ADD(account->forks);
    struct scratch *s = begin(account);
    if (!s) return 0;
    head(s, account, slot, FORK, parent);
    s->event.flags = thread ? THREAD : 0;
    s->event.result = number_of(child);
    if (!thread) add_identity(s, parent);
    end(s, account, 0);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old, struct linux_binprm *binary) {
    u32 slot;
    struct account *account = armed_account_of(task, &slot);
    if (!account) return 0;
    account->sensing &= ~FROM_EXEC; // who made the sandbox has become its interpreter
    ADD(account->execs);
    struct scratch *s = begin(account);
    if (!s) return 0;
    head(s, account, slot, EXEC, task);
    add_file(s, binary->file, FILE_PATH);
    unsigned long from = BPF_CORE_READ(task, mm, arg_start), to = BPF_CORE_READ(task, mm, arg_end);
    if (to > from) add_bytes(s, (void *)from, to - from, ASKED);
    end(s, account, 0);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) {
    u32 slot;
    struct account *account = account_of(task, &slot);
    if (!account) return 0;
#if defined(__TARGET_ARCH_x86)
    // These two never come back, so that they are counted here.
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    u64 number = BPF_CORE_READ(regs, orig_ax);
    if (number == 60 || number == 231) ADD(account->calls[number]);
#else
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    u32 number = BPF_CORE_READ(regs, syscallno);
    if (number == 93 || number == 94) ADD(account->calls[number]);
#endif
    // Of a process the last of its threads tells.
    if (BPF_CORE_READ(task, signal, live.counter) > 0) return 0;
    ADD(account->exits);
    struct scratch *s = begin(account);
    if (!s) return 0;
    head(s, account, slot, EXIT, task);
    s->event.result = BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT ? BPF_CORE_READ(task, signal, group_exit_code) : BPF_CORE_READ(task, exit_code);
    add_identity(s, task);
    end(s, account, is_main(task));
    return 0;
}
