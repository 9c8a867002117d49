import type { HostFacts } from "@plastron/contracts";
import { TYPICAL_HOST } from "@plastron/contracts";
import { RULES } from "../rules/registry.ts";
import type { Category, EnforcedRule } from "../rules/rule.ts";

/** The tables of docs/reference/policy.md, from the rules themselves, for a host that has everything. */

const HOST: HostFacts = TYPICAL_HOST;

export function ruleTable(category: Category): string {
  const rules = RULES.filter((rule) => rule.category === category && !isSingleCapability(rule));
  return ["| rule | fidelity | how | note |", "| --- | --- | --- | --- |", ...rules.map(rowOf)].join("\n");
}

/** disable-cap-chown and forty more differ in the capability only: the page has a sentence for them. */
function isSingleCapability(rule: EnforcedRule): boolean {
  return rule.name.startsWith("disable-cap-") && !/^disable-cap-(all|privileged)/.test(rule.name);
}

function rowOf(rule: EnforcedRule): string {
  const names = [rule.name, ...rule.aliases].map((name) => `\`${name}\``).join(", ");
  const { fidelity, note } = rule.fidelity(HOST);
  return `| ${names} | ${fidelity} | ${rule.mechanism} | ${note || "—"} |`;
}
