import type { Fidelity, HostFacts, SelfTest } from "@plastron/contracts";
import type { Demands } from "../confine.ts";
import type { FileIntent } from "../lower/part.ts";
import type { Intent } from "../orders/order.ts";
import type { Family } from "../seccomp/families.ts";

/** Where a rule belongs in `spec.policy.enhanceProtect`; `floor` rules hold for every policy and are not written in one. */
export type Category = "hardeningRules" | "attackProtectionRules" | "vulMitigationRules" | "floor";

/** A built-in rule of vArmor: what it is called, and what it becomes here. One entry is all that a new rule needs. */
export interface EnforcedRule {
  name: string;
  aliases: readonly string[];
  category: Category;
  /** What upstream's rule means, or more where upstream can be got round. What it names is recorded when it is audited. */
  intents: readonly Intent[];
  /** More of them, where only the operator's map of a cluster tells what the rule means. */
  intentsOn: (host: HostFacts) => readonly Intent[];
  /** What it becomes in a sandbox where it denies. What a sandbox has anyway needs no demand. */
  demands: Partial<Demands>;
  /** Paths that a listener must decide call by call, where it denies: what a program makes itself in its own places. */
  watched: readonly FileIntent[];
  /** The hole of an approximate rule is paths that no mask covers: it closes where they are looked at because the rule is recorded. */
  wholeWhenWatched: boolean;
  /** A part of the floor that this rule stands for: it goes where the part is lifted. */
  family: Family | null;
  /** What is otherwise where an operator lets the policy lift parts of the floor; null: nothing. */
  lifted: Lifted | null;
  /** `filter`: system calls alone. `namespaces`: mounts or namespaces too, hence tier 2. */
  needs: "filter" | "namespaces";
  /** How it is enforced. */
  mechanism: string;
  fidelity: (host: HostFacts) => Judgement;
  selfTests: readonly SelfTest[] | ((host: HostFacts) => readonly SelfTest[]);
  /** Those that do what an observing rule records, where others try what the denial is stricter by; null: all of them. */
  observedBy: readonly SelfTest[] | null;
  /** Why none of it happens in a sandbox that is let do it; empty: it does. */
  withheld: string;
}

/** What a root file system may bring and the platform's does not. */
export const NOT_THERE = "no sandbox has it unless its root file system brings it: until then nothing can pass and be recorded";

/** Where the floor is lifted a rule can mean exactly what it says, since what it does not name is possible there. */
export interface Lifted extends Partial<Judgement> {
  demands?: Partial<Demands>;
  mechanism?: string;
  selfTests: readonly SelfTest[];
}

/** How true the enforcement is to the rule, and in words what is more, what is less, or what would be needed. */
export interface Judgement {
  fidelity: Fidelity;
  note: string;
}

type Given = Pick<EnforcedRule, "name" | "mechanism" | "selfTests" | "intents"> &
  Partial<Omit<EnforcedRule, "fidelity">> & { fidelity: Fidelity | EnforcedRule["fidelity"]; note?: string };

/** Rules of one category, from what is particular about each. */
export function rulesOf(category: Category, given: readonly Given[]): EnforcedRule[] {
  return given.map(({ note = "", fidelity, ...rule }) => ({
    aliases: [],
    category,
    demands: {},
    watched: [],
    wholeWhenWatched: false,
    family: null,
    lifted: null,
    observedBy: null,
    withheld: "",
    intentsOn: () => [],
    needs: "namespaces",
    ...rule,
    fidelity: typeof fidelity === "function" ? fidelity : () => ({ fidelity, note }),
  }));
}

export function selfTestsOf(rule: EnforcedRule, host: HostFacts): readonly SelfTest[] {
  return typeof rule.selfTests === "function" ? rule.selfTests(host) : rule.selfTests;
}
