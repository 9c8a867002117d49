import { type Denial, noTelemetry, type Telemetry, UNSEEN, type Violation } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Run } from "../client/client.ts";
import { painter } from "../terminal/terminal.ts";
import { displayWidth } from "../terminal/width.ts";
import { newPage, since } from "./page.ts";
import { commonDirectory } from "./places.ts";
import { traceLines } from "./trace.ts";

const plain = painter(false);
const words = (...rest: number[]) => Array.from({ length: 6 }, (_, i) => `0x${(rest[i] ?? 0).toString(16)}`);
const STACK = {
  frames: [
    { language: "python" as const, function: "fetch", file: "/workspace/crawl.py", line: 12 },
    { language: "python" as const, function: "<module>", file: "/workspace/crawl.py", line: 40 },
  ],
  truncated: false,
  incomplete: null,
};
const CURL: Denial = {
  ...{ t_us: 16_000, pid: 902, comm: "sh", exe: "/usr/bin/dash", call: "execve", number: 59, abi: "native", arguments: words() },
  ...{ errno: "EACCES", path: "/usr/bin/curl", to: null, count: 1, stack: STACK },
  ...{ rule: "disable-curl", hint: "remove disable-curl (spec.policy.enhanceProtect.attackProtectionRules[0].rules[1]) from the policy to allow it" },
};
const at = (t_us: number, pid = 901, comm = "python3") => ({ t_us, pid, comm });
const opened = (path: string, more: object = {}) => ({
  ...{ kind: "open" as const, path, class: "workspace" as const, asked: false, access: "read" as const, create: false, truncate: false, errno: null },
  ...more,
});

function telemetry(more: Partial<Telemetry> = {}): Telemetry {
  return {
    ...noTelemetry(""),
    ...{ level: "full", reason: null },
    syscalls: { total: 4213, by_name: { openat: 812, read: 633 }, errors: { ENOENT: 41, EACCES: 1 }, denied: { execve: 1 }, ia32: 0 },
    processes: {
      ...{ forks: 1, threads: 2, execs: 2, exits: 2 },
      list: [
        { pid: 901, parent: null, exe: "/usr/bin/python3.11", argv: ["python3", "crawl.py"], started_us: 0, ended_us: 812_000, code: 1, signal: null },
        { pid: 902, parent: 901, exe: "/usr/bin/dash", argv: ["sh", "-c", "curl x"], started_us: 15_000, ended_us: 18_000, code: 126, signal: null },
      ],
    },
    files: {
      opens: 9,
      by_class: { workspace: 2, runtime: 7 },
      list: [{ path: "/workspace/out.txt", class: "workspace", reads: 0, writes: 1, creates: 1, failures: {} }],
    },
    network: {
      ...{ connects: 1, binds: 0, sends: 0, peers: [] },
      flows: [{ protocol: "tcp", address: "198.18.0.9", port: 443, host: "api.example.com", bytes_in: 2048, bytes_out: 100, packets_in: 3, packets_out: 2 }],
      names: [{ name: "evil.example", type: "A", answer: "denied", count: 1 }],
    },
    resources: {
      memory: { peak_bytes: 34 * 1024 * 1024, failures: 0, stalled_us: 0 },
      cpu: { user_us: 100_000, system_us: 20_000, throttled_us: 0, stalled_us: 0 },
      io: null,
    },
    denials: [CURL],
    timeline: [
      { ...opened("/workspace/data.csv"), ...at(3_100) },
      ...Array.from({ length: 7 }, (_, i) => ({ ...opened(`/usr/lib/python3.11/a/${i}.py`, { class: "runtime" }), ...at(4_000 + i) })),
      { ...opened("/workspace/out.txt", { access: "write", create: true }), ...at(5_000) },
      { kind: "dns", ...at(6_000), name: "evil.example", type: "A", answer: "denied" },
      { kind: "connect", ...at(7_000), to: { family: "inet", address: "198.18.0.9", port: 443 }, errno: "EINPROGRESS" },
      { kind: "fork", ...at(14_000), child: 902, thread: false },
      { kind: "exec", ...at(15_000, 902, "sh"), path: "/usr/bin/sh", argv: ["sh", "-c", "curl x"], argv_truncated: false, errno: null },
      { kind: "exec", ...at(16_000, 902, "sh"), path: "/usr/bin/curl", argv: ["curl", "x"], argv_truncated: false, errno: "EACCES" },
      { kind: "denied", ...at(16_000, 902, "sh"), call: "execve", path: "/usr/bin/curl", errno: "EACCES", rule: "disable-curl" },
      { kind: "exit", ...at(18_000, 902, "sh"), code: 126, signal: null },
    ],
    ...more,
  };
}

