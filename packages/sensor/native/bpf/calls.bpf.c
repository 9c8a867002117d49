// Every system call of a sandbox, as it comes back.
#include "walk.h"

#define AT_FDCWD -100
#define EPERM 1
#define EACCES 13
#define EROFS 30
#define EINPROGRESS 115
#define AF_INET 2
#define AF_INET6 10
#define SIGCONT 18
#define SIGSTOP 19
#if defined(__TARGET_ARCH_x86)
#define SIGRETURN 15
#else
#define SIGRETURN 139
#endif
#define SIGRETURN_IA32 173
#define TS_COMPAT 2
#define TICK 10000000 // what /proc counts in, in nanoseconds

// Bytes that tell denials apart: two paths as long as they are told, and no address is longer.
#define DIGESTED 2048

// One call as it came back.
struct came {
    struct account *account;
    struct task_struct *task;
    struct call *call;
    u64 argument[6];
    s64 result;
    u32 slot, index, ia32;
};

static __always_inline void arguments_of(struct pt_regs *regs, int ia32, u64 *to) {
#if defined(__TARGET_ARCH_x86)
    if (ia32) {
        to[0] = (u32)regs->bx, to[1] = (u32)regs->cx, to[2] = (u32)regs->dx;
        to[3] = (u32)regs->si, to[4] = (u32)regs->di, to[5] = (u32)regs->bp;
    } else {
        to[0] = regs->di, to[1] = regs->si, to[2] = regs->dx;
        to[3] = regs->r10, to[4] = regs->r8, to[5] = regs->r9;
    }
#else
    to[0] = regs->orig_x0;
    to[1] = regs->regs[1], to[2] = regs->regs[2], to[3] = regs->regs[3], to[4] = regs->regs[4], to[5] = regs->regs[5];
#endif
}

static __always_inline u64 pick(struct event *e, u32 one_more) {
    switch (one_more) {
    case 1: return e->arguments[0];
    case 2: return e->arguments[1];
    case 3: return e->arguments[2];
    case 4: return e->arguments[3];
    case 5: return e->arguments[4];
    case 6: return e->arguments[5];
    }
    return 0;
}

// Where a relative path begins. The directory of a descriptor may have been exchanged since, as the path may.
static __noinline int add_directory(struct scratch *s, struct task_struct *task, s32 fd) {
    if (!s || !task) return 0;
    if (fd == AT_FDCWD) {
        struct fs_struct *fs = BPF_CORE_READ(task, fs);
        return fs ? add_path(s, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry), DIRECTORY) : 0;
    }
    if (fd >= 0) add_file(s, file_at(task, fd), DIRECTORY);
    return 0;
}

// Of a connection that was begun the kernel's own word; of any other what was asked for.
static __noinline int add_address(struct scratch *s, struct task_struct *task, const struct call *call) {
    if (!s || !task || !call) return 0;
    struct event *e = &s->event;
    if (call->kind == CONNECT && (e->result == 0 || e->result == -EINPROGRESS)) {
        struct file *file = file_at(task, e->arguments[0]);
        struct socket *socket = file ? BPF_CORE_READ(file, private_data) : 0;
        struct sock *sk = socket ? BPF_CORE_READ(socket, sk) : 0;
        u16 family = sk ? BPF_CORE_READ(sk, __sk_common.skc_family) : 0;
        u32 from = s->size;
        if ((family == AF_INET || family == AF_INET6) && from <= DATA - 2048) {
            // As a sockaddr_in or sockaddr_in6 has it.
            char *to = &s->data[from & (DATA - 1024 - 1)];
            u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);
            __builtin_memset(to, 0, 28);
            *(u16 *)to = family;
            bpf_probe_read_kernel(to + 2, 2, &port);
            if (family == AF_INET) bpf_probe_read_kernel(to + 4, 4, (void *)sk + bpf_core_field_offset(struct sock, __sk_common.skc_daddr));
            else bpf_probe_read_kernel(to + 8, 16, (void *)sk + bpf_core_field_offset(struct sock, __sk_common.skc_v6_daddr));
            s->size = from + 28;
            part(s, ADDRESS, from, 0);
            return 0;
        }
    }
    u64 address = pick(e, call->address), length = pick(e, call->length);
    if (call->kind == SENDMSG) {
        struct {
            u64 name;
            u32 length;
        } message = {};
        if (bpf_probe_read_user(&message, 12, (void *)address)) return 0;
        address = message.name, length = message.length;
    }
    // The largest is a unix socket's; what is longer is no address.
    if (length > 0 && length <= 128) add_bytes(s, (void *)address, length, ADDRESS);
    return 0;
}

