import { type Confinement, type FidelityRow, type HostFacts, PlastronError } from "@plastron/contracts";
import type { EncodedConfinement } from "../../agent-client/client.ts";
import type { HostKnowledge } from "./host.ts";
import type { PolicyRow, PolicyStore } from "./store.ts";

/** The policy package, as it is used here. @throws PlastronError invalid_policy, unsupported_rule (with line and column) */
export interface Compiler {
  compile(text: string, host: HostFacts): { confinement: Confinement; fidelity: FidelityRow[] };
  compileDefault(host: HostFacts): { confinement: Confinement };
}

export interface ResolvedPolicy {
  name: string;
  version: number | null;
  confinement: EncodedConfinement;
}

export interface StoredPolicy {
  name: string;
  version: number;
  yaml: string;
  created_at: Date;
  created_by: string;
  fidelity: FidelityRow[];
  confinement: string;
}

/** Another server on the same database may have stored a newer version: it is seen after this long. */
const FRESH_MS = 5_000;
const MOST_CACHED = 500;
export const DEFAULT_POLICY = "default";

/** Policies of a tenant and what they compile to. Every version is kept. */
export class PolicyService {
  readonly #store: PolicyStore;
  readonly #compiler: Compiler;
  readonly #host: HostKnowledge;
  readonly #resolved = new Map<string, { policy: ResolvedPolicy; checkedAt: number }>();
  #default: ResolvedPolicy | undefined;

  constructor(store: PolicyStore, compiler: Compiler, host: HostKnowledge) {
    this.#store = store;
    this.#compiler = compiler;
    this.#host = host;
  }

  /**
   * What a run is confined by. Answers without a promise where it is known: this is on the path of every run.
   * @throws PlastronError not_found, agent_unavailable
   */
  resolve(tenant: string, name: string | undefined): ResolvedPolicy | Promise<ResolvedPolicy> {
    if (name === undefined) return this.#default ?? this.#compileDefault();
    const cached = this.#resolved.get(`${tenant} ${name}`);
    return cached && Date.now() - cached.checkedAt < FRESH_MS ? cached.policy : this.#refresh(tenant, name, cached?.policy);
  }

  /** The same, or the default where the tenant stored no policy of that name. */
  async resolveOrDefault(tenant: string, name: string): Promise<ResolvedPolicy> {
    try {
      return await this.resolve(tenant, name);
    } catch (error) {
      if (error instanceof PlastronError && error.code === "not_found") return this.resolve(tenant, undefined);
      throw error;
    }
  }

  /** What a text compiles to on this host, without storing it. @throws PlastronError invalid_policy, unsupported_rule, agent_unavailable */
  async compile(yaml: string): Promise<{ confinement: Confinement; fidelity: FidelityRow[] }> {
    return this.#compiler.compile(yaml, await this.#host.facts());
  }

  async put(tenant: string, name: string, yaml: string, by: string): Promise<{ policy: StoredPolicy; created: boolean }> {
    if (name === DEFAULT_POLICY) throw new PlastronError("conflict", "`default` is the name of the built-in policy", { hint: "Choose another name." });
    const compiled = await this.compile(yaml);
    const { row, changed } = await this.#store.add(tenant, name, yaml, by);
    this.#resolved.delete(`${tenant} ${name}`);
    return { policy: shown({ ...row, yaml }, compiled), created: changed && row.version === 1 };
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, name: string, version?: number): Promise<StoredPolicy> {
    const row = present(await this.#store.latest(tenant, name, version));
    return shown(row, await this.compile(row.yaml));
  }

  async list(tenant: string): Promise<PolicyRow[]> {
    return this.#store.list(tenant);
  }

  /** @throws PlastronError not_found */
  async remove(tenant: string, name: string, by: string): Promise<void> {
    present(await this.#store.latest(tenant, name));
    await this.#store.add(tenant, name, null, by);
    this.#resolved.delete(`${tenant} ${name}`);
  }

  async #compileDefault(): Promise<ResolvedPolicy> {
    const { confinement } = this.#compiler.compileDefault(await this.#host.facts());
    this.#default = { name: DEFAULT_POLICY, version: null, confinement: encoded(confinement) };
    return this.#default;
  }

  async #refresh(tenant: string, name: string, known: ResolvedPolicy | undefined): Promise<ResolvedPolicy> {
    const row = present(await this.#store.latest(tenant, name));
    const policy = known?.version === row.version ? known : { name, version: row.version, confinement: encoded((await this.compile(row.yaml)).confinement) };
    if (this.#resolved.size >= MOST_CACHED) this.#resolved.delete(this.#resolved.keys().next().value as string);
    this.#resolved.set(`${tenant} ${name}`, { policy, checkedAt: Date.now() });
    return policy;
  }
}

function encoded(confinement: Confinement): EncodedConfinement {
  return { value: confinement, json: JSON.stringify(confinement) };
}

function present(row: PolicyRow | undefined): PolicyRow & { yaml: string } {
  if (row === undefined || row.yaml === null) throw new PlastronError("not_found", "There is no such policy");
  return row as PolicyRow & { yaml: string };
}

function shown(row: PolicyRow & { yaml: string }, compiled: { confinement: Confinement; fidelity: FidelityRow[] }): StoredPolicy {
  return { ...row, fidelity: compiled.fidelity, confinement: compiled.confinement.id };
}
