import { DEFAULT_LIMITS, type Runtime } from "@plastron/contracts";
import type { Principal } from "../auth/principal.ts";
import type { PolicyService } from "../policies/service.ts";
import type { RunService } from "../runs/service.ts";
import type { RunView } from "../runs/view.ts";
import type { RuntimeService } from "../runtimes/service.ts";
import type { VersionRow } from "../runtimes/view.ts";

export interface DifyOptions {
  /** Dify's WORKER_TIMEOUT, in ms. */
  workerTimeoutMs: number;
}

/** The tenant's policy of this name confines what comes through Dify's door; the built-in default where there is none. */
export const DIFY_POLICY = "dify-sandbox";

/** The tenant's runtimes of these names have the packages of what comes through Dify's door. */
export const DIFY_RUNTIMES = { python3: "dify-sandbox", nodejs: "dify-sandbox-nodejs" } as const;

export interface DifyOrder {
  principal: Principal;
  runtime: Runtime;
  code: string;
  /** Dify's enable_network: the network that the policy gives, if it gives one. */
  enableNetwork: boolean;
  receivedAt: number;
  authUs: number;
  signal?: AbortSignal;
}

/** Runs what Dify's client sends as any other run: same sandbox, same limits, same record. */
export class DifyService {
  readonly #runs: Pick<RunService, "run">;
  readonly #policies: Pick<PolicyService, "resolveOrDefault" | "asking">;
  readonly #options: DifyOptions;
  readonly #runtimes: Pick<RuntimeService, "findOften">;
  constructor(
    runs: Pick<RunService, "run">,
    policies: Pick<PolicyService, "resolveOrDefault" | "asking">,
    runtimes: Pick<RuntimeService, "findOften">,
    options: DifyOptions,
  ) {
    this.#runs = runs;
    this.#runtimes = runtimes;
    this.#policies = policies;
    this.#options = options;
  }

  /** The packages of what comes through this door; null: the interpreter's own. */
  packages(tenant: string, runtime: "python3" | "nodejs"): Promise<VersionRow | null> {
    return this.#runtimes.findOften(tenant, DIFY_RUNTIMES[runtime]);
  }

  async execute(order: DifyOrder): Promise<RunView> {
    const { runtime, code, enableNetwork, ...request } = order;
    // Whoever does not ask for what the policy gives does not get it.
    const asked = { network: enableNetwork ? undefined : ("none" as const), secrets: [] };
    const policy = this.#policies.asking(await this.#policies.resolveOrDefault(order.principal.tenant, DIFY_POLICY), asked);
    const limits = { ...DEFAULT_LIMITS, wall_ms: this.#options.workerTimeoutMs };
    const program = { runtime, code, args: [], env: {}, stdin: "", files: [], collect: [], imports: [], limits };
    const packed = runtime === "bash" ? null : await this.packages(order.principal.tenant, runtime);
    return this.#runs.run({
      ...request,
      program,
      packages: packed?.language === runtime ? { image: packed.image, reference: `${packed.name}@${packed.version}` } : null,
      policy,
      asked,
      minTier: policy.confinement.value.min_tier,
      sensing: "account",
      session_id: null,
      durableFirst: false,
    });
  }
}
