import { type Confinement, type FidelityRow, type HostFacts, PlastronError, type Tier } from "@plastron/contracts";
import { claimOf, NO_RECORDS, rowOf } from "./lower/claims.ts";
import { lower } from "./lower/lower.ts";
import { canWatch, type Part } from "./lower/part.ts";
import { type Standing, standingOf } from "./lower/standing.ts";
import { builtInOrder, type Placed } from "./orders/built-in.ts";
import type { Order } from "./orders/order.ts";
import type { ProblemEntry } from "./parse/document.ts";
import { member } from "./parse/path.ts";
import { floorRules } from "./rules/floor.ts";
import { type NamedRule, type Resolvable, resolveRules } from "./rules/resolve.ts";
import { unsupportedFields } from "./unsupported.ts";

export interface Compiled {
  confinement: Confinement;
  fidelity: FidelityRow[];
  /** The policy's rules and the floor's as orders: what other enforcers are made from. */
  orders: Order[];
}

/** Names a minimum tier, "1" to "4", in `metadata.annotations`: VarmorPolicy has no field for it. */
export const MIN_TIER_ANNOTATION = "plastron/min-tier";

/**
 * A policy → what a driver puts in place, and a row per rule that says how true that is on this host.
 *
 * The floor (system calls, kernel files, mounts, tracing) lies under every mode: AlwaysAllow is the floor alone. Throws
 * PlastronError `unsupported_rule` naming, with their lines, every field or mode that is not implemented: a policy is enforced as
 * a whole or not at all. What this host cannot do is not an error but a row `unsupported`.
 */
export function compilePolicy(policy: Resolvable, host: HostFacts): Compiled {
  const named = resolveRules(policy);
  refuseUnsupported(policy);
  const placed = [...floorRules.map((rule) => ({ path: "spec.policy.mode", rule })), ...firstOfEach(named)];
  const given = placed.map((each) => ({ ...each, order: builtInOrder(each, policy, host) }));
  const standing = standingOf(
    policy,
    given.map(({ order }) => order),
    host,
  );
  const parts = given.filter(({ rule }) => !isLifted(rule.family, standing)).map(({ rule, order }) => builtInPart({ rule, order }, host));
  return {
    confinement: lower({ policy: policy.metadata.name, minTier: minTierOf(policy), parts: policyFirst(parts), standing }, host),
    fidelity: [...parts.map(({ order, claim }) => rowOf(order, claim, standing, host)), ...remarks(policy, named, host)],
    orders: parts.map(({ order }) => order),
  };
}

function refuseUnsupported(policy: Resolvable): void {
  const errors = unsupportedFields(policy).map((entry): ProblemEntry => ({ ...entry, ...policy.positions?.get(entry.path) }));
  const [first] = errors;
  if (!first) return;
  const place = first.line ? `line ${first.line}, column ${first.column}: ` : "";
  throw new PlastronError("unsupported_rule", `${place}${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`, { errors });
}

/** A rule named twice, or by name and alias, is one rule. */
function firstOfEach(named: readonly NamedRule[]): Placed[] {
  const chosen = named.flatMap((each) => (each.kind === "rule" ? [{ path: each.path, rule: each.rule }] : []));
  return chosen.filter(({ rule }, i) => chosen.findIndex((other) => other.rule === rule) === i);
}

const isLifted = (family: Placed["rule"]["family"], { lifted }: Standing): boolean => family !== null && lifted.includes(family);

function builtInPart({ rule, order }: { rule: Placed["rule"]; order: Order }, host: HostFacts): Part {
  return { order, demands: rule.demands, watched: rule.watched, claim: claimOf(rule, host) };
}

/** A rule's own answer goes before the floor's, where both refuse a call. */
function policyFirst(parts: readonly Part[]): Part[] {
  const isFloor = ({ order }: Part): boolean => order.rule.startsWith("floor-");
  return [...parts.filter((part) => !isFloor(part)), ...parts.filter(isFloor)];
}

/** Masks, private mounts and the empty network need namespaces, and the floor alone has some: never below tier 2. */
function minTierOf(policy: Resolvable): Tier {
  const path = member("metadata.annotations", MIN_TIER_ANNOTATION);
  const wanted = policy.metadata.annotations?.[MIN_TIER_ANNOTATION] ?? "2";
  if (!/^[1-4]$/.test(wanted)) {
    const error = { path, message: `${MIN_TIER_ANNOTATION} must be "1", "2", "3" or "4"`, ...policy.positions?.get(path) };
    throw new PlastronError("invalid_policy", error.message, { errors: [error] });
  }
  return Math.max(2, Number(wanted)) as Tier;
}

/** What the policy asks for besides rules, and what upstream's reading of it leaves without effect. */
function remarks(policy: Resolvable, named: NamedRule[], host: HostFacts): FidelityRow[] {
  const ignored = named.flatMap((each): FidelityRow[] =>
    each.kind === "ignored"
      ? [{ rule: each.name, category: each.path, fidelity: "unsupported", mechanism: "none: ignored as upstream ignores it", note: each.why, self_tests: [] }]
      : [],
  );
  return [...ignored, ...(policy.spec.policy.enhanceProtect?.auditViolations ? [recording(host)] : [])];
}

function recording(host: HostFacts): FidelityRow {
  const named = { rule: "auditViolations", category: "spec.policy.enhanceProtect.auditViolations", self_tests: [] };
  if (!canWatch(host)) return { ...named, fidelity: "unsupported", mechanism: "none", note: `violations are denied and not recorded: ${NO_RECORDS}` };
  const mechanism = "a listener of the filter decides and records what a rule names; programs of the control group record addresses";
  return { ...named, fidelity: "stricter", mechanism, note: "denials by seccomp are recorded too, which upstream cannot", observes: true };
}
