import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { forgetBinaries, readStack } from "../../packages/sensor/stacks/index.ts";
import { type Measured, type Summary, summarize } from "../measure.ts";
import { table } from "../table.ts";
import { inDirectory, type Subject, subjects, withStopped } from "./programs.ts";

export interface StackRow {
  program: string;
  frames: number;
  /** The files of the interpreter are known from an earlier stack. */
  warm: Summary;
  /** They are read for the first time. */
  cold: Summary;
  /** gdb's native frames of the same process. */
  gdb: Measured<Summary>;
}

export interface StacksReport {
  bench: "stacks";
  started_at: string;
  settings: { quick: boolean };
  rows: StackRow[];
  target: { at_most_ms: number; met: boolean };
}

const TARGET_MS = 2;
const GDB = "/usr/bin/gdb";

/** How long the call stack of a stopped program takes, beside a debugger that attaches to it. */
export async function measureStacks(quick: boolean, say: (what: string) => void): Promise<StacksReport> {
  const started_at = new Date().toISOString();
  const rows = await inDirectory(async (directory) => {
    const measured: StackRow[] = [];
    for (const subject of subjects(directory)) {
      say(`stacks of ${subject.name}`);
      measured.push(await withStopped(directory, subject, (pid) => measureOne(subject, pid, quick)));
    }
    return measured;
  });
  return { bench: "stacks", started_at, settings: { quick }, rows, target: { at_most_ms: TARGET_MS, met: rows.every(({ warm }) => warm.p50_ms <= TARGET_MS) } };
}

function measureOne(subject: Subject, pid: number, quick: boolean): StackRow {
  const timed = (): number => {
    const start = performance.now();
    readStack(pid, pid);
    return performance.now() - start;
  };
  const cold = Array.from({ length: quick ? 5 : 20 }, () => {
    forgetBinaries();
    return timed();
  });
  for (let i = 0; i < 20; i++) timed();
  const warm = Array.from({ length: quick ? 50 : 500 }, timed);
  return { program: subject.name, frames: readStack(pid, pid).frames.length, warm: summarize(warm), cold: summarize(cold), gdb: gdbOf(pid, quick) };
}

function gdbOf(pid: number, quick: boolean): Measured<Summary> {
  if (!existsSync(GDB)) return { unavailable: "gdb is not installed" };
  const times = Array.from({ length: quick ? 1 : 3 }, () => {
    const start = performance.now();
    spawnSync(GDB, ["-nx", "-batch", "-p", String(pid), "-ex", "bt"], { stdio: "ignore" });
    return performance.now() - start;
  });
  return summarize(times);
}

/** The report as lines for a person. */
export function printStacks({ rows, settings, target }: StacksReport): string[] {
  const ms = ({ p50_ms, p95_ms }: Summary) => [p50_ms.toFixed(2), p95_ms.toFixed(2)];
  const cells = rows.map(({ program, frames, warm, cold, gdb }) => {
    const peer = "unavailable" in gdb ? ["–", "–"] : [gdb.p50_ms.toFixed(0), `${(gdb.p50_ms / warm.p50_ms).toFixed(0)}×`];
    return [program, String(frames), ...ms(warm), ...ms(cold), ...peer];
  });
  return [
    "plastron bench stacks",
    ...(settings.quick ? ["  --quick: too few runs to judge by."] : []),
    "",
    "Call stack of a stopped program, read from outside",
    ...table([["", "frames", "warm p50 ms", "p95", "cold p50 ms", "p95", "gdb p50 ms", "gdb / warm"], ...cells]),
    "  cold: the interpreter's files are read for the first time. gdb attaches, and gives native frames alone.",
    "",
    `  target: ≤ ${target.at_most_ms} ms warm (p50): ${target.met ? "met" : "NOT MET"}`,
  ];
}
