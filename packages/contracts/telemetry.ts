import { z } from "zod";
import { stackSchema } from "./stack.ts";

/**
 * How closely a run is looked at. `account`: counters and bounded lists, for every run. `trace`: also the order of events
 * (`timeline`). `model`: also what a behaviour profile is made of (`model`), from the interpreter's start on.
 */
export const sensingSchema = z.enum(["account", "trace", "model"]);
export type Sensing = z.infer<typeof sensingSchema>;

/** Bounds of what one run's record holds; what is beyond is counted in `lost` or in the list's `…_dropped`. */
export const TELEMETRY_BOUNDS = {
  processes: 100,
  files: 200,
  peers: 100,
  names: 100,
  denials: 100,
  timeline: 5_000,
  argv_bytes: 1_024,
  stacks: 16,
} as const;

/** What a path is to a sandbox; by place, so that a reader need not know the layout. */
export const pathClassSchema = z.enum(["workspace", "tmp", "runtime", "system", "etc", "proc", "sys", "dev", "anonymous", "other"]);
export type PathClass = z.infer<typeof pathClassSchema>;

const errnoName = z.string().describe("EPERM; a number where it has no name");
const count = z.number().int().nonnegative();
const endpoint = z.object({ family: z.enum(["inet", "inet6", "unix", "other"]), address: z.string(), port: z.int().min(0).max(65535) });

/**
 * One thing that happened, in the order of the kernel. `t_us`: microseconds since the program began; `pid` is the host's.
 * `path` of an open is that of the file that was opened, from the kernel, and not what was asked for; of a call that failed it is
 * what was asked for (`asked`: true), which another thread may have changed since.
 */
const common = { t_us: z.number(), pid: z.int(), comm: z.string() };
export const activitySchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("exec"), ...common, path: z.string(), argv: z.array(z.string()), argv_truncated: z.boolean(), errno: errnoName.nullable() }),
  z.object({ kind: z.literal("fork"), ...common, child: z.int(), thread: z.boolean() }),
  z.object({ kind: z.literal("exit"), ...common, code: z.int().nullable(), signal: z.string().nullable() }),
  z.object({
    kind: z.literal("open"),
    ...common,
    path: z.string(),
    class: pathClassSchema,
    asked: z.boolean(),
    access: z.enum(["read", "write", "readwrite", "path"]),
    create: z.boolean(),
    truncate: z.boolean(),
    errno: errnoName.nullable(),
  }),
  z.object({ kind: z.enum(["connect", "bind", "send"]), ...common, to: endpoint, errno: errnoName.nullable() }),
  z.object({ kind: z.literal("dns"), ...common, name: z.string(), type: z.string(), answer: z.enum(["allowed", "denied"]) }),
  z.object({ kind: z.literal("denied"), ...common, call: z.string(), path: z.string().nullable(), errno: errnoName, rule: z.string().nullable() }),
]);
export type Activity = z.infer<typeof activitySchema>;

/**
 * A call that came back EPERM, EACCES or EROFS. What rule of the policy that was is not the sensor's to know: policy's `explain`
 * says it. Equal ones (call, path, address, errno, and DECIDING_ARGUMENTS) are one entry with a `count`; the first's stack stays.
 */
export const denialSchema = z.object({
  t_us: z.number(),
  pid: z.int().describe("on the host"),
  comm: z.string(),
  exe: z.string().describe("file that the process runs, from the kernel"),
  call: z.string().describe("name of the system call; its number where it has none"),
  number: z.int(),
  abi: z.enum(["native", "ia32"]),
  arguments: z.array(z.string()).length(6).describe("six registers, hexadecimal"),
  errno: z.enum(["EPERM", "EACCES", "EROFS"]),
  path: z.string().nullable().describe("that was asked for, made absolute where the directory is known; null where the call takes none"),
  to: endpoint.nullable(),
  count: z.int().positive(),
  stack: stackSchema.nullable(),
  /** Not the sensor's: whoever has the policy says it. Null: no rule of the policy or the platform denied it. */
  rule: z.string().nullable().optional().describe("that denied it"),
  hint: z.string().nullable().optional().describe("what in the policy would allow it, in words"),
});
export type Denial = z.infer<typeof denialSchema>;

/** Distinct values of those arguments of a call that decide what it does. Null: too many to list. */
const argumentsSeen = z.object({ index: z.int().min(0).max(5), values: z.array(z.string().describe("hexadecimal")).nullable() });

/** What a behaviour profile is made of. Paths are as seen, not yet normalised. */
export const modelSchema = z.object({
  syscalls: z.array(z.object({ name: z.string(), arguments: z.array(argumentsSeen) })),
  capabilities: z.array(z.string()).describe("net_raw: asked of the kernel and granted in the program's own namespace"),
  files: z.array(z.object({ path: z.string(), permissions: z.array(z.enum(["read", "write", "append", "exec", "create", "delete", "rename", "link"])) })),
  executions: z.array(z.string()),
  sockets: z.array(z.object({ family: z.string(), type: z.string(), protocol: z.string() })),
  connections: z.array(z.object({ address: z.string(), port: z.int() })),
  names: z.array(z.string()).describe("hosts reached through the way out, as `name:port`"),
  complete: z.boolean().describe("false: something was lost, and a policy made of it alone would be too narrow"),
});
export type Model = z.infer<typeof modelSchema>;

