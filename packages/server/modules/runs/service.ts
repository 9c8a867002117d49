import { createHash } from "node:crypto";
import {
  ERRORS,
  newId,
  noTelemetry,
  PLAIN,
  PlastronError,
  type Problem,
  type Program,
  type RunResult,
  type Sensing,
  type Tier,
  toProblem,
  type Violation,
} from "@plastron/contracts";
import type { AgentClient } from "../../agent-client/client.ts";
import type { AgentRun, RunSink } from "../../agent-client/exchange.ts";
import type { GroupCommit } from "../../database/group-commit.ts";
import type { Principal } from "../auth/principal.ts";
import type { BehaviorService } from "../behavior/service.ts";
import type { RunPolicy } from "../policies/compiled.ts";
import type { AskedNetwork } from "../policies/networks.ts";
import { type RecorderDependencies, RunViolations } from "../violations/recorder.ts";
import type { Gate } from "./gate.ts";
import { type NetworkView, networkView } from "./network.ts";
import { OutputBuffer } from "./output.ts";
import { PhaseClock } from "./phase-clock.ts";
import type { RunPackages } from "./program.ts";
import { accountOf, type RunHead, type RunView, type StoredResult, summaryOf } from "./view.ts";

/** One run as a front door orders it. */
export interface RunOrder {
  /** Whom it runs for, and the artifact that its program came from. */
  project?: string | null;
  artifact?: string | null;
  principal: Principal;
  program: Program;
  packages: RunPackages | null;
  policy: RunPolicy;
  /** What of the policy's network was the request's; of a session's run what the session was opened with. */
  asked: AskedNetwork | { view: NetworkView };
  minTier: Tier;
  sensing: Sensing;
  session_id: string | null;
  /** The admission is durable before the caller hears of the run: for callers that are told its id before its end. */
  durableFirst: boolean;
  receivedAt: number;
  authUs: number;
  /** Ends the run; `signal.reason` (a string) is why. */
  signal?: AbortSignal;
}

/** What hears of a run while it runs. */
export interface RunListener extends Partial<RunSink> {
  admitted?(head: RunHead, run: Pick<AgentRun, "pause" | "resume">): void;
  /** Durable when it is heard of. */
  violation?(violation: Violation): void;
}

export interface RunObserver {
  finished(language: string, status: string, phasesUs: Record<string, number>, account: Pick<StoredResult, "telemetry" | "broken_by"> | null): void;
}

interface Dependencies {
  agent: Pick<AgentClient, "run" | "hold">;
  records: Pick<GroupCommit, "admit" | "admitNow" | "note" | "finish" | "reachable">;
  gate: Gate;
  observer: RunObserver;
  behavior?: Pick<BehaviorService, "learnsFrom" | "take">;
  violations: Pick<RecorderDependencies, "observer" | "log" | "recorded">;
  server: string;
  /** Name of this host. */
  node: string;
}

/** Runs programs: admission, agent, record, reply. The record is durable before the caller gets the result. */
export class RunService {
  readonly #deps: Dependencies;
  readonly #live = new Map<string, { tenant: string; kill(reason: string): void }>();

  #draining = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** @throws PlastronError overloaded, agent_unavailable, database_unavailable, tier_unavailable, sandbox_failed, session_busy, session_gone */
  async run(order: RunOrder, listener: RunListener = {}): Promise<RunView> {
    const { gate, records } = this.#deps;
    const clock = new PhaseClock(order.receivedAt, order.authUs);
    if (!records.reachable)
      throw new PlastronError("database_unavailable", "Runs are not admitted while their records cannot be written", { retryAfterSeconds: 2 });
    this.#refuseWhenDraining();
    const place = gate.enter(order.principal.tenant);
    let ended: Ended;
    let head: RunHead;
    try {
      if (place) await place;
      this.#refuseWhenDraining();
      head = headOf(order);
      await this.#admit(order, head);
      clock.mark("admit");
      ended = await this.#execute(order, head, listener, clock);
    } finally {
      gate.leave(order.principal.tenant);
    }
    return this.#record(head, await this.#learn(order, ended), clock);
  }

