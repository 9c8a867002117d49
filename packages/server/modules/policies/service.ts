import { createHash } from "node:crypto";
import { type Confinement, type FidelityRow, type HostFacts, PlastronError, type Tier } from "@plastron/contracts";
import type { BehaviorProfile, Explain } from "@plastron/policy";
import { type CompiledPolicy, type CompileOptions, type Compiler, compileForTier, encoded, type ResolvedPolicy } from "./compiled.ts";
import type { HostKnowledge } from "./host.ts";
import { type AskedNetwork, RequestedNetworks, type RunNetwork } from "./networks.ts";
import { ResolvedCache } from "./resolved-cache.ts";
import type { PolicyRow, PolicyStore } from "./store.ts";

export interface StoredPolicy extends PolicyRow {
  yaml: string;
  fidelity: FidelityRow[];
  confinement: string;
}

export interface PolicyText extends CompileOptions {
  yaml: string;
  minTier?: Tier | undefined;
  behavior?: BehaviorProfile | null;
}

/** What was learnt under a policy of that name; null: nothing. */
type ProfileOf = (tenant: string, name: string) => Promise<BehaviorProfile | null>;

/** What a session was opened with. */
export interface HeldPolicy {
  name: string;
  version: number | null;
  confinement: Confinement;
}

/** Newer versions that another server stored come with its notice; where none comes (its connection was cut), after this long. */
const FRESH_MS = 5_000;
/** Open sessions' policies: each is compiled once while it is asked for. */
const MOST_EXPLAINED = 100;
export const DEFAULT_POLICY = "default";

/** Policies of a tenant and what they compile to. Every version is kept. */
export class PolicyService {
  readonly #store: PolicyStore;
  readonly #compiler: Compiler;
  readonly #host: HostKnowledge;
  /** Hears of confinements that no policy here compiles to any more. */
  readonly #retire: (confinement: string) => void;
  readonly #cache = new ResolvedCache();
  readonly #explained = new Map<string, Explain>();
  readonly #networks: RequestedNetworks;
  readonly #profileOf: ProfileOf;
  readonly #defaults = new Map<Tier, ResolvedPolicy>();

  constructor(
    store: PolicyStore,
    compiler: Compiler,
    host: HostKnowledge,
    retire: (confinement: string) => void = () => {},
    runNetwork: RunNetwork = "allow",
    profileOf: ProfileOf = () => Promise.resolve(null),
  ) {
    this.#profileOf = profileOf;
    this.#store = store;
    this.#compiler = compiler;
    this.#host = host;
    this.#retire = retire;
    this.#networks = new RequestedNetworks(runNetwork);
  }

