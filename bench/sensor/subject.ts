import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Sensor, Telemetry } from "@plastron/contracts";

const NO_RATES = { connections_per_s: null, forks_per_s: null, denied_per_s: null, bytes_out: null };

/** What a program said of itself, line by line, and what the sensor said of it. */
export interface Ran {
  values: number[];
  seconds: number;
  telemetry: Telemetry | null;
}

/**
 * Runs a program that says it is ready, waits for a line, and prints numbers. `inside`: in a pid namespace of its own, as sandboxes
 * are; with a sensor it is looked at there, or has a place that is not armed, as one whose interpreter still starts.
 */
export async function run(command: string[], { inside, sensor, armed = true }: { inside: boolean; sensor?: Sensor; armed?: boolean }): Promise<Ran> {
  const [program, ...args] = inside ? ["unshare", "--pid", "--fork", "--kill-child", ...command] : command;
  const child = spawn(program as string, args, { stdio: ["pipe", "pipe", "ignore"], cwd: "/" });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  try {
    const ended = once(child, "exit");
    while (!text.includes("\n")) await Promise.race([once(child.stdout, "data"), ended.then(() => Promise.reject(new Error(`${command[0]} ended early`)))]);
    const point = inside ? sensor?.place({ pid: innerPid(child), cgroup: null }) : undefined;
    if (armed) point?.arm({ sensing: "account", rates: NO_RATES, onDenial() {}, onBreak() {} });
    const began = performance.now();
    child.stdin.end("go\n");
    await ended;
    const seconds = (performance.now() - began) / 1000;
    const telemetry = (await point?.collect()) ?? null;
    point?.release();
    return { values: text.trim().split("\n").slice(1).map(Number), seconds, telemetry };
  } finally {
    child.kill("SIGKILL");
  }
}

const innerPid = (child: ChildProcess): number => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ")[0]);

const PYTHON = "/usr/bin/python3";
const READY = "import os, sys, time\nprint('ready', flush=True)\nsys.stdin.readline()\n";
const timed = (body: string, count: number) =>
  `for _ in range(int(sys.argv[1])):\n  t = time.perf_counter_ns()\n  for _ in range(${count}): ${body}\n  print((time.perf_counter_ns() - t) / ${count})`;

/** Nanoseconds of one os.stat. */
export const statLoop = (rounds: number): string[] => [PYTHON, "-I", "-S", "-c", `${READY}${timed("os.stat('/etc/passwd')", 2000)}`, String(rounds)];

/** Nanoseconds of one start of Python, from its parent's side. */
export const pythonStart = (rounds: number): string[] => [
  PYTHON,
  "-I",
  "-S",
  "-c",
  `${READY}import subprocess\n${timed(`subprocess.run([${JSON.stringify(PYTHON)}, '-I', '-c', 'pass'])`, 1)}`,
  String(rounds),
];
