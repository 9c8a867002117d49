import { type Confinement, newId, type RunResult, type RunSpec, runSpecSchema } from "@plastron/contracts";
import type { Control, SandboxDriver, Session } from "../driver.ts";

/**
 * Where a driver's kernel differs from the host's own in what a program sees, and why. What is asked instead stands beside each use.
 */
export interface Features {
  /** `guest`: gVisor's /proc/self/status has no CapAmb and no NoNewPrivs, and uid_map is that of its own root namespace. */
  proc: "host" | "guest";
  /** What goes when memory runs out: one process, or (a guest's memory is its kernel's) the whole sandbox. */
  memoryEnds: "process" | "sandbox";
  /** `coarse`: gVisor counts a program's CPU time in ticks of its own, in which it also counts time that the cgroup held it. */
  cpuClock: "exact" | "coarse";
  /** How deep a program may nest directories within seconds: each step of a path is a question to the gofer. */
  nesting: number;
  /** What a program can write within seconds: a guest's system calls cost microseconds each. */
  floodBytes: number;
}
export const HOST_FEATURES: Features = { proc: "host", memoryEnds: "process", cpuClock: "exact", nesting: 400, floodBytes: 1_000_000_000 };

/** How a driver's test file brings its driver to the suite. */
export interface Suite {
  open(): Promise<SandboxDriver>;
  confinement: Confinement;
  /** `refused`: the driver says so by name; everything else about sessions is not asked of it. */
  sessions: "kept" | "refused";
  /** Left out: it runs programs on the host's own kernel. */
  features?: Features;
}

/** A run's result with its output put back in as text, as the server shows it. */
export type Ran = RunResult & { started: boolean };
export type Program = Partial<RunSpec> & Pick<RunSpec, "runtime" | "code">;

/** An open driver and short ways to use it. */
export interface Bench {
  driver: SandboxDriver;
  confinement: Confinement;
  features: Features;
  python(code: string, more?: Partial<RunSpec>, control?: Control): Promise<Ran>;
  node(code: string, more?: Partial<RunSpec>, control?: Control): Promise<Ran>;
  bash(code: string, more?: Partial<RunSpec>, control?: Control): Promise<Ran>;
  /** Runs with `onOutput` seeing each chunk of stdout as it comes. */
  watch(program: Program, onOutput: (text: string) => void, control?: Control): Promise<Ran>;
  inSession(session: Session, program: Program, control?: Control): Promise<Ran>;
}

export function bench(driver: SandboxDriver, confinement: Confinement, features: Features = HOST_FEATURES): Bench {
  const spec = (program: Program) => runSpecSchema.parse({ run_id: newId("run"), tenant: "ten_conformance", confinement, ...program });
  const run = async (program: Program, control?: Control, onOutput?: (text: string) => void) =>
    captured((output) => driver.run(spec(program), output, control), onOutput);
  return {
    driver,
    confinement,
    features,
    python: (code, more, control) => run({ runtime: "python3", code, ...more }, control),
    node: (code, more, control) => run({ runtime: "nodejs", code, ...more }, control),
    bash: (code, more, control) => run({ runtime: "bash", code, ...more }, control),
    watch: (program, onOutput, control) => run(program, control, onOutput),
    inSession: (session, program, control) => captured((output) => session.run(spec(program), output, control)),
  };
}

async function captured(run: (output: Parameters<SandboxDriver["run"]>[1]) => Promise<RunResult>, onOutput?: (text: string) => void): Promise<Ran> {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  let started = false;
  const result = await run({
    started() {
      started = true;
    },
    stdout(chunk) {
      out.push(Buffer.from(chunk));
      onOutput?.(Buffer.from(chunk).toString());
    },
    stderr(chunk) {
      err.push(Buffer.from(chunk));
    },
  });
  return { ...result, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), started };
}

/** Files as base64, back to text, by path. */
export function artifactTexts(ran: Ran): Record<string, string> {
  return Object.fromEntries(ran.artifacts.map((file) => [file.path, Buffer.from(file.content, "base64").toString()]));
}
