import type { Confinement, FidelityRow, HostFacts, Tier } from "@plastron/contracts";
import type { BehaviorProfile, Explain, NetworkSeed } from "@plastron/policy";
import type { EncodedConfinement } from "../../agent-client/client.ts";
import type { HostKnowledge } from "./host.ts";

export interface CompileOptions {
  /** Unknown and mis-filed rules have no effect, as upstream treats them. */
  upstreamCompat?: boolean;
  /** What profileType BehaviorModel stands for; none where nothing was learnt. */
  behavior?: BehaviorProfile | null;
}

/** What a policy's text says of itself. */
export interface PolicyIdentity {
  name: string;
  kind: string;
  namespace: string;
}

export interface CompiledPolicy {
  confinement: Confinement;
  fidelity: FidelityRow[];
  identity: PolicyIdentity;
  /** Which rule denied a call that the sensor saw. */
  explain: Explain;
  /** What a run's own network is made of. */
  seed: NetworkSeed;
  /** Of mode BehaviorModeling: for how many minutes; null: no end. */
  learning?: { minutes: number | null } | undefined;
}

/** The policy package, as it is used here. @throws PlastronError invalid_policy (with line and column) */
export interface Compiler {
  compile(text: string, host: HostFacts, options: CompileOptions): CompiledPolicy;
  compileDefault(host: HostFacts): Pick<CompiledPolicy, "confinement" | "identity" | "explain" | "seed">;
  /** By the platform alone, for what ran under a policy that cannot be read any more. */
  explainFloor(host: HostFacts): Explain;
}

/** What is compared and what is told of a run's policy: the name it was stored under, or its own and the sha256 of its text. */
export interface RunPolicy {
  name: string;
  version: number | null;
  sha256?: string;
  kind: string;
  namespace: string;
  /** The driver whose facts it was compiled with. */
  driver: string;
  confinement: EncodedConfinement;
  explain: Explain;
  /** Runs under it are learnt from. */
  learning?: CompiledPolicy["learning"];
}

export interface ResolvedPolicy extends RunPolicy {
  /** What a network is added to, and for which host; `confinement` may have one already. */
  ground: { seed: NetworkSeed; host: HostFacts };
}

/**
 * Compiles with the facts of the driver that will run it. The policy's own minimum tier is known only after compiling; where it
 * asks for a stronger driver than the one whose facts were used, it is compiled again with that one's.
 */
export async function compileForTier<C extends { confinement: Confinement }>(
  host: HostKnowledge,
  minTier: Tier,
  compile: (facts: HostFacts) => C,
): Promise<C & { host: HostFacts }> {
  const facts = await host.facts(minTier);
  const first = compile(facts);
  const needed = first.confinement.min_tier;
  if (needed <= Math.max(facts.tier, minTier)) return { ...first, host: facts };
  const stronger = await host.facts(needed);
  return { ...compile(stronger), host: stronger };
}

export function encoded(confinement: Confinement): EncodedConfinement {
  return { value: confinement, json: JSON.stringify(confinement) };
}
