// What native/bpf/layout.h lays out, byte for byte; layout.test.ts asks the compiler whether it is so.

/** Places that there are. */
export const PLACES = 256;
export const ERRORS = 136;
/** Places are found by the low bits of a pid namespace's number: so many buckets of so many ways. */
export const BUCKETS = 16_384;
export const WAYS = 4;

/** `struct account`: one place's counters, and what the agent says of it. */
export const ACCOUNT = {
  generation: 0,
  sensing: 4,
  armed_at: 8,
  consumed: 16,
  stacks: 20,
  produced: 24,
  stopped: 28,
  stopped_at: 32,
  lost: 40,
  forks: 48,
  threads: 56,
  execs: 64,
  exits: 72,
  opens: 80,
  connects: 88,
  inet_connects: 96,
  binds: 104,
  sends: 112,
  denied: 120,
  skipped: 128,
  bytes_out: 136,
  capabilities: 144,
  flows: 152,
  flows_lost: 160,
  errors: 168,
  calls: 712,
  denied_by: 8904,
  arguments_done: 13_000,
  size: 14_024,
} as const;

/** `struct event`; its data follows. */
export const EVENT = {
  kind: 0,
  slot: 2,
  generation: 4,
  time: 8,
  process: 16,
  thread: 20,
  comm: 24,
  number: 40,
  flags: 44,
  result: 48,
  arguments: 56,
  parts: 104,
  part_flags: 116,
  file_flags: 124,
  file_mode: 128,
  started: 132,
  size: 136,
} as const;

export const EVENT_KIND = { call: 1, exec: 2, fork: 3, exit: 4, argument: 5, flow: 6 } as const;
export const FLAG = { ia32: 1, denied: 2, stopped: 4, thread: 8 } as const;
export const PART = { file: 0, asked: 1, directory: 2, asked2: 3, address: 4, exe: 5 } as const;
export const PARTS = 6;
export const PART_FLAG = { deleted: 1, anonymous: 2, cut: 4 } as const;
export const SENSING = { trace: 1, model: 2, from_exec: 4 } as const;

/** `struct control`. */
export const CONTROL = { waiting: 0, slot_bytes: 4, least_bytes: 8, half_bytes: 12, size: 16 } as const;