function run(more: Partial<Run> = {}): Run {
  return {
    ...{ id: "run_1", status: "failed", exit_code: 1, signal: null, reason: null, limits_hit: [], stdout_truncated: false, stderr_truncated: false },
    ...{
      language: "python3",
      session_id: null,
      policy: { name: "strict", version: 3 },
      created_at: "",
      finished_at: "",
      stdout: "",
      stderr: "",
      artifacts: [],
    },
    usage: { wall_ms: 812, cpu_ms: 1, memory_peak_bytes: 1, context_switches: null },
    ...{ sandbox: null, problem: null, violations: [], violations_dropped: 0, telemetry: telemetry(), broken_by: null },
    ...more,
  };
}
const PATH = "spec.policy.enhanceProtect.attackProtectionRules[0].rules[1]";
const REASONS = { paths: new Map([["disable-curl", PATH]]), places: new Map([[PATH, "strict.yaml:14"]]) };
const lines = (of: Run, columns = Number.POSITIVE_INFINITY) => traceLines(of, REASONS, newPage(columns, plain));

describe("a trace", () => {
  it("tells what a run did, in order, and of what was denied why, and what would allow it", () => {
    expect(lines(run()).slice(0, 20)).toEqual([
      "Trace of run_1  failed, python3, policy strict:3, 812.0 ms",
      "",
      "What it did",
      "   3.1 ms  1 python3  reads data.csv",
      "   4.0 ms  1 python3  reads 7 runtime files, in /usr/lib/python3.11/a",
      "   5.0 ms  1 python3  writes out.txt (made if missing)",
      "   6.0 ms  1 python3  asks for evil.example (A): no name of this policy",
      "   7.0 ms  1 python3  connects to api.example.com:443 (198.18.0.9:443)",
      "  14.0 ms  1 python3  starts process 2",
      "  15.0 ms  2 sh       runs /usr/bin/sh -c 'curl x'",
      "  16.0 ms  2 sh       denied: run /usr/bin/curl: permission denied (EACCES, execve)",
      "                        why     disable-curl, strict.yaml:14",
      "                        allow   remove disable-curl (strict.yaml:14) from the policy to allow it",
      "                        called  as the program tells it",
      "                                fetch  crawl.py:12",
      "                                <module>  crawl.py:40",
      "  18.0 ms  2 sh       exits with 126",
      "",
      "Processes  1 fork, 2 threads, 2 execs",
      "  1 python3 crawl.py  [0.0 ms – 812.0 ms, exit 1]",
    ]);
    const rest = lines(run()).slice(20).join("\n");
    for (const part of [
      "└ 2 sh -c 'curl x'",
      "-w  out.txt",
      "name evil.example (A): denied",
      "tcp api.example.com:443",
      "4,213 system calls: openat 812, read 633",
      "34.0 MiB",
      "120 ms of cpu",
      "missing nothing",
    ])
      expect(rest).toContain(part);
  });

  it("of a run that was not traced has the denials all the same", () => {
    const text = lines(run({ telemetry: telemetry({ timeline: null }) })).join("\n");
    expect(text).not.toContain("What it did");
    expect(text).toContain("Denied\n  run /usr/bin/curl: permission denied (EACCES, execve)\n    why     disable-curl, strict.yaml:14");
  });

  it("has what the proxy denied where it happened, names with their reason, each reason once, and the rest below", () => {
    const network = { ...UNSEEN, rule_id: "network.allow", rule_path: "network.allow", enforcer: "NetworkProxy" as const, pid: 0, comm: "", mnt_ns_id: null };
    const way = (event: object, more: Partial<Violation> = {}): Violation => ({
      ...{ ...network, action: "DENIED", at: "2026-01-02T03:04:05.678Z", hint: "--allow-net 'GET https://api.example.com/v2'" },
      event: { operation: "Network", type: "http", method: "GET", host: "api.example.com", path: "/v2", port: 443, ...event } as Violation["event"],
      ...more,
    });
    const violations = [
      way({ method: "", host: "evil.example", path: "", port: 53 }, { t_us: 6_000, hint: "--allow-net evil.example" }),
      way({}, { t_us: 8_000, pid: 902, comm: "sh" }),
      way({}, { t_us: 8_500 }),
      way({ path: "/v3" }, { t_us: 9_000 }),
      way({ path: "/old" }, { hint: "--allow-net old" }), // of a server that says no times
      way(
        { path: "/curl" },
        { enforcer: "BPF", rule_id: "disable-curl", pid: 902, event: { operation: "Bprm", path: "/usr/bin/curl", permissions: ["exec"] } },
      ),
    ];
    const all = lines(run({ violations }));
    expect(all.slice(6, 17)).toEqual([
      "   6.0 ms  1 python3  asks for evil.example (A): no name of this policy",
      "                        why     network.allow",
      "                        allow   --allow-net evil.example",
      "   7.0 ms  1 python3  connects to api.example.com:443 (198.18.0.9:443)",
      "   8.0 ms  2 sh       denied: GET https://api.example.com/v2",
      "                        why     network.allow",
      "                        allow   --allow-net 'GET https://api.example.com/v2'",
      "   8.5 ms             denied: GET https://api.example.com/v2",
      "   9.0 ms             denied: GET https://api.example.com/v3",
      "  14.0 ms  1 python3  starts process 2",
      "  15.0 ms  2 sh       runs /usr/bin/sh -c 'curl x'",
    ]);
    const rest = all.join("\n");
    expect(rest).toContain("Denied\n  denied: GET https://api.example.com/old\n    why     network.allow\n    allow   --allow-net old\n");
    expect(rest.match(/curl: permission denied/g)).toHaveLength(1);
    expect(rest).not.toContain("denied: exec");
    const untraced = lines(run({ violations, telemetry: telemetry({ timeline: null }) })).join("\n");
    expect(untraced).toContain("  denied: GET https://api.example.com/v2  (2 times)\n    why     network.allow\n");
    expect(untraced).toContain("  denied: look up evil.example\n");
  });

  it("says of what no rule explains that none does, and of the floor that it lies under every policy", () => {
    const of = (rule: string | null, hint: string | null, path?: string) =>
      traceLines(
        run({ telemetry: telemetry({ timeline: null, denials: [{ ...CURL, rule, hint }] }) }),
        { ...REASONS, paths: new Map(path ? [[rule as string, path]] : []) },
        newPage(500, plain),
      ).join("\n");
    expect(of(null, null)).toContain("why     no rule of the policy or the platform");
    expect(of("floor-mounts", "none lifts this", "spec.policy.mode")).toContain(
      "why     floor-mounts, the platform's, under every policy\n    allow   none lifts this",
    );
  });

  it("says why nothing was seen", () => {
    expect(lines(run({ telemetry: noTelemetry("there is no sensor") })).at(-1)).toContain("nothing was seen: there is no sensor");
    expect(lines(run({ telemetry: null })).at(-1)).toContain("nothing was seen");
    expect(lines(run({ telemetry: telemetry({ level: "limited", reason: "gVisor is opaque" }) })).join("\n")).toContain("limited: gVisor is opaque");
    const guest = lines(run({ telemetry: { ...noTelemetry("gVisor is opaque", "limited") } })).join("\n");
    expect(guest).toContain("calls   not counted\n  missing gVisor is opaque");
  });

  it("says which rate rule broke it, and what is missing", () => {
    const broken_by = { rule: "forks_per_s" as const, limit: 2000, measured: 2400, window_ms: 1000, stacks: [{ pid: 1, comm: "python3", stack: STACK }] };
    const text = lines(run({ broken_by, telemetry: telemetry({ lost: { events: 7, listed: 2 }, denials_dropped: 4 }) })).join("\n");
    expect(text).toContain("forks_per_s: 2,400 in 1,000 ms, where 2,000 may be (limits.rates.forks_per_s)");
    expect(text).toContain("7 events that the kernel had no room for, 2 beyond what the lists hold, 4 denials");
  });

  it("leaves the middle of a long one out, and says how much", () => {
    const timeline = Array.from({ length: 5_000 }, (_, i) => ({ ...opened(`/workspace/${i}`), ...at(i) }));
    const all = lines(run({ telemetry: telemetry({ timeline }) }));
    expect(all.length).toBeLessThan(260);
    expect(all.join("\n")).toContain("4,800 lines left out");
  });
});

