import { type HostFacts, PlastronError, type Tier } from "@plastron/contracts";

/**
 * What the agent probed of the host, for each tier that was asked for: a stronger tier is another driver, with other facts.
 * It is asked for when first needed and kept. A failure is not kept, so an agent that comes up later is found.
 */
export class HostKnowledge {
  readonly #ask: (minTier: Tier) => Promise<HostFacts>;
  readonly #facts = new Map<Tier, Promise<HostFacts>>();
  constructor(ask: (minTier: Tier) => Promise<HostFacts>) {
    this.#ask = ask;
  }

  /**
   * Of the driver that would run `minTier`; where this host has none so strong, of the strongest that it has: a policy can be read
   * then, and its runs are refused by the agent.
   * @throws PlastronError agent_unavailable
   */
  async facts(minTier: Tier = 1): Promise<HostFacts> {
    try {
      return await this.#known(minTier);
    } catch (error) {
      if (minTier > 1 && error instanceof PlastronError && error.code === "tier_unavailable") return this.#known(1);
      throw error;
    }
  }

  /**
   * Asks again: an agent that was started again may have another consent of its operator, or other drivers. True where an answer
   * differs from the one that was kept. An agent that does not answer changes nothing.
   */
  async lookAgain(): Promise<boolean> {
    let changed = false;
    for (const [tier, kept] of [...this.#facts]) {
      const before = await kept.catch(() => undefined);
      const now = await this.#ask(tier).catch((error: unknown) => (isTierMissing(error) ? null : before));
      if (now === undefined || JSON.stringify(now) === JSON.stringify(before)) continue;
      changed = true;
      if (now === null) this.#facts.delete(tier);
      else this.#facts.set(tier, Promise.resolve(now));
    }
    return changed;
  }

  #known(tier: Tier): Promise<HostFacts> {
    const known = this.#facts.get(tier);
    if (known) return known;
    const asked = this.#ask(tier);
    this.#facts.set(tier, asked);
    asked.catch(() => {
      if (this.#facts.get(tier) === asked) this.#facts.delete(tier);
    });
    return asked;
  }
}

function isTierMissing(error: unknown): boolean {
  return error instanceof PlastronError && error.code === "tier_unavailable";
}
