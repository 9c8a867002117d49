import {
  type Confinement,
  DEFAULT_LIMITS,
  type Denial,
  NO_RULES,
  newId,
  noTelemetry,
  PLAIN,
  PlastronError,
  type RunResult,
  type RunSpec,
  UNSEEN,
  type Violation,
} from "@plastron/contracts";
import type { Control, Output, SandboxDriver, Session, SessionSpec } from "@plastron/sandbox";

export const confinement: Confinement = { ...NO_RULES, id: "0".repeat(64), policy: "test" };

export function spec(code: string, more: Partial<RunSpec> = {}): RunSpec {
  const program = { runtime: "python3" as const, code, args: [], env: {}, stdin: "", files: [], collect: [], imports: [], limits: DEFAULT_LIMITS };
  return { ...PLAIN, ...program, run_id: newId("run"), tenant: "ten_a", confinement, min_tier: 1, ...more };
}

export const violation = (path: string): Violation => ({
  ...{ rule_id: "disable-access-shadow", rule_path: "spec.policy.enhanceProtect.attackProtectionRules[0].rules[0]", enforcer: "BPF", action: "DENIED" },
  event: { operation: "File", path, permissions: ["read"] },
  ...{ pid: 7, comm: "cat", mnt_ns_id: 4_026_532_000, at: "2026-01-02T03:04:05.678Z", ...UNSEEN },
});

const denial = (t_us: number): Denial => ({
  ...{ t_us, pid: 7, comm: "cat", exe: "/usr/bin/cat", call: "mount", number: 165, abi: "native", arguments: Array(6).fill("0x0") },
  ...{ errno: "EPERM", path: null, to: null, count: 1, stack: null },
});

export const sessionSpec = (session_id: string, tenant = "ten_a") => ({
  session_id,
  tenant,
  runtime: "python3" as const,
  limits: DEFAULT_LIMITS,
  imports: [],
  confinement,
  min_tier: 1 as const,
});

/**
 * A driver without sandboxes: what a "program" does is in its code. `echo` repeats stdin, `hang` runs until it is killed,
 * `flood` writes 64 KiB chunks without end and as fast as it may, `violate` hits a rule 200 times, `overload` and `crash` fail.
 */
export class FakeDriver implements SandboxDriver {
  readonly name = "fake";
  readonly tier = 2;
  running = 0;
  chunks = 0;
  closed = false;
  readonly reasons: unknown[] = [];
  readonly sessions = new Map<string, FakeSession>();
  readonly retired: string[] = [];
  readonly held: string[] = [];

  async run(run: RunSpec, output: Output, control: Control = {}): Promise<RunResult> {
    this.running++;
    try {
      return await this.#perform(run, output, control);
    } finally {
      this.running--;
    }
  }

  async #perform(run: RunSpec, output: Output, { signal, stdin }: Control): Promise<RunResult> {
    if (run.code === "overload") throw new PlastronError("overloaded", "full", { retryAfterSeconds: 3 });
    if (run.code === "crash") throw new Error("secret path /x");
    output.started?.();
    if (run.code === "echo") for await (const chunk of stdin ?? []) await output.stdout(chunk);
    if (run.code === "hang") await aborted(signal);
    while (run.code === "flood" && !signal?.aborted && this.chunks < 600) {
      this.chunks++;
      await output.stdout(new Uint8Array(65_536));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; run.code === "violate" && i < 200; i++) output.violation?.(violation(`/etc/shadow${i}`));
    for (let i = 0; run.code === "violate" && i < 200; i++) output.denial?.(denial(i));
    await output.stdout(Buffer.from("out"));
    await output.stderr(Buffer.from("err"));
    if (signal?.aborted) this.reasons.push(signal.reason);
    return result(signal?.aborted ? "killed" : "completed", signal?.aborted ? String(signal.reason) : null);
  }

  async openSession(given: SessionSpec): Promise<Session> {
    const session = new FakeSession(given.session_id, this);
    this.sessions.set(given.session_id, session);
    return session;
  }

  async freeze(run_id: string, tenant: string) {
    if (tenant !== "ten_a") throw new PlastronError("not_found", "No such run is under way");
    this.held.push(run_id);
  }

  async thaw(run_id: string) {
    this.held.splice(this.held.indexOf(run_id), 1);
  }

  retire(id: string) {
    this.retired.push(id);
  }

  status() {
    return { driver: this.name, tier: this.tier, running: this.running, queued: 0, sessions: 0, pools: [] };
  }

  async close() {
    this.closed = true;
  }
}

class FakeSession implements Session {
  alive = true;
  closedFor: string | null = null;
  readonly id: string;
  readonly #driver: FakeDriver;
  constructor(id: string, driver: FakeDriver) {
    this.id = id;
    this.#driver = driver;
  }
  run(run: RunSpec, output: Output, control?: Control) {
    return this.#driver.run(run, output, control);
  }
  async close(reason: string) {
    this.alive = false;
    this.closedFor ??= reason;
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve());
  });
}

function result(status: RunResult["status"], reason: string | null): RunResult {
  return {
    status,
    exit_code: status === "completed" ? 0 : null,
    signal: null,
    reason,
    stdout: "",
    stderr: "",
    stdout_truncated: false,
    stderr_truncated: false,
    limits_hit: [],
    usage: { wall_ms: 1, cpu_ms: null, memory_peak_bytes: null, context_switches: null },
    artifacts: [],
    violations: [],
    violations_dropped: 0,
    telemetry: noTelemetry("a fake"),
    broken_by: null,
    sandbox: { driver: "fake", tier: 2, start: "warm", source: "process", confinement: confinement.id },
    phases_us: { made_up: 1 },
  };
}
