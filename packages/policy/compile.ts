import { type Confinement, type FidelityRow, type HostFacts, PlastronError, type Tier } from "@plastron/contracts";
import { member, type ProblemEntry } from "@plastron/document";
import { type Explain, explainer } from "./explain/index.ts";
import { rowOf } from "./lower/claims.ts";
import { lower } from "./lower/lower.ts";
import { mountable } from "./lower/mountable.ts";
import { networkRows } from "./lower/network.ts";
import { isLifted, partsOf } from "./lower/parts.ts";
import { remarks } from "./lower/remarks.ts";
import { RuleTable } from "./lower/rule-table.ts";
import { standingOf } from "./lower/standing.ts";
import { modeProfile } from "./modes.ts";
import { builtInOrder, type Placed, rawOrder } from "./orders/built-in.ts";
import type { Order } from "./orders/order.ts";
import { invalid } from "./parse/invalid.ts";
import { networkRules, rawOrders } from "./raw/index.ts";
import { floorRules } from "./rules/floor.ts";
import { type NamedRule, type Resolvable, resolveRules } from "./rules/resolve.ts";
import type { Profile } from "./seccomp/profile.ts";
import { idleFields, unsupportedFields } from "./unsupported.ts";

export interface Compiled {
  confinement: Confinement;
  fidelity: FidelityRow[];
  /** The policy's rules and the floor's as orders: what other enforcers are made from. */
  orders: Order[];
  /** What the confinement's seccomp filter means, before it is machine code. */
  profile: Profile;
  /** Which rule denied a call, and what would allow it. Null: neither the policy nor the platform did. */
  explain: Explain;
}

/** Names a minimum tier, "1" to "4", in `metadata.annotations`: VarmorPolicy has no field for it. */
export const MIN_TIER_ANNOTATION = "plastron/min-tier";

/**
 * A policy → what a driver puts in place, and a row per rule that says how true that is on this host.
 *
 * The floor (system calls, kernel files, mounts, tracing) lies under every mode: AlwaysAllow is the floor alone, RuntimeDefault the
 * floor and the container runtimes' own list. Throws PlastronError `invalid_policy` with lines for what
 * is wrong. What this host cannot do is not an error but a row `unsupported`.
 */
export function compilePolicy(written: Resolvable, host: HostFacts): Compiled {
  refuse(written);
  const policy = readByMode(written);
  const named = resolveRules(policy);
  const raw = rawOrders(policy, host);
  const table = new RuleTable();
  const rules = networkRules(policy, (rule) => table.add(rule));
  const proxied = networkRows(rules, table.rules, host);
  const network = host.egress ? rules : null;
  // Without a way out the rules of one are nobody's, and what is recorded is numbered without them.
  const numbered = network ? table : new RuleTable();
  const own = modeProfile(policy, numbered, host);

  const placed = [...floorRules.map((rule) => ({ path: "spec.policy.mode", rule })), ...firstOfEach(named)];
  const builtIn = placed.map((each) => ({ ...each, order: builtInOrder(each, policy, host) }));
  const rawRules = raw.orders.map((order) => rawOrder(order, policy));
  const standing = standingOf(policy, [...builtIn.map(({ order }) => order), ...rawRules], host);
  const parts = partsOf(
    builtIn.filter(({ rule }) => !isLifted(rule, standing)),
    rawRules,
    host,
    { network: network !== null, standing },
  );

  const around = { parts, standing, network: network !== null };
  const minTier = minTierOf(policy);
  const given = { policy: policy.metadata.name, minTier, parts, standing, profile: own.profile, network, table: numbered };
  const lowered = lower(given, host);
  return {
    ...lowered,
    explain: explainer({ ...lowered, parts, standing, own: own.profile && { ...ownFilterOf(policy), profile: own.profile } }, host),
    fidelity: triable(
      [
        ...parts.map((part) => mountable(rowOf(part, around, host), part, standing)),
        ...raw.rows,
        ...own.rows,
        ...proxied,
        ...remarks({ policy, idle: idleFields(written), named, standing }, host),
      ],
      lowered.confinement,
    ),
    orders: parts.map(({ order }) => order),
  };
}

/** Where a list says what may be opened, no self-test's program is on it: the workload's own replay is what tries such a policy. */
function triable(rows: FidelityRow[], { watch }: Confinement): FidelityRow[] {
  return watch.lists?.some(({ deny }) => deny) ? rows.map((row) => ({ ...row, self_tests: [] })) : rows;
}

/** What a denial by the filter that the mode brings is named by. */
function ownFilterOf({ spec }: Resolvable): { rule: string; path: string } {
  const { mode } = spec.policy;
  if (mode === "DefenseInDepth") return { rule: "defenseInDepth.seccomp", path: "spec.policy.defenseInDepth.seccomp" };
  return { rule: mode, path: "spec.policy.mode" };
}

function refuse(policy: Resolvable): void {
  const errors = unsupportedFields(policy).map((entry): ProblemEntry => ({ ...entry, ...policy.positions?.get(entry.path) }));
  if (errors.length > 0) throw invalid(errors);
}

/** The policy without what its mode does not read. */
function readByMode(policy: Resolvable): Resolvable {
  const { mode, enhanceProtect, defenseInDepth, ...rest } = policy.spec.policy;
  const read = {
    ...(mode === "EnhanceProtect" && enhanceProtect ? { enhanceProtect } : {}),
    ...(mode === "DefenseInDepth" && defenseInDepth ? { defenseInDepth } : {}),
  };
  return { ...policy, spec: { ...policy.spec, policy: { ...rest, mode, ...read } } };
}

/** A rule named twice, or by name and alias, is one rule. */
function firstOfEach(named: readonly NamedRule[]): Placed[] {
  const chosen = named.flatMap((each) => (each.kind === "rule" ? [{ path: each.path, rule: each.rule }] : []));
  return chosen.filter(({ rule }, i) => chosen.findIndex((other) => other.rule === rule) === i);
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
