// Capabilities that were asked of the kernel and granted, for behaviour profiles. The tracepoint is there since Linux 6.15.
#include "place.h"

SEC("tp_btf/cap_capable")
int BPF_PROG(on_capable, const void *cred, const void *target, const void *capable, int capability, int result) {
    if (result || capability < 0 || capability > 63) return 0;
    u32 slot;
    struct account *account = account_of(bpf_get_current_task_btf(), &slot);
    if (account && account->sensing & MODEL) __sync_fetch_and_or(&account->capabilities, 1ull << capability);
    return 0;
}
