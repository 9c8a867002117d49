// The maps that all objects share: the first object makes them, the others are given them (load.ts).
#pragma once
#include "kernel.h"
#include "layout.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 25);
} ring SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct control);
} controls SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, PLACES);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct account);
} accounts SEC(".maps");

// By number: the native table, then the 32-bit one. Written once, at the start.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2 * CALLS);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct call);
} calls SEC(".maps");

// Which place a pid namespace has: found in some nanoseconds, since every call of every container asks.
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, BUCKETS);
    __uint(map_flags, BPF_F_MMAPABLE);
    __type(key, u32);
    __type(value, struct bucket);
} places SEC(".maps");

// An event grows here, because what leaves has the size that it needs. Busy: a program that interrupts another must not overwrite.
struct scratch {
    u32 busy, size;
    struct event event;
    char data[DATA];
};
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

// What was told once already: values of arguments, denials that were stopped for.
struct told {
    u32 generation, what;
    u64 value;
};
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 65536);
    __type(key, struct told);
    __type(value, u8);
} told SEC(".maps");

// The level of the agent's own pid namespace: what runs there is not looked at.
const volatile u32 own_level = 0;
