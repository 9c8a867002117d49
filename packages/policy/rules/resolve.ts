import { nearest, type Position, type ProblemEntry } from "@plastron/document";
import { invalid } from "../parse/invalid.ts";
import type { PolicyDocument } from "../parse/schema.ts";
import { findRule, ruleNames } from "./registry.ts";
import type { Category, EnforcedRule } from "./rule.ts";

/** A rule as a policy names it. `path` is where, e.g. `spec.policy.enhanceProtect.hardeningRules[0]`. */
export type NamedRule = { path: string; name: string } & ({ kind: "rule"; rule: EnforcedRule } | { kind: "ignored"; why: string });

export interface Resolvable extends PolicyDocument {
  positions?: ReadonlyMap<string, Position>;
  upstreamCompat?: boolean;
}

/**
 * Every rule that the policy names, in its order. An unknown name or one in the wrong list is an error (PlastronError
 * invalid_policy with lines); upstream ignores such names in silence, and so are they here, with a reason, if the policy was
 * read with `upstreamCompat`.
 */
export function resolveRules(policy: Resolvable): NamedRule[] {
  const found = namesOf(policy).map(({ path, name, category }): NamedRule => {
    const rule = findRule(name);
    if (rule?.category === category) return { kind: "rule", path, name, rule };
    return { kind: "ignored", path, name, why: rule ? misfiled(name, rule.category) : unknown(name, category) };
  });
  const faults = found.filter((each) => each.kind === "ignored");
  if (faults.length > 0 && !policy.upstreamCompat) {
    throw invalid(faults.map((fault): ProblemEntry => ({ path: fault.path, message: fault.why, ...policy.positions?.get(fault.path) })));
  }
  return found;
}

function namesOf(policy: PolicyDocument): { path: string; name: string; category: Category }[] {
  const base = "spec.policy.enhanceProtect";
  const { hardeningRules = [], attackProtectionRules = [], vulMitigationRules = [] } = policy.spec.policy.enhanceProtect ?? {};
  return [
    ...hardeningRules.map((name, i) => ({ path: `${base}.hardeningRules[${i}]`, name, category: "hardeningRules" as const })),
    ...attackProtectionRules.flatMap(({ rules }, i) =>
      rules.map((name, j) => ({ path: `${base}.attackProtectionRules[${i}].rules[${j}]`, name, category: "attackProtectionRules" as const })),
    ),
    ...vulMitigationRules.map((name, i) => ({ path: `${base}.vulMitigationRules[${i}]`, name, category: "vulMitigationRules" as const })),
  ];
}

const misfiled = (name: string, category: Category): string => `${JSON.stringify(name)} belongs in ${category}; upstream would ignore it here`;

function unknown(name: string, category: Category): string {
  // A near name of the same list first: it is the likelier slip.
  const meant = nearest(name, ruleNames(category)) ?? nearest(name, ruleNames());
  return `there is no rule ${JSON.stringify(name)}${meant ? `. Did you mean ${JSON.stringify(meant)}?` : ""}`;
}
