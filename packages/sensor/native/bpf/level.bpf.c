// How deep in the kernel's tree of pid namespaces the caller is. Run once, by hand: `bpf_prog_test_run`.
#include "kernel.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("raw_tp/sys_enter")
int own(void *context) {
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    return BPF_CORE_READ(task, thread_pid, level);
}
