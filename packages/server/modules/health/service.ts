import type { AgentStatus, DoctorReport } from "@plastron/contracts";

export interface Health {
  status: "ok" | "degraded";
  version: string;
  database: "ok" | "unreachable";
  agent: "ok" | "unreachable";
  tier: number | null;
}

interface Dependencies {
  version: string;
  /** Resolves where the database answers. */
  pingDatabase(): Promise<unknown>;
  agent: { status(): Promise<AgentStatus>; doctor(): Promise<DoctorReport> };
}

/** Anyone may ask, so the answer is looked up at most once a second however often they do. */
const FRESH_MS = 1_000;

export class HealthService {
  readonly #deps: Dependencies;
  #last: { at: number; health: Promise<Health> } | undefined;
  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  check(now: number = Date.now()): Promise<Health> {
    if (this.#last === undefined || now - this.#last.at > FRESH_MS) this.#last = { at: now, health: this.#look() };
    return this.#last.health;
  }

  doctor(): Promise<DoctorReport> {
    return this.#deps.agent.doctor();
  }

  async #look(): Promise<Health> {
    const [database, agent] = await Promise.allSettled([this.#deps.pingDatabase(), this.#deps.agent.status()]);
    const both = database.status === "fulfilled" && agent.status === "fulfilled";
    return {
      ...{ status: both ? "ok" : "degraded", version: this.#deps.version },
      ...{ database: database.status === "fulfilled" ? "ok" : "unreachable", agent: agent.status === "fulfilled" ? "ok" : "unreachable" },
      tier: agent.status === "fulfilled" ? agent.value.tier : null,
    };
  }
}
