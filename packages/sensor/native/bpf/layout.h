// What the programs and their reader share, byte for byte: ../../layout.ts has the same numbers, and layout.test.ts compares them.
#pragma once

#define CALLS 512 // numbers of one table; what is beyond is counted under the last
#define ERRORS 136
#define PLACES 256
#define BUCKETS 16384
#define WAYS 4
#define PARTS 6
#define DATA 8192

// Kinds of calls that are more than counted.
enum call_kind { PLAIN = 0, OPEN = 1, CONNECT = 2, BIND = 3, SEND = 4, SENDMSG = 5, EXECVE = 6, FORKING = 7, CHANGE = 8, SOCKET = 9, OPENAT2 = 10 };

// What stands where among a call's arguments: 0 is nowhere, else one more than the index.
struct call {
    u8 kind, path, directory, path2, directory2, address, length, arguments; // arguments: a bit for each that decides what it does
};

// FROM_EXEC: nothing is counted before something is executed, which takes the bit away.
enum sensing { TRACE = 1, MODEL = 2, FROM_EXEC = 4 };

struct account {
    // The agent's.
    u32 generation; // 0: nothing is counted
    u32 sensing;
    u64 armed_at; // nanoseconds of the monotonic clock
    u32 consumed; // bytes of the ring, modulo 2^32
    s32 stacks;   // how many may be taken now
    // The programs'.
    u32 produced;
    u32 stopped; // process that was stopped for its stack, 0 when it goes on
    u64 stopped_at;
    u64 lost;
    u64 forks, threads, execs, exits, opens, connects, inet_connects, binds, sends, denied, skipped, bytes_out, capabilities, flows, flows_lost;
    u32 errors[ERRORS];
    u64 calls[2 * CALLS];        // the native table, then the 32-bit one
    u32 denied_by[2 * CALLS];
    u8 arguments_done[2 * CALLS]; // a bit for each argument of which there are too many values
};

enum event_kind { CALL = 1, EXEC = 2, FORK = 3, EXIT = 4, ARGUMENT = 5, FLOW = 6 };
enum event_flags { IA32 = 1, DENIED = 2, STOPPED = 4, THREAD = 8, TAIL = 16 };
// Per part: nothing was cut, the file has no name any more, it never had a place in any tree, there was more.
enum part_flags { DELETED = 1, ANONYMOUS = 2, CUT = 4 };
// Walked paths are their names from the innermost outwards, each with a NUL.
enum part { FILE_PATH = 0, ASKED = 1, DIRECTORY = 2, ASKED2 = 3, ADDRESS = 4, EXE = 5 };

struct event {
    u16 kind, slot;
    u32 generation;
    u64 time;
    u32 process, thread;
    char comm[16];
    u32 number, flags;
    s64 result;
    u64 arguments[6];
    u16 parts[PARTS];
    u8 part_flags[PARTS];
    u8 pad[2];
    u32 file_flags, file_mode;
    u32 started; // of a process that was stopped: when it began, in clock ticks modulo 2^32
};
_Static_assert(sizeof(struct event) == 136, "layout.ts says so");

// Pid namespaces by the low bits of their numbers. Slots are one more than they are; 0: nothing.
struct bucket {
    u32 inum[WAYS], slot[WAYS];
};

struct control {
    u32 waiting; // the reader sleeps, or is about to
    u32 slot_bytes, least_bytes, half_bytes;
};
