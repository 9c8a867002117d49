// One event, from its first byte to the ring.
#pragma once
#include "place.h"

#define SIGCONT 18

static __always_inline struct scratch *begin(struct account *account) {
    u32 zero = 0;
    struct scratch *s = bpf_map_lookup_elem(&scratches, &zero);
    if (!s) return 0;
    if (s->busy) {
        ADD(account->lost);
        return 0;
    }
    s->busy = 1;
    s->size = 0;
    return s;
}

static __always_inline void head(struct scratch *s, struct account *account, u32 slot, u32 kind, struct task_struct *task) {
    struct event *e = &s->event;
    e->kind = kind;
    e->slot = slot;
    e->generation = account->generation;
    e->time = bpf_ktime_get_ns();
    e->process = process_of(task);
    e->thread = number_of(task);
    bpf_get_current_comm(e->comm, sizeof e->comm);
    e->number = e->flags = 0;
    e->result = 0;
    __builtin_memset(e->arguments, 0, sizeof e->arguments);
    __builtin_memset(e->parts, 0, sizeof e->parts + sizeof e->part_flags);
    e->file_flags = e->file_mode = 0;
}

// A place may have so much of the ring unread: much while the ring is half empty, and always so much that all places together find
// room in the other half. So no flood takes the room of another place.
static __always_inline void end(struct scratch *s, struct account *account, int urgent) {
    u32 zero = 0, size = s->size;
    struct control *c = bpf_map_lookup_elem(&controls, &zero);
    if (c) {
        size = sizeof s->event + (size & (DATA - 1));
        u32 taken = ((size + 7) & ~7u) + 8;
        u64 unread = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
        u32 may = unread < c->half_bytes ? c->slot_bytes : c->least_bytes;
        u64 flags = BPF_RB_NO_WAKEUP;
        if (c->waiting && (urgent || unread > 65536)) {
            c->waiting = 0;
            flags = BPF_RB_FORCE_WAKEUP;
        }
        if ((u32)(account->produced - account->consumed) + taken > may || bpf_ringbuf_output(&ring, &s->event, size, flags)) {
            ADD(account->lost);
            // Nobody will come to look at it: it goes on at once.
            if (s->event.flags & STOPPED) {
                ADD(account->skipped);
                if (!bpf_send_signal(SIGCONT)) account->stopped = 0;
            }
        } else {
            __sync_fetch_and_add(&account->produced, taken);
        }
    }
    s->busy = 0;
}

static __always_inline void part(struct scratch *s, u32 which, u32 from, u32 flags) {
    s->event.parts[which] = s->size - from;
    s->event.part_flags[which] = flags;
}

// Text in the program's own memory, up to 1 KiB.
static __noinline int add_text(struct scratch *s, const char *text, u32 which) {
    if (!s || which >= PARTS) return 0;
    u32 from = s->size;
    if (!text || from > DATA - 2048) return 0;
    s64 n = bpf_probe_read_user_str(&s->data[from & (DATA - 1024 - 1)], 1024, text);
    if (n <= 0 || n > 1024) return 0;
    s->size = from + n;
    part(s, which, from, n == 1024 ? CUT : 0);
    return 0;
}

// A block of the program's own memory.
static __noinline int add_bytes(struct scratch *s, const void *bytes, u32 size, u32 which) {
    if (!s || which >= PARTS) return 0;
    u32 from = s->size, cut = size > 1024 ? CUT : 0;
    if (size > 1024) size = 1024;
    if (!bytes || size == 0 || from > DATA - 2048) return 0;
    if (bpf_probe_read_user(&s->data[from & (DATA - 1024 - 1)], size, bytes)) return 0;
    s->size = from + size;
    part(s, which, from, cut);
    return 0;
}
