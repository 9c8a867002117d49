import type { HostFacts } from "@plastron/contracts";

/**
 * What the agent probed of the host. It is asked for when first needed and kept: a host does not change under a running agent.
 * A failure is not kept, so an agent that comes up later is found.
 */
export class HostKnowledge {
  readonly #ask: () => Promise<HostFacts>;
  #facts: Promise<HostFacts> | undefined;
  constructor(ask: () => Promise<HostFacts>) {
    this.#ask = ask;
  }

  /** @throws PlastronError agent_unavailable */
  facts(): Promise<HostFacts> {
    if (this.#facts === undefined) {
      const asked = this.#ask();
      this.#facts = asked;
      asked.catch(() => {
        if (this.#facts === asked) this.#facts = undefined;
      });
    }
    return this.#facts;
  }
}
