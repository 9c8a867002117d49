import { constants } from "node:os";
import type { LimitName, RunResult, RunStatus } from "@plastron/contracts";
import { REASON, type RunEnd } from "./box.ts";
import { readStats } from "./cgroups.ts";

/** What the program did and which limit it hit, from what the supervisor and the kernel's counters say. */
export function describeEnd(end: RunEnd): Omit<RunResult, "sandbox" | "phases_us" | "stdout" | "stderr"> {
  const { facts } = end;
  const stats = readStats(end.stats);
  const flag = (name: string) => facts.get(name) === "1";
  const exit = exitOf(facts);
  const reason = facts.get("reason") ?? null;
  const truncated = flag("out_truncated") || flag("err_truncated");
  const cut = end.artifacts.some((artifact) => artifact.content.length < artifact.size);
  const hit: [LimitName, boolean][] = [
    ["wall", reason === REASON.wallClock],
    ["memory", stats.oom_kills > 0],
    ["pids", stats.pids_refused > 0],
    ["cpu", stats.throttled > 0],
    ["stdout", flag("out_truncated")],
    ["stderr", flag("err_truncated")],
    ["workspace", flag("workspace_full")],
    ["artifacts", cut],
  ];
  const limits_hit = hit.filter(([, was]) => was).map(([name]) => name);
  return {
    status: statusOf(reason, limits_hit, truncated, exit.exit_code),
    ...exit,
    reason,
    stdout_truncated: flag("out_truncated"),
    stderr_truncated: flag("err_truncated"),
    limits_hit,
    usage: {
      wall_ms: Number(facts.get("wall_us") ?? 0) / 1000,
      cpu_ms: stats.cpu_ms,
      memory_peak_bytes: stats.memory_peak_bytes,
      context_switches: { voluntary: Number(facts.get("voluntary") ?? 0), involuntary: Number(facts.get("involuntary") ?? 0) },
    },
    artifacts: end.artifacts.map((artifact) => ({
      path: artifact.path,
      size: artifact.size,
      content: Buffer.from(artifact.content).toString("base64"),
      truncated: artifact.content.length < artifact.size,
    })),
  };
}

/** A limit that was hit is the status, the hardest first; a limit that only slowed or cut the program leaves its exit code readable beside it. */
function statusOf(reason: string | null, hit: LimitName[], truncated: boolean, exitCode: number | null): RunStatus {
  if (hit.includes("wall")) return "timed_out";
  if (reason !== null && reason !== REASON.overflow) return "killed";
  if (hit.includes("memory")) return "memory_exceeded";
  if (hit.includes("pids")) return "pids_exceeded";
  if (truncated) return "output_truncated";
  if (hit.includes("workspace") && exitCode !== 0) return "workspace_exceeded";
  return exitCode === 0 ? "completed" : "failed";
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
