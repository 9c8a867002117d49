import { Resolver } from "node:dns/promises";
import { type Address, parseAddress } from "../address/address.ts";

/** Where a name really leads. `fixed`: the operator said so, which is as good as a rule that names the address. */
export interface Resolved {
  addresses: Address[];
  fixed: boolean;
}

const KEPT_MS = 10_000;
const KEPT = 4096;

/**
 * Real names, asked of the host's nameservers (never of its hosts file or its threads, of which a slow name would use up the few).
 * Every address that comes back is checked by the caller, and the connection goes to one that was.
 */
export class Names {
  readonly #fixed: ReadonlyMap<string, Address>;
  readonly #resolver = new Resolver({ timeout: 2000, tries: 2 });
  readonly #kept = new Map<string, { until: number; resolved: Promise<Resolved> }>();

  /** `servers`: in place of the host's nameservers, as `address:port`. Throws RangeError where `hosts` holds what is no address. */
  constructor(hosts: Record<string, string>, servers?: readonly string[]) {
    if (servers) this.#resolver.setServers(servers);
    this.#fixed = new Map(
      Object.entries(hosts).map(([name, text]) => {
        const address = parseAddress(text);
        if (!address) throw new RangeError(`${text} is no address`);
        return [name, address];
      }),
    );
  }

  /** Whether the operator has said where it leads. */
  isFixed(name: string): boolean {
    return this.#fixed.has(name);
  }

  resolve(name: string): Promise<Resolved> {
    const fixed = this.#fixed.get(name);
    if (fixed) return Promise.resolve({ addresses: [fixed], fixed: true });
    const now = performance.now();
    const known = this.#kept.get(name);
    if (known && known.until > now) return known.resolved;
    if (this.#kept.size >= KEPT) this.#kept.clear();
    const resolved = this.#ask(name);
    this.#kept.set(name, { until: now + KEPT_MS, resolved });
    return resolved;
  }

  /** Both families; a name that has neither resolves to none. */
  async #ask(name: string): Promise<Resolved> {
    const found = await Promise.allSettled([this.#resolver.resolve4(name), this.#resolver.resolve6(name)]);
    const texts = found.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    return { addresses: texts.flatMap((text) => parseAddress(text) ?? []), fixed: false };
  }
}