/** The kernel's counters of the sandbox's cgroup over the run; null where this kernel does not count it. `stalled_us`: PSI, some. */
export const resourcesSchema = z.object({
  memory: z.object({ peak_bytes: count, failures: count.nullable(), stalled_us: count.nullable() }).nullable(),
  cpu: z.object({ user_us: count, system_us: count, throttled_us: count.nullable(), stalled_us: count.nullable() }).nullable(),
  io: z.object({ read_bytes: count, write_bytes: count, stalled_us: count.nullable() }).nullable(),
});

/**
 * The account of one run at the kernel: bounded, however much the program did. All text is the program's.
 * `level` none: this host or driver has no sensor, `reason` says why. limited: only what `reason` names.
 */
export const telemetrySchema = z.object({
  level: z.enum(["full", "limited", "none"]),
  reason: z.string().nullable(),
  syscalls: z.object({
    total: count,
    by_name: z.record(z.string(), count),
    errors: z.record(z.string(), count).describe("by errno"),
    denied: z.record(z.string(), count).describe("EPERM, EACCES and EROFS by call"),
    ia32: count.describe("through the 32-bit entry"),
  }),
  processes: z.object({
    forks: count,
    threads: count,
    execs: count,
    exits: count,
    list: z.array(
      z.object({
        pid: z.int(),
        parent: z.int().nullable(),
        exe: z.string(),
        argv: z.array(z.string()),
        started_us: z.number(),
        ended_us: z.number().nullable(),
        code: z.int().nullable(),
        signal: z.string().nullable(),
      }),
    ),
  }),
  files: z.object({
    opens: count,
    by_class: z.partialRecord(pathClassSchema, count),
    list: z.array(z.object({ path: z.string(), class: pathClassSchema, reads: count, writes: count, creates: count, failures: z.record(z.string(), count) })),
  }),
  network: z.object({
    connects: count,
    binds: count,
    sends: count,
    peers: z.array(z.object({ kind: z.enum(["connect", "bind", "send"]), to: endpoint, count, failures: z.record(z.string(), count) })),
    flows: z.array(
      z.object({
        protocol: z.enum(["tcp", "udp", "other"]),
        address: z.string(),
        port: z.int(),
        host: z.string().nullable().describe("the name that was asked for, where the address stands for one"),
        bytes_in: count,
        bytes_out: count,
        packets_in: count,
        packets_out: count,
      }),
    ),
    names: z.array(z.object({ name: z.string(), type: z.string(), answer: z.enum(["allowed", "denied"]), count })),
  }),
  resources: resourcesSchema,
  denials: z.array(denialSchema),
  denials_dropped: count.describe("distinct ones beyond the bound; each was still counted in syscalls.denied"),
  stacks_skipped: count.describe("denials whose stack was not taken: for the rate limit, or because the program could have noticed"),
  lost: z.object({ events: count, listed: count }).describe("events: the kernel had no room for them; listed: seen and counted, beyond a list's bound"),
  flags: z.array(z.enum(["events_lost", "flooded", "dns_tunnel", "domain_fronting", "ia32", "deleted_executable", "anonymous_executable", "outlived"])),
  timeline: z.array(activitySchema).nullable().describe("only with sensing `trace`"),
  model: modelSchema.nullable().describe("only with sensing `model`"),
});
export type Telemetry = z.infer<typeof telemetrySchema>;

/** Why a run was broken: the rule, what was measured over `window_ms`, and what it was doing. */
export const brokenBySchema = z.object({
  rule: z.enum(["connections_per_s", "forks_per_s", "denied_per_s", "bytes_out"]),
  limit: z.number(),
  measured: z.number(),
  window_ms: z.number(),
  stacks: z.array(z.object({ pid: z.int(), comm: z.string(), stack: stackSchema })).describe("of the processes as they were when frozen"),
});
export type BrokenBy = z.infer<typeof brokenBySchema>;

/** The record of a run that nobody watched. */
export function noTelemetry(reason: string, level: "none" | "limited" = "none"): Telemetry {
  return {
    level,
    reason,
    syscalls: { total: 0, by_name: {}, errors: {}, denied: {}, ia32: 0 },
    processes: { forks: 0, threads: 0, execs: 0, exits: 0, list: [] },
    files: { opens: 0, by_class: {}, list: [] },
    network: { connects: 0, binds: 0, sends: 0, peers: [], flows: [], names: [] },
    resources: { memory: null, cpu: null, io: null },
    denials: [],
    denials_dropped: 0,
    stacks_skipped: 0,
    lost: { events: 0, listed: 0 },
    flags: [],
    timeline: null,
    model: null,
  };
}