// Whether nothing in the sandbox can tell that the process was stopped and went on. A parent is told of that (SIGCHLD, waitpid with
// WUNTRACED: a shell's job control takes it for its own doing), so it must be outside or the sandbox's pid 1, which is ours; a
// handler for SIGCONT would run; and who is being stopped by somebody else would go on too early.
static __always_inline int stops_unseen(struct task_struct *task) {
    struct pid *parent = BPF_CORE_READ(task, real_parent, thread_pid);
    u32 level = BPF_CORE_READ(parent, level);
    if (level > 32) return 0;
    struct pid_namespace *ns = 0;
    bpf_probe_read_kernel(&ns, sizeof ns, (void *)parent + NUMBERS + level * NUMBER_SIZE + bpf_core_field_offset(struct upid, ns));
    if (slot_of(BPF_CORE_READ(ns, ns.inum)) ? number_at(parent, level) != 1 : level >= BPF_CORE_READ(task, thread_pid, level)) return 0;
    if (BPF_CORE_READ(task, signal, group_stop_count)) return 0;
    return BPF_CORE_READ(task, sighand, action[SIGCONT - 1].sa.sa_handler) == 0;
}

// What tells a denial from others of its call: those arguments that decide, paths and address. All that stands before the program's
// file, so that nothing is taken for another because it is longer than somebody thought.
static __noinline u64 digest(struct scratch *s, u32 deciding) {
    if (!s) return 0;
    u64 value = 0xcbf29ce484222325;
    for (int i = 0; i < 6; i++)
        if (deciding & (1u << i)) value = (value ^ (u32)s->event.arguments[i] ^ (u64)i << 32) * 0x100000001b3;
    s32 left = s->size - s->event.parts[EXE];
    for (int i = 0; i < DIGESTED / 8; i++) {
        if (left <= 0) break;
        u64 word = *(u64 *)&s->data[i * 8];
        if (left < 8) word &= (1ull << (left * 8)) - 1;
        value = (value ^ word) * 0x9e3779b97f4a7c15;
        value ^= value >> 32;
        left -= 8;
    }
    return value;
}

// A program that is denied is stopped before it returns, so that its stack is read as it was. Each denial once, as many as the agent
// allows at the moment, one at a time; never one whose parent waits for it in vfork, nor where the program could tell. Returns whether
// this denial is the first of its kind.
static __noinline int stop_for_stack(struct scratch *s, struct account *account, struct task_struct *task, u32 deciding) {
    if (!s || !account || !task) return 0;
    struct event *e = &s->event;
    struct told key = {.generation = e->generation, .what = e->number | (u32)(-e->result) << 16, .value = digest(s, deciding)};
    if (bpf_map_lookup_elem(&told, &key)) return 0;
    u8 one = 1;
    bpf_map_update_elem(&told, &key, &one, BPF_ANY);
    if (account->stacks <= 0 || account->stopped || BPF_CORE_READ(task, vfork_done) || !stops_unseen(task)) {
        ADD(account->skipped);
        return 1;
    }
    if (bpf_send_signal(SIGSTOP)) {
        ADD(account->skipped);
        return 1;
    }
    __sync_fetch_and_add(&account->stacks, -1);
    e->started = BPF_CORE_READ(task, group_leader, start_boottime) / TICK;
    account->stopped_at = e->time;
    account->stopped = e->process;
    e->flags |= STOPPED;
    return 1;
}

// Values of arguments that were not seen before, for a behaviour profile. None of those that decide has more than 32 bits, and what
// stands above them is whatever the compiler left there.
static __noinline int tell_arguments(struct came *came) {
    struct account *account = came->account;
    u32 index = came->index;
    if (index >= 2 * CALLS) return 0;
    u32 mask = came->call->arguments & ~(u32)account->arguments_done[index];
    for (int i = 0; i < 6; i++) {
        if (!(mask & (1u << i))) continue;
        struct told key = {.generation = account->generation, .what = 0x80000000 | index << 4 | i, .value = (u32)came->argument[i]};
        if (bpf_map_lookup_elem(&told, &key)) continue;
        struct scratch *s = begin(account);
        if (!s) return 0;
        u8 one = 1;
        bpf_map_update_elem(&told, &key, &one, BPF_ANY);
        head(s, account, came->slot, ARGUMENT, came->task);
        s->event.number = index;
        s->event.result = i;
        s->event.arguments[0] = key.value;
        end(s, account, 0);
    }
    return 0;
}

