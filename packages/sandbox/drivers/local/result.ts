import { constants } from "node:os";
import { type BrokenBy, type LimitName, type Limits, MIB, type RunResult, type RunStatus } from "@plastron/contracts";
import { accountOf } from "./account.ts";
import { readStats } from "./cgroups.ts";
import { withDoers } from "./egress-who.ts";
import { withMainEnd } from "./main-process.ts";
import { type RunEnd, WALL_CLOCK } from "./run-end.ts";

/** What the program did and which limit it hit, from what the supervisor and the kernel's counters say. */
export function describeEnd(end: RunEnd, limits: Limits): Omit<RunResult, "sandbox" | "phases_us" | "stdout" | "stderr"> {
  const { facts } = end;
  const stats = readStats(end.stats, end.before);
  const flag = (name: string) => facts.get(name) === "1";
  const exit = exitOf(facts);
  const account = accountOf(end);
  // Where the sandbox goes on (a session's), so does its interpreter.
  const telemetry = facts.get("over") === "0" ? account : withMainEnd(account, exit, Number(facts.get("wall_us") ?? 0));
  const reason = facts.get("reason") ?? null;
  const cut = end.artifacts.some((artifact) => artifact.content.length < artifact.size);
  const hit: [LimitName, boolean][] = [
    ["wall", reason === WALL_CLOCK],
    ["memory", stats.oom_kills > 0],
    ["pids", stats.pids_refused > 0],
    ["cpu", stats.throttled > 0],
    ["stdout", flag("out_truncated")],
    ["stderr", flag("err_truncated")],
    ["workspace", flag("workspace_full")],
    ["artifacts", cut || flag("files_cut")],
  ];
  const limits_hit = hit.filter(([, was]) => was).map(([name]) => name);
  const status = end.broken ? "broken_by_rule" : statusOf(reason, limits_hit, exit.exit_code);
  return {
    status,
    ...exit,
    reason: end.broken ? brokenReason(end.broken) : (LIMIT_REASONS[status]?.(limits) ?? reason),
    stdout_truncated: flag("out_truncated"),
    stderr_truncated: flag("err_truncated"),
    limits_hit,
    usage: {
      wall_ms: Number(facts.get("wall_us") ?? 0) / 1000,
      cpu_ms: stats.cpu_ms,
      memory_peak_bytes: stats.memory_peak_bytes,
      context_switches: { voluntary: Number(facts.get("voluntary") ?? 0), involuntary: Number(facts.get("involuntary") ?? 0) },
      network: end.egress?.traffic ?? null,
    },
    artifacts: end.artifacts.map((artifact) => ({
      path: artifact.path,
      size: artifact.size,
      content: Buffer.from(artifact.content).toString("base64"),
      truncated: artifact.content.length < artifact.size,
    })),
    violations: withDoers(end.violations.kept, telemetry),
    violations_dropped: end.violations.dropped,
    telemetry,
    broken_by: end.broken,
  };
}

/** Where the time of a run went, in microseconds, from `performance.now()` at each turn. */
export function phasesOf(at: Record<"begun" | "admitted" | "acquired" | "finished", number>, { facts }: RunEnd): RunResult["phases_us"] {
  const between = (from: number, to: number): number => Math.round((to - from) * 1000);
  return {
    queue: between(at.begun, at.admitted),
    acquire: between(at.admitted, at.acquired),
    run: between(at.acquired, at.finished),
    program: Number(facts.get("wall_us") ?? 0),
  };
}

/** A limit that was hit is the status, the hardest first; a limit that only slowed or cut the program leaves its exit code readable beside it. */
function statusOf(reason: string | null, hit: LimitName[], exitCode: number | null): RunStatus {
  if (hit.includes("wall")) return "timed_out";
  if (reason !== null) return "killed";
  if (hit.includes("memory")) return "memory_exceeded";
  if (hit.includes("pids")) return "pids_exceeded";
  if (hit.includes("workspace")) return "workspace_exceeded";
  if (hit.includes("stdout") || hit.includes("stderr")) return "output_truncated";
  return exitCode === 0 ? "completed" : "failed";
}

/** Why, in words that name the limit and what would raise it. */
const LIMIT_REASONS: Partial<Record<RunStatus, (limits: Limits) => string>> = {
  timed_out: (limits) => `it ran longer than its wall-clock limit of ${limits.wall_ms / 1000} s (limits.wall_ms)`,
  memory_exceeded: (limits) => `it used more than its memory limit of ${Math.round(limits.memory_bytes / MIB)} MiB (limits.memory_bytes)`,
  pids_exceeded: (limits) => `it wanted more than its limit of ${limits.pids} processes and threads (limits.pids)`,
  workspace_exceeded: (limits) => `it filled its workspace of ${Math.round(limits.workspace_bytes / MIB)} MiB (limits.workspace_bytes)`,
  output_truncated: (limits) => `it wrote more than ${limits.output_bytes} bytes to one stream; the rest was thrown away (limits.output_bytes)`,
};

/** What each rate rule counts, in words. */
const COUNTED: Record<BrokenBy["rule"], string> = {
  connections_per_s: "connections",
  forks_per_s: "new processes",
  denied_per_s: "denied calls",
  bytes_out: "bytes sent to the network",
};

function brokenReason({ rule, limit, measured, window_ms }: BrokenBy): string {
  const over = rule === "bytes_out" ? "" : ` in ${Math.round(window_ms)} ms`;
  const allowed = rule === "bytes_out" ? String(limit) : `${limit} a second`;
  return `${Math.round(measured)} ${COUNTED[rule]}${over}, where its rate rule allows ${allowed}; it was stopped, looked at and killed (limits.rates.${rule})`;
}

/** `code` is what the worker said, `status` what wait4 said of it (the truth where both came). */
function exitOf(facts: Map<string, string>): { exit_code: number | null; signal: string | null } {
  const code = facts.get("code");
  const status = facts.get("status");
  if (code !== undefined) return { exit_code: Number(code) & 0xff, signal: null };
  if (status === undefined) return { exit_code: null, signal: "SIGKILL" };
  const number = Number(status) & 0x7f;
  if (number === 0) return { exit_code: (Number(status) >> 8) & 0xff, signal: null };
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { exit_code: null, signal: name ?? `signal ${number}` };
}