  /** The ids of runs in progress here, oldest first. */
  liveIds(): string[] {
    return [...this.#live.keys()];
  }

  /** False where no such run of this tenant is in progress on this server. */
  cancel(tenant: string, id: string, reason: string): boolean {
    const live = this.#live.get(id);
    if (live === undefined || live.tenant !== tenant) return false;
    live.kill(reason);
    return true;
  }

  /** Holds a run still, or lets it go on. False where no such run of this tenant is in progress on this server. @throws PlastronError conflict */
  async hold(tenant: string, id: string, deed: "freeze" | "thaw"): Promise<boolean> {
    if (this.#live.get(id)?.tenant !== tenant) return false;
    await this.#deps.agent.hold(deed, id, tenant);
    return true;
  }

  /** Ends everything that runs or waits here, refuses what comes, and waits until all is recorded, at most `ms`. */
  async drain(reason: string, ms: number): Promise<void> {
    this.#draining = true;
    for (const until = Date.now() + ms; this.#live.size > 0 && Date.now() < until; ) {
      for (const live of this.#live.values()) live.kill(reason);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #refuseWhenDraining(): void {
    if (this.#draining) throw new PlastronError("overloaded", "The server is shutting down", { retryAfterSeconds: 2 });
  }

  async #admit(order: RunOrder, head: RunHead): Promise<void> {
    const { records, server } = this.#deps;
    const admission = {
      ...{ id: head.id, tenant: order.principal.tenant, server, session_id: head.session_id, key_id: order.principal.key },
      ...{ language: head.language, policy: head.policy.name, policy_version: head.policy.version, policy_sha256: head.policy.sha256 ?? null },
      ...{
        confinement: order.policy.confinement.value.id,
        code_sha256: head.code_sha256,
        runtime: head.runtime,
        project: head.project,
        artifact: head.artifact,
        network: head.network,
        created_at: head.created_at,
      },
    };
    if (order.durableFirst) await records.admitNow(admission);
    else records.admit(admission);
  }

  async #execute(order: RunOrder, head: RunHead, listener: RunListener, clock: PhaseClock): Promise<Ended> {
    const so = { stdout: new OutputBuffer(), stderr: new OutputBuffer(), violations: this.#violationsOf(order, head, listener) };
    const { stdout, stderr, violations } = so;
    if (order.signal?.aborted) return { ...so, result: neverStarted(String(order.signal.reason)), problem: undefined };
    const spec = {
      ...PLAIN,
      ...order.program,
      run_id: head.id,
      tenant: order.principal.tenant,
      min_tier: order.minTier,
      sensing: this.#deps.behavior?.learnsFrom(order.principal.tenant, order.policy) ? "model" : order.sensing,
      image: order.packages?.image ?? null,
      secrets: "secrets" in order.asked ? [...order.asked.secrets] : [],
    };
    const run = this.#deps.agent.run(
      { spec, confinement: order.policy.confinement, ...(order.session_id === null ? {} : { session_id: order.session_id }) },
      {
        started: () => listener.started?.(),
        stdout: (chunk) => {
          stdout.push(chunk);
          listener.stdout?.(chunk);
        },
        stderr: (chunk) => {
          stderr.push(chunk);
          listener.stderr?.(chunk);
        },
        violation: (violation) => violations.take(violation),
        denial: (denial) => violations.denied(denial),
      },
    );
    const onAbort = () => run.kill(String(order.signal?.reason));
    order.signal?.addEventListener("abort", onAbort);
    this.#live.set(head.id, { tenant: order.principal.tenant, kill: (reason) => run.kill(reason) });
    listener.admitted?.(head, run);
    try {
      return { ...so, result: await run.result, problem: undefined };
    } catch (error) {
      return { ...so, result: undefined, problem: error };
    } finally {
      order.signal?.removeEventListener("abort", onAbort);
      clock.set("agent_connect", run.connectUs());
      clock.mark("agent");
    }
  }

  /** Takes in what a run did, where its policy learns; the profile has it, and the run's record need not. */
  async #learn(order: RunOrder, ended: Ended): Promise<Ended> {
    const { behavior } = this.#deps;
    const { result } = ended;
    if (!result) return ended;
    if (behavior?.learnsFrom(order.principal.tenant, order.policy))
      await behavior.take(order.principal.tenant, order.policy, order.program.runtime, result.telemetry).catch(() => {}); // a database that is away is the record's to tell
    return { ...ended, result: { ...result, telemetry: { ...result.telemetry, model: null } } };
  }

  async #record(head: RunHead, ended: Ended, clock: PhaseClock): Promise<RunView> {
    const finishedAt = new Date().toISOString();
    const status = ended.result?.status ?? statusWithoutResult(ended.problem);
    const problem: Problem | null = ended.problem === undefined ? null : toProblem(ended.problem);
    const { result, artifacts } = stored(ended, clock);
    const finish = {
      ...{ status, finished_at: finishedAt, result, artifacts: artifacts.length === 0 ? null : artifacts, problem },
      ...{ stdout: ended.stdout.bytes().toString("base64"), stderr: ended.stderr.bytes().toString("base64") },
    };
    try {
      await this.#deps.records.finish(head.id, finish, ended.violations.undurable());
      ended.violations.settled();
    } finally {
      this.#live.delete(head.id);
    }
    clock.mark("commit");
    const phases_us = { ...result?.phases_us, ...clock.done() };
    this.#deps.observer.finished(head.language, status, phases_us, result);
    if (ended.problem !== undefined) throw ended.problem;
    const output = { stdout: ended.stdout.text(), stderr: ended.stderr.text(), artifacts };
    return { ...summaryOf(head, status, finishedAt, result, problem), phases_us, ...output, ...accountOf(result) };
  }

  #violationsOf(order: RunOrder, head: RunHead, listener: RunListener): RunViolations {
    const { records, violations, node } = this.#deps;
    const context = {
      ...{ node, run_id: head.id, session_id: head.session_id, tenant: order.principal.tenant, runtime: head.language },
      ...{ driver: order.policy.driver, confinement: order.policy.confinement.value.id, policy: order.policy },
    };
    return new RunViolations({ records, ...violations, explain: order.policy.explain }, context, (violation) => listener.violation?.(violation));
  }
}