  /**
   * What a run is confined by. Answers without a promise where it is known: this is on the path of every run.
   * @throws PlastronError not_found, agent_unavailable
   */
  resolve(tenant: string, name: string | undefined, minTier: Tier = 1): ResolvedPolicy | Promise<ResolvedPolicy> {
    if (name === undefined) return this.#defaults.get(minTier) ?? this.#compileDefault(minTier);
    const cached = this.#cache.get(`${tenant} ${name}`, minTier);
    return cached && Date.now() - cached.checkedAt < FRESH_MS ? cached.policy : this.#refresh(tenant, name, minTier);
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

  /**
   * A policy as one run has it that asks to reach something. Known where it was asked before: this is on the path of a run.
   * @throws PlastronError invalid_request (with the path of each fault), conflict, tier_unavailable, forbidden
   */
  asking(policy: ResolvedPolicy, asked: AskedNetwork): ResolvedPolicy {
    return this.#networks.resolve(policy, asked);
  }

  /** A policy that comes with the run itself. It is known by its content: the same text is compiled once. */
  resolveText({ yaml, upstreamCompat = false, minTier = 1 }: PolicyText): ResolvedPolicy | Promise<ResolvedPolicy> {
    const sha256 = createHash("sha256").update(yaml).digest("hex");
    const key = `:text ${sha256} ${upstreamCompat}`; // no tenant's id begins with a colon, and the text is the whole of what it means
    return this.#cache.get(key, minTier)?.policy ?? this.#resolveText(key, sha256, { yaml, upstreamCompat, minTier });
  }

  /**
   * How denials in a session are explained: by the version of its policy that it was opened with. Where that text no longer means
   * what confines the session (another version of Plastron, another host) the platform's own rules are all that can be named.
   */
  async explainOf(tenant: string, held: HeldPolicy): Promise<Explain> {
    const known = this.#explained.get(explainKey(tenant, held)) ?? (await this.#explainAgain(tenant, held));
    this.keepExplain(tenant, held, known);
    return known;
  }

  /** Of a session that is opened now: its policy is at hand, and need not be compiled again. */
  keepExplain(tenant: string, held: HeldPolicy, explain: Explain): void {
    if (this.#explained.size >= MOST_EXPLAINED) this.#explained.delete(this.#explained.keys().next().value as string);
    this.#explained.set(explainKey(tenant, held), explain);
  }

  /** What a text compiles to on this host, without storing it. @throws PlastronError invalid_policy, agent_unavailable */
  compile({ yaml, upstreamCompat = false, minTier = 1, behavior = null }: PolicyText): Promise<CompiledPolicy & { host: HostFacts }> {
    return compileForTier(this.#host, minTier, (facts) => this.#compiler.compile(yaml, facts, { upstreamCompat, behavior }));
  }

  /** The same for a policy of that name: what was learnt under it stands in for BehaviorModel. */
  async #compileNamed(tenant: string, name: string, text: PolicyText): Promise<CompiledPolicy & { host: HostFacts }> {
    const asks = /BehaviorModel(?!ing)/.test(text.yaml);
    return this.compile(asks ? { ...text, behavior: await this.#profileOf(tenant, name) } : text);
  }

  /** New runs have it as soon as this returns. Open sessions keep what they were opened with. */
  async put(tenant: string, name: string, text: PolicyText, by: string): Promise<{ policy: StoredPolicy; created: boolean }> {
    if (name === DEFAULT_POLICY) throw new PlastronError("conflict", "`default` is the name of the built-in policy", { hint: "Choose another name." });
    const compiled = await this.#compileNamed(tenant, name, text);
    const { row, changed } = await this.#store.add(tenant, name, { yaml: text.yaml, upstream_compat: text.upstreamCompat ?? false }, by);
    if (changed) this.changed(tenant, name, row.version, compiled.confinement.id);
    return { policy: shown({ ...row, yaml: text.yaml }, compiled), created: changed && row.version === 1 };
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, name: string, version?: number): Promise<StoredPolicy> {
    const row = present(await this.#store.latest(tenant, name, version));
    return shown(row, await this.#compileNamed(tenant, name, { yaml: row.yaml, upstreamCompat: row.upstream_compat }));
  }

  list(tenant: string): Promise<PolicyRow[]> {
    return this.#store.list(tenant);
  }

  /** @throws PlastronError not_found */
  async remove(tenant: string, name: string, by: string): Promise<void> {
    present(await this.#store.latest(tenant, name));
    const { row } = await this.#store.add(tenant, name, { yaml: null, upstream_compat: false }, by);
    this.changed(tenant, name, row.version);
  }

  /** The versions that new runs would get now, by name; names without one are left out. */
  currentVersions(tenant: string, names: string[]): Promise<Map<string, number>> {
    return this.#store.currentVersions(tenant, names);
  }

  /**
   * A policy was stored or deleted, here or on another server: the next run looks it up, and what is warm for the old one goes.
   * The notice of one's own change comes as well, when runs may have the new version already.
   */
  changed(tenant: string, name: string, version: number, now?: string): void {
    const key = `${tenant} ${name}`;
    if (this.#cache.versionOf(key) >= version) return;
    const gone = this.#cache.forget(key).filter((id) => id !== now && !this.#isDefault(id));
    for (const id of [...gone, ...this.#networks.forget(gone)]) this.#retire(id);
  }

  /** The host is not what it was, or notices of changes may have been missed. */
  forgetAll(): void {
    this.#cache.forgetAll();
    this.#networks.forgetAll();
    this.#defaults.clear();
  }

  #isDefault(id: string): boolean {
    return [...this.#defaults.values()].some((policy) => policy.confinement.value.id === id);
  }

  async #compileDefault(minTier: Tier): Promise<ResolvedPolicy> {
    const { confinement, identity, explain, seed, host } = await compileForTier(this.#host, minTier, (facts) => this.#compiler.compileDefault(facts));
    const policy = {
      ...identity,
      name: DEFAULT_POLICY,
      version: null,
      driver: host.driver,
      confinement: encoded(confinement),
      explain,
      ground: { seed, host },
    };
    this.#defaults.set(minTier, policy);
    return policy;
  }

  /** A policy that was replaced while it was being read is read again: a run that begins after a change has the change. */
  async #refresh(tenant: string, name: string, minTier: Tier): Promise<ResolvedPolicy> {
    const key = `${tenant} ${name}`;
    for (;;) {
      const token = this.#cache.begin();
      const known = this.#cache.get(key, minTier)?.policy;
      const row = present(await this.#store.latest(tenant, name));
      const policy = known?.version === row.version ? known : await this.#resolved(tenant, row, minTier);
      if (this.#cache.set(key, minTier, token, policy)) return policy;
    }
  }

  async #resolved(tenant: string, row: PolicyRow & { yaml: string }, minTier: Tier): Promise<ResolvedPolicy> {
    const text = { yaml: row.yaml, upstreamCompat: row.upstream_compat, minTier };
    const { identity, confinement, explain, seed, learning, host } = await this.#compileNamed(tenant, row.name, text);
    const named = { ...identity, name: row.name, version: row.version, driver: host.driver };
    return { ...named, confinement: encoded(confinement), explain, ground: { seed, host }, ...(learning ? { learning } : {}) };
  }

  async #explainAgain(tenant: string, { name, version, confinement }: HeldPolicy): Promise<Explain> {
    const floor = async (): Promise<Explain> => this.#compiler.explainFloor(await this.#host.facts(confinement.min_tier));
    try {
      const row = version === null ? null : present(await this.#store.latest(tenant, name, version));
      const policy = row ? await this.#resolved(tenant, row, confinement.min_tier) : await this.resolve(tenant, undefined, confinement.min_tier);
      return policy.confinement.value.id === confinement.id ? policy.explain : await floor();
    } catch {
      return floor();
    }
  }

  async #resolveText(key: string, sha256: string, text: PolicyText & { minTier: Tier }): Promise<ResolvedPolicy> {
    const token = this.#cache.begin();
    const { identity, confinement, explain, seed, host } = await this.compile(text);
    const policy = { ...identity, version: null, sha256, driver: host.driver, confinement: encoded(confinement), explain, ground: { seed, host } };
    this.#cache.set(key, text.minTier, token, policy);
    return policy;
  }
}

const explainKey = (tenant: string, { name, version, confinement }: HeldPolicy): string => `${tenant} ${name} ${version} ${confinement.id}`;

function present(row: PolicyRow | undefined): PolicyRow & { yaml: string } {
  if (row === undefined || row.yaml === null) throw new PlastronError("not_found", "There is no such policy");
  return row as PolicyRow & { yaml: string };
}

function shown(row: PolicyRow & { yaml: string }, compiled: { confinement: Confinement; fidelity: FidelityRow[] }): StoredPolicy {
  return { ...row, fidelity: compiled.fidelity, confinement: compiled.confinement.id };
}
