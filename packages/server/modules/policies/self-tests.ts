import {
  type Confinement,
  DEFAULT_LIMITS,
  type FidelityRow,
  fidelitySchema,
  type HostFacts,
  newId,
  PLAIN,
  PlastronError,
  violationSchema,
} from "@plastron/contracts";
import { type ProgramOutcome, type RowResult, recordsOf, runSelfTests, type SelfTestPort } from "@plastron/policy";
import { z } from "zod";
import type { AgentClient } from "../../agent-client/client.ts";
import type { Gate } from "../runs/gate.ts";
import { OutputBuffer } from "../runs/output.ts";
import { encoded } from "./compiled.ts";

const outcomeSchema = z.object({
  exit_code: z.number().int().nullable(),
  stdout: z.string(),
  stderr: z.string(),
  violations: z.array(violationSchema.pick({ rule_id: true, action: true })).describe("what was recorded, each rule and action once"),
});
const rowResultSchema = z.object({
  rule: z.string(),
  category: z.string(),
  fidelity: fidelitySchema,
  observes: z.boolean().describe("what is forbidden must pass and be recorded, where others must deny it"),
  verdict: z.enum(["passed", "failed", "unclaimed"]).describe("unclaimed: the row claims nothing that could be shown on this host"),
  tests: z.array(z.object({ id: z.string(), forbidden: outcomeSchema, allowed: outcomeSchema, passed: z.boolean(), why: z.string() })),
});
export const policyTestSchema = z.object({
  policy: z.string(),
  confinement: z.string(),
  driver: z.string(),
  tier: z.number().int(),
  passed: z.number().int(),
  failed: z.number().int(),
  unclaimed: z.number().int(),
  rows: z.array(rowResultSchema),
});
export type PolicyTest = z.infer<typeof policyTestSchema>;

/** No tenant's id begins with a dot: nobody's quota, record or sandbox is touched, and in the queue it takes turns as one more tenant. */
const TENANT = ".policy-test";
/** A self-test is over in milliseconds; one that hangs is broken, and says so. */
const LIMITS = { ...DEFAULT_LIMITS, wall_ms: 10_000 };
/** Of all rules, with their hundreds of programs, on a slow machine. */
const LONGEST_MS = 10 * 60_000;
/** What a program says about why it failed is short. */
const MOST_TEXT = 2_000;

interface Tested {
  confinement: Confinement;
  fidelity: readonly FidelityRow[];
  host: HostFacts;
}

/** Tries policies on this host through the agent: one at a time, through the same gate as every run, until `signal` aborts. */
export class PolicyTests {
  readonly #agent: Pick<AgentClient, "run" | "retire">;
  readonly #gate: Gate;
  #busy = false;

  constructor(agent: Pick<AgentClient, "run" | "retire">, gate: Gate) {
    this.#agent = agent;
    this.#gate = gate;
  }

  /** @throws PlastronError overloaded while another test runs or the queue is full, agent_unavailable */
  async run({ confinement, fidelity, host }: Tested, signal: AbortSignal, each: (row: RowResult) => void = () => {}): Promise<PolicyTest> {
    if (this.#busy) throw new PlastronError("overloaded", "Another policy is being tested", { retryAfterSeconds: 10 });
    this.#busy = true;
    const stop = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]);
    try {
      const failure: { cause?: unknown } = {};
      const port = remembering(this.#port(confinement, stop, failure));
      const rows: RowResult[] = [];
      for (const row of fidelity) {
        for (const result of await runSelfTests([row], confinement, port)) {
          if (failure.cause !== undefined) throw failure.cause;
          if (stop.aborted) throw new PlastronError("overloaded", "The test was ended before its last rule", { retryAfterSeconds: 10 });
          rows.push(result);
          each(result);
        }
      }
      const count = (verdict: RowResult["verdict"]) => rows.filter((row) => row.verdict === verdict).length;
      return {
        ...{ policy: confinement.policy, confinement: confinement.id, driver: host.driver, tier: host.tier },
        ...{ passed: count("passed"), failed: count("failed"), unclaimed: count("unclaimed"), rows },
      };
    } finally {
      this.#busy = false;
      void this.#agent.retire(confinement.id).catch(() => {}); // where a policy has it, the next run warms it again
    }
  }

  /** What keeps every program from running (no agent, no such tier) is told as itself, not as a rule that failed. */
  #port(confinement: Confinement, stop: AbortSignal, failure: { cause?: unknown }): SelfTestPort {
    const json = encoded(confinement);
    return {
      run: async ({ runtime, code }) => {
        if (stop.aborted) return { exit_code: null, stdout: "", stderr: "the test was ended", violations: [] };
        await this.#gate.enter(TENANT);
        try {
          return await this.#runOne({ runtime, code }, json, stop);
        } catch (error) {
          if (!(error instanceof PlastronError && error.code === "sandbox_failed")) failure.cause ??= error;
          throw error;
        } finally {
          this.#gate.leave(TENANT);
        }
      },
    };
  }

  async #runOne(program: Parameters<SelfTestPort["run"]>[0], confinement: ReturnType<typeof encoded>, stop: AbortSignal): Promise<ProgramOutcome> {
    const stdout = new OutputBuffer();
    const stderr = new OutputBuffer();
    const empty = { ...PLAIN, args: [], env: {}, stdin: "", files: [], collect: [], imports: [], limits: LIMITS };
    const spec = { ...empty, ...program, run_id: newId("run"), tenant: TENANT, min_tier: confinement.value.min_tier };
    const run = this.#agent.run({ spec, confinement }, { stdout: (chunk) => stdout.push(chunk), stderr: (chunk) => stderr.push(chunk) });
    const kill = () => run.kill("the test was ended");
    stop.addEventListener("abort", kill);
    try {
      const { exit_code, violations } = await run.result;
      const records = recordsOf(violations);
      return { exit_code, stdout: stdout.text().slice(0, MOST_TEXT), stderr: stderr.text().slice(-MOST_TEXT), violations: records };
    } finally {
      stop.removeEventListener("abort", kill);
    }
  }
}

/** Rules share programs: each is run once for a policy. */
function remembering(port: SelfTestPort): SelfTestPort {
  const done = new Map<string, Promise<ProgramOutcome>>();
  return {
    run(program, confinement) {
      const key = `${program.runtime} ${program.code}`;
      const known = done.get(key) ?? port.run(program, confinement);
      done.set(key, known);
      return known;
    },
  };
}
