import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokenBy, Denial, RateRules, Sensing, Sensor, Telemetry, Watchpoint } from "@plastron/contracts";
import { whatIsNeeded } from "../kernel/load.ts";

/** Why there can be no sensor here; null where there can. */
export const sensorMissing = whatIsNeeded();

export const NO_RATES: RateRules = { connections_per_s: null, forks_per_s: null, denied_per_s: null, bytes_out: null };

/** What a program did, as the sensor tells it. */
export interface Watched {
  telemetry: Telemetry;
  denials: Denial[];
  broken: BrokenBy[];
  stdout: string;
  pid: number;
}

/** A program in a pid namespace of its own, that waits for a line before it does what it is for. */
export class Actor {
  readonly child: ChildProcess;
  readonly pid: number;
  stdout = "";

  static async start(command: string[]): Promise<Actor> {
    const child = spawn("unshare", ["--pid", "--fork", "--kill-child", ...command], { stdio: ["pipe", "pipe", "inherit"] });
    const actor = new Actor(child);
    child.stdout?.on("data", (chunk) => {
      actor.stdout += chunk;
    });
    while (!actor.stdout.includes("\n")) await once(child.stdout as NonNullable<typeof child.stdout>, "data");
    Object.assign(actor, { pid: Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ")[0]) });
    return actor;
  }

  private constructor(child: ChildProcess) {
    this.child = child;
    this.pid = 0;
  }

  async go(): Promise<void> {
    this.child.stdin?.end("go\n");
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "exit");
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

/** Python that says it is there, waits for the line, and goes on with `code`. */
export const python = (code: string): string[] => ["/usr/bin/python3", "-I", "-S", "-u", "-c", `import sys, os\nprint("ready")\nsys.stdin.readline()\n${code}`];

/** The same of C: `code` is what main does. Compiled into `folder`. */
export function compiled(folder: string, name: string, code: string, flags: string[] = []): string[] {
  const source = join(folder, `${name}.c`);
  const includes = [
    "errno",
    "fcntl",
    "pthread",
    "signal",
    "stdio",
    "stdlib",
    "string",
    "sys/mman",
    "sys/socket",
    "sys/stat",
    "sys/syscall",
    "sys/wait",
    "time",
    "unistd",
  ];
  const head = `#define _GNU_SOURCE\n${includes.map((header) => `#include <${header}.h>\n`).join("")}`;
  const parts = code.split("MAIN");
  const main = `int main(int argc, char **argv) { char line[8]; (void)argc; (void)argv; if (write(1, "ready\\n", 6) != 6 || read(0, line, sizeof line) < 1) return 9;`;
  writeFileSync(source, `${head}${parts.length > 1 ? parts[0] : ""}\n${main}\n${parts.at(-1)}\nreturn 0; }\n`);
  execFileSync("cc", ["-O1", "-w", "-pthread", ...flags, "-o", join(folder, name), source], { stdio: "pipe" });
  return [join(folder, name)];
}

/** From before its line until after its end. */
export async function watch(sensor: Sensor, command: string[], how: { sensing?: Sensing; rates?: RateRules; cgroup?: bigint } = {}): Promise<Watched> {
  const actor = await Actor.start(command);
  const denials: Denial[] = [];
  const broken: BrokenBy[] = [];
  let point: Watchpoint | undefined;
  try {
    point = sensor.place({ pid: actor.pid, cgroup: how.cgroup ?? null });
    point.arm({
      sensing: how.sensing ?? "trace",
      rates: how.rates ?? NO_RATES,
      onDenial: (denial) => denials.push(denial),
      onBreak: (by) => broken.push(by),
    });
    await actor.go();
    return { telemetry: await point.collect(), denials, broken, stdout: actor.stdout.slice(actor.stdout.indexOf("\n") + 1), pid: actor.pid };
  } finally {
    actor.kill();
    point?.release();
  }
}

export function scratchFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "plastron-sensor-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
