import { DEFAULT_LIMITS, type Runtime } from "@plastron/contracts";
import type { Principal } from "../auth/principal.ts";
import type { PolicyService } from "../policies/service.ts";
import type { RunService } from "../runs/service.ts";
import type { RunView } from "../runs/view.ts";

export interface DifyOptions {
  /** Dify's WORKER_TIMEOUT, in ms. */
  workerTimeoutMs: number;
}

/** The tenant's policy of this name confines what comes through Dify's door; the built-in default where there is none. */
export const DIFY_POLICY = "dify-sandbox";

export interface DifyOrder {
  principal: Principal;
  runtime: Runtime;
  code: string;
  receivedAt: number;
  authUs: number;
  signal?: AbortSignal;
}

/** Runs what Dify's client sends as any other run: same sandbox, same limits, same record. */
export class DifyService {
  readonly #runs: Pick<RunService, "run">;
  readonly #policies: Pick<PolicyService, "resolveOrDefault">;
  readonly #options: DifyOptions;
  constructor(runs: Pick<RunService, "run">, policies: Pick<PolicyService, "resolveOrDefault">, options: DifyOptions) {
    this.#runs = runs;
    this.#policies = policies;
    this.#options = options;
  }

  async execute(order: DifyOrder): Promise<RunView> {
    const { runtime, code, ...request } = order;
    const policy = await this.#policies.resolveOrDefault(order.principal.tenant, DIFY_POLICY);
    const limits = { ...DEFAULT_LIMITS, wall_ms: this.#options.workerTimeoutMs };
    const program = { runtime, code, args: [], env: {}, stdin: "", files: [], collect: [], imports: [], limits };
    return this.#runs.run({
      ...request,
      program,
      policy,
      minTier: policy.confinement.value.min_tier,
      sensing: "account",
      session_id: null,
      durableFirst: false,
    });
  }
}
