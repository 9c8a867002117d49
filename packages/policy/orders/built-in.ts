import type { Enforcer, HostFacts } from "@plastron/contracts";
import type { PolicyDocument } from "../parse/schema.ts";
import type { EnforcedRule } from "../rules/rule.ts";
import type { Intent, Order } from "./order.ts";

/** One of the policy's built-in rules, or of the floor, and where it was asked for. */
export interface Placed {
  path: string;
  rule: EnforcedRule;
}

/** vArmor's truth table: what is allowed passes, and what is audited is recorded, whether it passes or not. */
export function observation(policy: PolicyDocument): Pick<Order, "deny" | "audit"> {
  const { allowViolations = false, auditViolations = false } = policy.spec.policy.enhanceProtect ?? {};
  return { deny: !allowViolations, audit: auditViolations };
}

export function builtInOrder({ path, rule }: Placed, policy: PolicyDocument, host: HostFacts): Order {
  const intents = intentsOf(rule, host);
  const { deny, audit } = observation(policy);
  // The floor holds whatever the policy lets pass. Where rules deny and are recorded, so are those of its parts that are calls, as
  // upstream's baseline; where rules only observe, the record is theirs.
  const how = rule.category === "floor" ? { deny: true, audit: audit && deny && rule.family !== null } : { deny, audit };
  return { rule: rule.name, path, enforcer: enforcerOf(intents, policy.spec.policy.enforcer), ...how, intents };
}

export function intentsOf(rule: EnforcedRule, host: HostFacts): readonly Intent[] {
  return [...rule.intents, ...rule.intentsOn(host)];
}

/** Who would have enforced it upstream: what only looks at system calls is Seccomp's, all else the first of the two that is named. */
function enforcerOf(intents: readonly Intent[], named: string): Enforcer {
  if (intents.length > 0 && intents.every(({ kind }) => kind === "syscall")) return "Seccomp";
  const lower = named.toLowerCase();
  return lower.includes("apparmor") && !lower.includes("bpf") ? "AppArmor" : "BPF";
}

/**
 * A raw rule as the policy's flags leave it. Its own qualifiers say what it does; auditViolations records it too, and
 * allowViolations lets it pass, as every other rule of the policy.
 */
export function rawOrder(order: Order, policy: PolicyDocument): Order {
  const { deny, audit } = observation(policy);
  return { ...order, deny: order.deny && deny, audit: order.audit || audit };
}
