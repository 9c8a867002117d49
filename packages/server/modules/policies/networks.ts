import { type NetworkRequest, PlastronError, type SecretGrant } from "@plastron/contracts";
import { type NetworkSeed, withNetwork } from "@plastron/policy";
import type { EncodedConfinement } from "../../agent-client/client.ts";
import { encoded, type ResolvedPolicy } from "./compiled.ts";

/** What a request asks for beside its policy. */
export interface AskedNetwork {
  network?: NetworkRequest | undefined;
  secrets: readonly SecretGrant[];
}

/** Whether runs may ask for a network at all: the operator's word (`plastron up --run-network`). */
export type RunNetwork = "allow" | "deny";

/**
 * A confinement takes tens of kilobytes, and each distinct one has pools of its own: what is asked for again is found here, and so
 * comes from a warm sandbox. What is dropped is made anew when it is asked for; its pool goes by itself when it is idle.
 */
const MOST_NETWORKS = 512;

interface Made {
  base: string;
  confinement: EncodedConfinement;
}

/** Confinements of runs that ask to reach something, by their policy and by what they ask. */
export class RequestedNetworks {
  readonly #mode: RunNetwork;
  /** The least recently used first. */
  readonly #made = new Map<string, Made>();
  /** Policies that are equal but in what they deny by address have equal confinements, until they have a network. */
  readonly #numbers = new WeakMap<NetworkSeed, number>();
  #number = 0;

  constructor(mode: RunNetwork) {
    this.#mode = mode;
  }

  /**
   * The policy as this run has it: the same where nothing is asked.
   * @throws PlastronError invalid_request (with the path of each fault), conflict, tier_unavailable, forbidden
   */
  resolve(policy: ResolvedPolicy, { network, secrets }: AskedNetwork): ResolvedPolicy {
    if (network === undefined && secrets.length === 0) return policy;
    if (typeof network === "object" && this.#mode === "deny")
      throw new PlastronError("forbidden", "network: this platform's operator lets no run ask for a network", { hint: DENIED_HINT });
    const key = `${this.#numberOf(policy.ground.seed)} ${JSON.stringify([network, secrets])}`;
    const known = this.#made.get(key) ?? this.#make(policy, { network, secrets });
    this.#made.delete(key);
    this.#made.set(key, known);
    if (this.#made.size > MOST_NETWORKS) this.#made.delete(this.#made.keys().next().value as string);
    return { ...policy, confinement: known.confinement };
  }

  /** The ids of those that were made of these confinements, which no run gets any more. */
  forget(bases: readonly string[]): string[] {
    const gone = [...this.#made].filter(([, { base }]) => bases.includes(base));
    for (const [key] of gone) this.#made.delete(key);
    return gone.map(([, { confinement }]) => confinement.value.id);
  }

  forgetAll(): void {
    this.#made.clear();
  }

  get size(): number {
    return this.#made.size;
  }

  #make({ ground: { seed, host }, confinement: base }: ResolvedPolicy, { network, secrets }: AskedNetwork): Made {
    const { confinement } = withNetwork(seed, network, secrets, host);
    return { base: base.value.id, confinement: confinement === base.value ? base : encoded(confinement) };
  }

  #numberOf(seed: NetworkSeed): number {
    const number = this.#numbers.get(seed) ?? ++this.#number;
    this.#numbers.set(seed, number);
    return number;
  }
}

const DENIED_HINT = "Name a policy whose networkProxyRawRules give the way, or ask the operator (plastron up --run-network allow).";
