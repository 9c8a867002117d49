import { type Limits, newId, PlastronError, type Program, type Runtime, type Tier } from "@plastron/contracts";
import type { AgentClient } from "../../agent-client/client.ts";
import type { Principal } from "../auth/principal.ts";
import type { RunPolicy } from "../policies/compiled.ts";
import type { AskedNetwork } from "../policies/networks.ts";
import { DEFAULT_POLICY, type PolicyService } from "../policies/service.ts";
import { networkView } from "../runs/network.ts";
import { type RunPackages, type SessionRunRequest, sensingOf } from "../runs/program.ts";
import type { RunOrder, RunService } from "../runs/service.ts";
import type { SessionRow, SessionStore } from "./store.ts";

export interface SessionOrder {
  language: Runtime;
  packages: RunPackages | null;
  imports: string[];
  limits: Limits;
  minTier: Tier;
  ttlMs: number;
  policy: RunPolicy;
  asked: AskedNetwork;
}

/** Sandboxes that keep their interpreter's state over several runs. One tenant, one program at a time, a time to live. */
export class SessionService {
  readonly #store: SessionStore;
  readonly #agent: Pick<AgentClient, "openSession" | "closeSession">;
  readonly #policies: Pick<PolicyService, "currentVersions" | "explainOf" | "keepExplain">;
  constructor(
    store: SessionStore,
    agent: Pick<AgentClient, "openSession" | "closeSession">,
    policies: Pick<PolicyService, "currentVersions" | "explainOf" | "keepExplain">,
  ) {
    this.#store = store;
    this.#agent = agent;
    this.#policies = policies;
  }

  /** The record is written after the sandbox stands: a session that no record knows dies by its time to live. */
  async open(principal: Principal, order: SessionOrder): Promise<SessionRow> {
    const id = newId("session");
    const { language: runtime, packages, imports, limits, policy, asked } = order;
    const confinement = policy.confinement.value;
    await this.#agent.openSession({
      session_id: id,
      tenant: principal.tenant,
      runtime,
      limits,
      imports,
      confinement,
      min_tier: order.minTier,
      image: packages?.image ?? null,
      secrets: [...asked.secrets],
      ttl_ms: order.ttlMs,
    });
    const created_at = new Date();
    const row = {
      ...{ id, tenant: principal.tenant, language: runtime, policy: policy.name, policy_version: policy.version },
      ...{ policy_origin: { kind: policy.kind, namespace: policy.namespace, driver: policy.driver }, confinement, limits },
      ...{ runtime: packages?.reference ?? null, image: packages?.image ?? null },
      network: networkView(policy, asked),
      ...{ created_at, expires_at: new Date(created_at.getTime() + order.ttlMs) },
    };
    await this.#store.insert(row);
    this.#policies.keepExplain(principal.tenant, { name: policy.name, version: policy.version, confinement }, policy.explain);
    return { ...row, closed_at: null, close_reason: null };
  }

  /** @throws PlastronError not_found */
  async find(tenant: string, id: string): Promise<SessionRow> {
    const row = await this.#store.find(tenant, id);
    if (row === undefined) throw new PlastronError("not_found", "There is no such session");
    return row;
  }

  list(tenant: string, limit: number, before?: string): Promise<SessionRow[]> {
    return this.#store.list(tenant, limit, before);
  }

  /** Of each session whether a new one would get the same version of its policy. An open session keeps what it was opened with. */
  async areCurrent(tenant: string, rows: SessionRow[]): Promise<boolean[]> {
    const names = [...new Set(rows.flatMap((row) => (row.policy === DEFAULT_POLICY ? [] : [row.policy])))];
    const versions = await this.#policies.currentVersions(tenant, names);
    return rows.map((row) => row.policy === DEFAULT_POLICY || versions.get(row.policy) === row.policy_version);
  }

  /** What a run in the session is. @throws PlastronError not_found, session_gone */
  async order(
    tenant: string,
    id: string,
    request: SessionRunRequest,
  ): Promise<Pick<RunOrder, "program" | "packages" | "policy" | "minTier" | "sensing" | "session_id" | "asked">> {
    const row = await this.find(tenant, id);
    if (statusOf(row) !== "open") throw new PlastronError("session_gone", `The session is ${statusOf(row)}${row.close_reason ? `: ${row.close_reason}` : ""}`);
    const { stream: _stream, trace, timeout_ms, ...program } = request;
    const limits = { ...row.limits, ...(timeout_ms === undefined ? {} : { wall_ms: timeout_ms }) };
    const confinement = { value: row.confinement, json: JSON.stringify(row.confinement) };
    const held = { name: row.policy, version: row.policy_version, confinement: row.confinement };
    const explain = await this.#policies.explainOf(tenant, held).catch(() => () => null); // the agent is away, which the run will say
    return {
      program: { ...program, limits, runtime: row.language, imports: [] } satisfies Program,
      packages: row.image === null || row.runtime === null ? null : { image: row.image, reference: row.runtime },
      policy: { ...(row.policy_origin ?? UNKNOWN_ORIGIN), name: row.policy, version: row.policy_version, confinement, explain },
      minTier: row.confinement.min_tier,
      sensing: sensingOf({ trace }),
      session_id: id,
      asked: { view: row.network },
    };
  }

  /** Runs programs in the session, and notes it when one finds the session gone or takes its interpreter along. */
  watching(runs: Pick<RunService, "run">, tenant: string, id: string): Pick<RunService, "run"> {
    const close = (why: string) => this.#store.close(tenant, id, why.slice(0, 500));
    return {
      run: async (order, listener) => {
        try {
          const run = await runs.run(order, listener);
          // A program that ends by itself leaves an exit code, also where a child of it was killed; a signal hit the interpreter.
          if (run.signal !== null) await close(`a program ended it: ${run.reason ?? run.signal}`);
          return run;
        } catch (error) {
          if (error instanceof PlastronError && error.code === "session_gone") await close(error.message);
          throw error;
        }
      },
    };
  }

  /** @throws PlastronError not_found, agent_unavailable */
  async close(tenant: string, id: string): Promise<void> {
    const row = await this.find(tenant, id);
    if (row.closed_at !== null) return;
    await this.#agent.closeSession(id, tenant).catch((error: unknown) => {
      if (!(error instanceof PlastronError && (error.code === "session_gone" || error.code === "not_found"))) throw error;
    });
    await this.#store.close(tenant, id, "closed by request");
  }
}

const UNKNOWN_ORIGIN = { kind: "VarmorPolicy", namespace: "", driver: "unknown" };

export function statusOf(row: Pick<SessionRow, "closed_at" | "expires_at">, now: number = Date.now()): "open" | "closed" | "expired" {
  if (row.closed_at !== null) return "closed";
  return row.expires_at.getTime() <= now ? "expired" : "open";
}