interface Ended {
  stdout: OutputBuffer;
  stderr: OutputBuffer;
  violations: RunViolations;
  result: RunResult | undefined;
  problem: unknown;
}

function headOf(order: RunOrder): RunHead {
  return {
    ...{ id: newId("run"), language: order.program.runtime, session_id: order.session_id },
    runtime: order.packages?.reference ?? null,
    project: order.project ?? null,
    artifact: order.artifact ?? null,
    network: "view" in order.asked ? order.asked.view : networkView(order.policy, order.asked),
    policy: { name: order.policy.name, version: order.policy.version, ...(order.policy.sha256 === undefined ? {} : { sha256: order.policy.sha256 }) },
    code_sha256: createHash("sha256").update(order.program.code).digest("hex"),
    created_at: new Date().toISOString(),
  };
}

function stored({ result, violations }: Ended, clock: PhaseClock): { result: StoredResult | null; artifacts: RunResult["artifacts"] } {
  const hits = violations.complete(result);
  if (result === undefined) return { result: null, artifacts: [] };
  const { status: _status, stdout: _stdout, stderr: _stderr, artifacts, ...rest } = result;
  return { result: { ...rest, ...hits, phases_us: { ...rest.phases_us, ...clock.phases } }, artifacts };
}

/** Who was turned away can come back with another request, or later; what was lost is the platform's fault. */
function statusWithoutResult(error: unknown): "refused" | "lost" {
  return error instanceof PlastronError && (ERRORS[error.code].status < 500 || error.code === "overloaded") ? "refused" : "lost";
}

/** The caller left while the run waited for its place. */
function neverStarted(reason: string): RunResult {
  return {
    ...{ status: "killed", exit_code: null, signal: null, reason, stdout: "", stderr: "", stdout_truncated: false, stderr_truncated: false },
    ...{
      limits_hit: [],
      usage: { wall_ms: 0, cpu_ms: null, memory_peak_bytes: null, context_switches: null },
      artifacts: [],
      violations: [],
      violations_dropped: 0,
      telemetry: noTelemetry("it never ran"),
      broken_by: null,
      phases_us: {},
    },
    sandbox: { driver: "none", tier: 1, start: "cold", source: "process", confinement: "" },
  };
}
