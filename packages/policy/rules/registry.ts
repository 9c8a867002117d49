import { capabilityRules } from "./capabilities.ts";
import { floorRules } from "./floor.ts";
import { hardeningRules } from "./hardening.ts";
import { leakRules } from "./leaks.ts";
import { networkRules } from "./network.ts";
import { operationRules } from "./operations.ts";
import type { EnforcedRule } from "./rule.ts";
import { vulnerabilityRules } from "./vulnerabilities.ts";

/** Every built-in rule name of vArmor v0.10, in the order of its documentation, after the floor's own. */
export const RULES: readonly EnforcedRule[] = [
  ...floorRules,
  ...hardeningRules,
  ...capabilityRules,
  ...leakRules,
  ...operationRules,
  ...networkRules,
  ...vulnerabilityRules,
];

const BY_NAME: ReadonlyMap<string, EnforcedRule> = new Map(RULES.flatMap((rule) => [rule.name, ...rule.aliases].map((name) => [name, rule])));

/** The rule of that name or alias, in any case and with `_` for `-`, as upstream reads names, and with space around it. */
export function findRule(name: string): EnforcedRule | undefined {
  const rule = BY_NAME.get(normalise(name));
  return rule?.category === "floor" ? undefined : rule;
}

/** Every name and alias that a policy may use in that category. */
export function ruleNames(category?: EnforcedRule["category"]): string[] {
  return RULES.filter((rule) => rule.category !== "floor" && (category === undefined || rule.category === category)).flatMap((rule) => [
    rule.name,
    ...rule.aliases,
  ]);
}

function normalise(name: string): string {
  return name.trim().toLowerCase().replaceAll("_", "-");
}