describe("whatever a program calls its things", () => {
  const evil = fc.oneof(
    fc.constantFrom(
      "\x1b[2J\x1b]0;owned\x07",
      "\u202egnp.exe",
      "a\nplastron: all is well\r",
      "\u2028\u2029\u0085",
      "\0",
      "\ud800",
      "\u009b31m",
      "漢".repeat(300),
      "x".repeat(1_000_000),
    ),
    fc.string({ unit: "binary", maxLength: 40 }),
  );
  const all = fc.record({ path: evil, comm: evil, argv: fc.array(evil, { maxLength: 5 }), host: evil, file: evil, name: evil, rule: evil });

  it("a line stays one line, holds no control, and fits", () => {
    fc.assert(
      fc.property(all, fc.constantFrom(80, 120, Number.POSITIVE_INFINITY), ({ path, comm, argv, host, file, name, rule }, columns) => {
        const base = telemetry();
        const stack = { frames: [{ language: "python" as const, function: name, file, line: 1 }], truncated: true, incomplete: name };
        const hostile = telemetry({
          denials: [{ ...CURL, path, comm, stack, rule, hint: rule }],
          processes: { ...base.processes, list: base.processes.list.map((each) => ({ ...each, exe: path, argv, signal: name })) },
          files: { opens: 1, by_class: { workspace: 1 }, list: [{ path, class: "workspace", reads: 1, writes: 1, creates: 1, failures: { [name]: 2 } }] },
          network: {
            ...base.network,
            flows: base.network.flows.map((each) => ({ ...each, host, address: name })),
            names: [{ name: host, type: name, answer: "allowed", count: 1 }],
          },
          syscalls: { ...base.syscalls, by_name: { [name]: 1 }, errors: { [name]: 1 } },
          timeline: [
            { ...opened(path), ...at(1, 901, comm) },
            { kind: "exec", ...at(2, 903, comm), path, argv, argv_truncated: true, errno: null },
            { kind: "dns", ...at(3, 904, comm), name: host, type: name, answer: "denied" },
            { kind: "connect", ...at(4, 901, comm), to: { family: "unix", address: path, port: 0 }, errno: name },
            { kind: "denied", ...at(5, 901, comm), call: "execve", path, errno: "EACCES", rule },
          ],
        });
        for (const line of lines(run({ telemetry: hostile, id: name }), columns)) {
          expect(line).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff]/u);
          expect(line.isWellFormed()).toBe(true);
          expect(displayWidth(line)).toBeLessThanOrEqual(Number.isFinite(columns) ? columns : 1_200);
        }
      }),
      { numRuns: 60 },
    );
  });
});

it.each([
  [3_100, "   3.1 ms"],
  [812_345, " 812.3 ms"],
  [12_400_000, "  12.40 s"],
  [125_000_000, "    2m05s"],
])("%d µs are %j", (us, words) => expect(since(us)).toBe(words));

it("finds the directory that paths share", () => {
  expect(commonDirectory(["/a/b/c", "/a/b/d", "/a/b/e/f"])).toBe("/a/b");
  expect(commonDirectory(["/a/b", "/c/d"])).toBe("/");
  expect(commonDirectory(["/ab/x", "/a/x"])).toBe("/");
});
