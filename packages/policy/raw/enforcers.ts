import type { Enforcer } from "@plastron/contracts";

export const ENFORCERS: readonly Enforcer[] = ["AppArmor", "BPF", "Seccomp", "NetworkProxy"];

/** Upstream looks for names within the word, in any case: BPFSeccomp, appArmorBPFSeccomp. */
export function namesEnforcer(given: string, enforcer: Enforcer): boolean {
  return given.toLowerCase().includes(enforcer.toLowerCase());
}

/** What is left of the word without any of the names and what may stand between them: `Secomp` of `BPFSecomp`. */
export function unknownParts(given: string): string[] {
  const names = new RegExp(ENFORCERS.join("|"), "gi");
  return given
    .replace(names, " ")
    .split(/[\s,;|+&/_-]+/)
    .filter((part) => part !== "");
}