static __noinline int tell_call(struct came *came) {
    struct account *account = came->account;
    struct task_struct *task = came->task;
    struct call *call = came->call;
    s64 result = came->result;
    struct scratch *s = begin(account);
    if (!s) return 0;
    struct event *e = &s->event;
    int denied = result == -EPERM || result == -EACCES || result == -EROFS, urgent = 0;
    head(s, account, came->slot, CALL, task);
    e->number = came->index;
    e->result = result;
    e->flags = (came->ia32 ? IA32 : 0) | (denied ? DENIED : 0);
    for (int i = 0; i < 6; i++) e->arguments[i] = came->argument[i];
    struct file *opened = 0;
    if ((call->kind == OPEN || call->kind == OPENAT2) && result >= 0) {
        opened = file_at(task, result);
        if (opened) {
            e->file_flags = BPF_CORE_READ(opened, f_flags);
            e->file_mode = BPF_CORE_READ(opened, f_mode);
            add_file(s, opened, FILE_PATH);
        }
    }
    // What was asked for stands first in the data where it is needed: a denial's stack is taken once for it.
    if (!opened && call->path) {
        add_text(s, (const char *)pick(e, call->path), ASKED);
        int relative = s->data[0] != '/';
        u32 second = s->size;
        if (call->path2) {
            add_text(s, (const char *)pick(e, call->path2), ASKED2);
            // Both are as good as always relative to the same directory: one is told.
            if (!relative && s->size > second && s->data[second & (DATA - 1024 - 1)] != '/') {
                add_directory(s, task, call->directory2 ? (s32)pick(e, call->directory2) : AT_FDCWD);
            }
        }
        if (relative) add_directory(s, task, call->directory ? (s32)pick(e, call->directory) : AT_FDCWD);
    }
    if (call->kind == OPENAT2) bpf_probe_read_user(&e->arguments[2], 8, (void *)e->arguments[2]);
    if (call->address) {
        u32 from = s->size;
        add_address(s, task, call);
        u16 family = s->size - from >= 2 ? *(u16 *)&s->data[from & (DATA - 1024 - 1)] : 0;
        if (call->kind == CONNECT && (family == AF_INET || family == AF_INET6)) ADD(account->inet_connects);
    }
    if (denied) {
        add_file(s, BPF_CORE_READ(task, mm, exe_file), EXE);
        // Only what is new is told while the program runs: waking for each of a flood would cost more than all the rest.
        urgent = stop_for_stack(s, account, task, call->arguments);
    }
    end(s, account, urgent);
    return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result) {
    struct task_struct *task = bpf_get_current_task_btf();
    u32 slot;
    struct account *account = account_of(task, &slot);
    if (!account) return 0;
#if defined(__TARGET_ARCH_x86)
    int ia32 = (task->thread_info.status & TS_COMPAT) != 0;
    s64 number = (s64)regs->orig_ax;
    // rt_sigreturn leaves the registers of what was interrupted, and no number.
    if (number < 0) number = ia32 ? SIGRETURN_IA32 : SIGRETURN;
    number &= 0x3fffffff;
#else
    int ia32 = 0;
    s64 number = regs->syscallno < 0 ? SIGRETURN : regs->syscallno;
#endif
    u32 index = number < CALLS ? number : CALLS - 1;
    if (ia32) index += CALLS;
    if (index >= 2 * CALLS) return 0;
    struct call *call = bpf_map_lookup_elem(&calls, &index);
    if (!call) return 0;
    u32 kind = call->kind;
    // A child comes back from the call that its parent made.
    if (kind == FORKING && result == 0) return 0;
    ADD(account->calls[index]);
    int denied = 0;
    // What a signal handler comes back to may hold the result of a call that was counted when it was made.
    if (number == (ia32 ? SIGRETURN_IA32 : SIGRETURN)) return 0;
    if (result < 0 && result > -ERRORS) {
        u32 error = -result & 255;
        if (error < ERRORS) ADD(account->errors[error]);
        denied = result == -EPERM || result == -EACCES || result == -EROFS;
        if (denied) {
            ADD(account->denied_by[index]);
            ADD(account->denied);
        }
    }
    int modelled = account->sensing & MODEL && call->arguments;
    if (kind == PLAIN && !denied && !modelled) return 0;
    int told = denied;
    if (kind == OPEN || kind == OPENAT2) ADD(account->opens), told = 1;
    else if (kind == CONNECT) ADD(account->connects), told = 1;
    else if (kind == BIND) ADD(account->binds), told = 1;
    else if (kind == SEND || kind == SENDMSG) ADD(account->sends), told = 1;
    else if (kind == EXECVE && result < 0) told = 1;
    else if (kind == CHANGE || kind == SOCKET) told |= account->sensing & MODEL;
    if (!told && !modelled) return 0;
    struct came came = {.account = account, .task = task, .call = call, .result = result, .slot = slot, .index = index, .ia32 = ia32};
    arguments_of(regs, ia32, came.argument);
    if (modelled) tell_arguments(&came);
    if (told) tell_call(&came);
    return 0;
}
