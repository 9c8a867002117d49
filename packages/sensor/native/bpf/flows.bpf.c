// Bytes and packets by peer, of sockets below one cgroup.
#include "emit.h"
#include <bpf/bpf_endian.h>

#define TCP 6
#define UDP 17
#define FLOWS_PER_PLACE 100

struct flow {
    u32 slot, generation;
    u16 family, protocol, port, pad; // the port in network order
    u8 address[16];
};
struct volume {
    u64 bytes_in, bytes_out, packets_in, packets_out;
};
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, PLACES *FLOWS_PER_PLACE);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct flow);
    __type(value, struct volume);
} flows SEC(".maps");

// Which place a cgroup of the unified hierarchy has.
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 2 * PLACES);
    __type(key, u64);
    __type(value, u32);
} groups SEC(".maps");

struct ipv4 {
    u8 length, service;
    u16 total, id, fragment;
    u8 ttl, protocol;
    u16 sum;
    u8 from[4], to[4];
};
struct ipv6 {
    u32 label;
    u16 payload;
    u8 next, hops;
    u8 from[16], to[16];
};

static __always_inline void tell_flow(struct account *account, struct flow *flow) {
    struct scratch *s = begin(account);
    if (!s) return;
    struct event *e = &s->event;
    __builtin_memset(e, 0, sizeof *e);
    e->kind = FLOW;
    e->slot = flow->slot;
    e->generation = flow->generation;
    e->time = bpf_ktime_get_ns();
    __builtin_memcpy(s->data, flow, sizeof *flow);
    s->size = sizeof *flow;
    e->parts[ADDRESS] = sizeof *flow;
    end(s, account, 0);
}

static __always_inline int passes(struct __sk_buff *packet, int out) {
    u64 group = bpf_skb_cgroup_id(packet);
    u32 *slot = bpf_map_lookup_elem(&groups, &group);
    if (!slot) return 1;
    struct account *account = bpf_map_lookup_elem(&accounts, slot);
    if (!account || !account->generation) return 1;
    struct flow flow = {.slot = *slot, .generation = account->generation};
    u32 after = 0;
    if (packet->protocol == bpf_htons(0x0800)) {
        struct ipv4 ip;
        if (bpf_skb_load_bytes(packet, 0, &ip, sizeof ip)) return 1;
        flow.family = 2;
        flow.protocol = ip.protocol;
        __builtin_memcpy(flow.address, out ? ip.to : ip.from, 4);
        // Only the first fragment has ports.
        if (!(ip.fragment & bpf_htons(0x1fff))) after = (ip.length & 15) * 4;
    } else if (packet->protocol == bpf_htons(0x86dd)) {
        struct ipv6 ip;
        if (bpf_skb_load_bytes(packet, 0, &ip, sizeof ip)) return 1;
        flow.family = 10;
        flow.protocol = ip.next;
        __builtin_memcpy(flow.address, out ? ip.to : ip.from, 16);
        after = sizeof ip;
    } else {
        return 1;
    }
    if (after && (flow.protocol == TCP || flow.protocol == UDP)) bpf_skb_load_bytes(packet, after + (out ? 2 : 0), &flow.port, 2);
    if (out) __sync_fetch_and_add(&account->bytes_out, packet->len);
    struct volume *volume = bpf_map_lookup_elem(&flows, &flow);
    if (!volume) {
        if (account->flows >= FLOWS_PER_PLACE) {
            ADD(account->flows_lost);
            return 1;
        }
        struct volume none = {};
        if (bpf_map_update_elem(&flows, &flow, &none, BPF_NOEXIST) == 0) {
            ADD(account->flows);
            tell_flow(account, &flow);
        }
        volume = bpf_map_lookup_elem(&flows, &flow);
        if (!volume) {
            ADD(account->flows_lost);
            return 1;
        }
    }
    __sync_fetch_and_add(out ? &volume->bytes_out : &volume->bytes_in, packet->len);
    ADD(*(out ? &volume->packets_out : &volume->packets_in));
    return 1;
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *packet) {
    return passes(packet, 1);
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *packet) {
    return passes(packet, 0);
}
