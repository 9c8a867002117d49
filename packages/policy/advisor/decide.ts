import type { Intent } from "../orders/order.ts";
import type { Category } from "../rules/rule.ts";
import type { Behavior } from "./behavior.ts";
import { meets, recorded } from "./evidence.ts";
import { type AdvisedEnforcer, FEATURES, type Feature, knowledgeOf } from "./knowledge.ts";

/** A built-in rule as the advisor weighs it. */
export interface Candidate {
  name: string;
  category: Exclude<Category, "floor">;
  intents: readonly Intent[];
}

export interface Needs {
  enforcers: readonly AdvisedEnforcer[];
  /** Lower case without `cap_`. */
  capabilities: readonly string[];
  features: readonly Feature[];
  behavior: Behavior | null;
}

export interface Decision {
  rule: string;
  category: string;
  decision: "in" | "out";
  reason: string;
}

/** One rule in or out, with the reason in words. Covered rules are taken out afterwards (`withoutCovered`). */
export function decide(candidate: Candidate, needs: Needs): Decision {
  const { name: rule, category, intents } = candidate;
  const known = knowledgeOf(rule);
  const out = (reason: string): Decision => ({ rule, category, decision: "out", reason });
  if (!known) return out("the advisor does not know this rule");

  const enforcer = needs.enforcers.find((name) => known.enforcers.includes(name[0] as string));
  if (!enforcer) return out(`none of the chosen enforcers (${needs.enforcers.join(", ")}) has it`);
  const feature = needs.features.find((each) => known.breaks.includes(each));
  if (feature) return out(`${FEATURES[feature]} (${feature})`);
  const capability = heldCapability(intents, [...needs.capabilities, ...(needs.behavior?.capabilities ?? [])]);
  if (capability) return out(`the workload needs CAP_${capability.toUpperCase()}`);
  const seen = needs.behavior && meets(rule, intents, needs.behavior);
  if (seen) return out(`the workload ${seen}`);
  if (known.needsBehavior && !(needs.behavior && recorded(intents, needs.behavior)))
    return out("ordinary programs may need what it stops, and nothing is known of what this one does: give a behaviour profile, or let it run once");

  const never = known.needsBehavior ? "; the workload was never seen to need it" : "";
  return { rule, category, decision: "in", reason: `it stops ${known.stops}${never}` };
}

function heldCapability(intents: readonly Intent[], held: readonly string[]): string | undefined {
  const forbidden = intents.flatMap((intent) => (intent.kind === "capability" ? intent.names : []));
  return held.find((name) => forbidden.includes(name));
}

/** Rules that say nothing more beside another one that was taken: the other → those. */
const COVERS: Record<string, (rule: string) => boolean> = {
  "disable-cap-all": (rule) => rule.startsWith("disable-cap-"),
  "disable-cap-all-except-net-bind-service": (rule) => rule.startsWith("disable-cap-") && rule !== "disable-cap-net-bind-service",
  "disallow-mount": (rule) => rule.startsWith("disallow-mount-"),
  "disable-network": (rule) => ["disable-inet", "disable-inet6", "disable-unix-domain-socket", "disable-icmp", "disable-tcp", "disable-udp"].includes(rule),
  "block-access-to-metadata-service": (rule) => /^block-access-to-.+-metadata-service$/.test(rule),
};

/** A policy that a person can read: what another rule covers is left out and says so. */
export function withoutCovered(decisions: readonly Decision[]): Decision[] {
  const taken = decisions.filter(({ decision }) => decision === "in").map(({ rule }) => rule);
  return decisions.map((each) => {
    const by = taken.find((rule) => rule !== each.rule && COVERS[rule]?.(each.rule));
    return each.decision === "in" && by ? { ...each, decision: "out", reason: `${by} covers it` } : each;
  });
}
