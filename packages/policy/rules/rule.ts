import type { Fidelity, HostFacts, SelfTest } from "@plastron/contracts";
import type { Demands } from "../confine.ts";

/** Where a rule belongs in `spec.policy.enhanceProtect`; `floor` rules hold for every policy and are not written in one. */
export type Category = "hardeningRules" | "attackProtectionRules" | "vulMitigationRules" | "floor";

/** A built-in rule of vArmor: what it is called, and what it becomes here. One entry is all that a new rule needs. */
export type Rule = EnforcedRule | UnsupportedRule;

export interface EnforcedRule {
  kind: "enforced";
  name: string;
  aliases: readonly string[];
  category: Category;
  demands: Partial<Demands>;
  /** `filter`: system calls alone. `namespaces`: mounts or namespaces too, hence tier 2. */
  needs: "filter" | "namespaces";
  /** How it is enforced. */
  mechanism: string;
  fidelity: (host: HostFacts) => Judgement;
  selfTests: readonly SelfTest[];
}

export interface UnsupportedRule {
  kind: "unsupported";
  name: string;
  aliases: readonly string[];
  category: Category;
  /** What is missing. */
  reason: string;
}

/** How true the enforcement is to the rule, and in words what is more, what is less, or what would be needed. */
export interface Judgement {
  fidelity: Fidelity;
  note: string;
}

type Given = Pick<EnforcedRule, "name" | "mechanism" | "selfTests"> &
  Partial<Omit<EnforcedRule, "kind" | "fidelity">> & { fidelity: Fidelity | EnforcedRule["fidelity"]; note?: string };

/** Rules of one category, from what is particular about each. */
export function rulesOf(category: Category, given: readonly Given[]): EnforcedRule[] {
  return given.map(({ note = "", fidelity, ...rule }) => ({
    kind: "enforced",
    aliases: [],
    category,
    demands: {},
    needs: "namespaces",
    ...rule,
    fidelity: typeof fidelity === "function" ? fidelity : () => ({ fidelity, note }),
  }));
}
