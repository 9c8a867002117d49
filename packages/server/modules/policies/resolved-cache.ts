import type { Tier } from "@plastron/contracts";
import type { ResolvedPolicy } from "./compiled.ts";

export interface CachedPolicy {
  policy: ResolvedPolicy;
  checkedAt: number;
}

const MOST_CACHED = 500;

/**
 * Policies by tenant, name and tier, as runs find them. A look-up that was under way while its policy was replaced must not put the
 * old one back: `begin` gives a token that `set` holds against what was forgotten since.
 */
export class ResolvedCache {
  readonly #entries = new Map<string, Map<Tier, CachedPolicy>>();
  readonly #forgottenAt = new Map<string, number>();
  #clock = 0;
  #allForgottenAt = 0;

  get(key: string, tier: Tier): CachedPolicy | undefined {
    return this.#entries.get(key)?.get(tier);
  }

  /** The newest version that is held, 0 for none. */
  versionOf(key: string): number {
    return Math.max(0, ...[...(this.#entries.get(key)?.values() ?? [])].map(({ policy }) => policy.version ?? 0));
  }

  begin(): number {
    return ++this.#clock;
  }

  /** False where the policy was forgotten since `token`: what was looked up may be old. */
  set(key: string, tier: Tier, token: number, policy: ResolvedPolicy): boolean {
    if (token <= Math.max(this.#forgottenAt.get(key) ?? 0, this.#allForgottenAt)) return false;
    if (this.#entries.size >= MOST_CACHED && !this.#entries.has(key)) this.#entries.delete(this.#entries.keys().next().value as string);
    const tiers = this.#entries.get(key) ?? new Map<Tier, CachedPolicy>();
    this.#entries.set(key, tiers);
    tiers.set(tier, { policy, checkedAt: Date.now() });
    return true;
  }

  /** @returns the ids of the confinements that it held and that no other policy in here has */
  forget(key: string): string[] {
    this.#forgottenAt.set(key, ++this.#clock);
    if (this.#forgottenAt.size > 10 * MOST_CACHED) this.#forgetAges();
    const ids = idsOf(this.#entries.get(key));
    this.#entries.delete(key);
    const others = new Set([...this.#entries.values()].flatMap(idsOf));
    return [...new Set(ids)].filter((id) => !others.has(id));
  }

  forgetAll(): void {
    this.#allForgottenAt = ++this.#clock;
    this.#entries.clear();
    this.#forgottenAt.clear();
  }

  /** Looking everything up that is under way once more costs less than remembering every name for ever. */
  #forgetAges(): void {
    this.#allForgottenAt = this.#clock;
    this.#forgottenAt.clear();
  }
}

function idsOf(tiers: Map<Tier, CachedPolicy> | undefined): string[] {
  return [...(tiers?.values() ?? [])].map(({ policy }) => policy.confinement.value.id);
}
