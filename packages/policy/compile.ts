import { type Confinement, type FidelityRow, type HostFacts, PlastronError, type Tier } from "@plastron/contracts";
import { confine, type Demands } from "./confine.ts";
import type { ProblemEntry } from "./parse/document.ts";
import { member } from "./parse/path.ts";
import { floorRules } from "./rules/floor.ts";
import { type NamedRule, type Resolvable, resolveRules } from "./rules/resolve.ts";
import type { EnforcedRule } from "./rules/rule.ts";
import { unsupportedFields } from "./unsupported.ts";

export interface Compiled {
  confinement: Confinement;
  fidelity: FidelityRow[];
}

/** Names a minimum tier, "1" to "4", in `metadata.annotations`: VarmorPolicy has no field for it. */
export const MIN_TIER_ANNOTATION = "plastron/min-tier";

/**
 * A policy → what a driver puts in place, and a row per rule that says how true that is on this host.
 *
 * The floor (system calls, kernel files, mounts, tracing) lies under every mode: AlwaysAllow and RuntimeDefault are the floor
 * alone. Throws PlastronError `unsupported_rule` naming, with their lines, every rule, field or mode that is not implemented:
 * a policy is enforced as a whole or not at all. What this host cannot do is not an error but a row `unsupported`.
 */
export function compilePolicy(policy: Resolvable, host: HostFacts): Compiled {
  const named = resolveRules(policy);
  refuseUnsupported(policy, named);
  const chosen = named.flatMap((each) => (each.kind === "rule" && each.rule.kind === "enforced" ? [{ path: each.path, rule: each.rule }] : []));
  const placed = [...floorRules.map((rule) => ({ path: "spec.policy.mode", rule })), ...firstOfEach(chosen)];
  return {
    confinement: confine(policy.metadata.name, minTierOf(policy), demandsOf(placed.map(({ rule }) => rule)), host.arch),
    fidelity: [...placed.map(({ path, rule }) => rowOf(path, rule, host)), ...remarks(policy, named)],
  };
}

function refuseUnsupported(policy: Resolvable, named: NamedRule[]): void {
  const rules = named.flatMap((each) =>
    each.kind === "rule" && each.rule.kind === "unsupported" ? [{ path: each.path, message: `${each.name}: ${each.rule.reason}` }] : [],
  );
  const errors = [...unsupportedFields(policy), ...rules].map((entry): ProblemEntry => ({ ...entry, ...policy.positions?.get(entry.path) }));
  const [first] = errors;
  if (!first) return;
  const place = first.line ? `line ${first.line}, column ${first.column}: ` : "";
  throw new PlastronError("unsupported_rule", `${place}${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ""}`, { errors });
}

/** A rule named twice, or by name and alias, is one rule. */
function firstOfEach(chosen: { path: string; rule: EnforcedRule }[]): { path: string; rule: EnforcedRule }[] {
  return chosen.filter(({ rule }, i) => chosen.findIndex((other) => other.rule === rule) === i);
}

function demandsOf(rules: EnforcedRule[]): Demands {
  return {
    denials: rules.flatMap(({ demands }) => demands.denials ?? []),
    hidden: rules.flatMap(({ demands }) => demands.hidden ?? []),
    forbidden_programs: rules.flatMap(({ demands }) => demands.forbidden_programs ?? []),
    noexec_writable: rules.some(({ demands }) => demands.noexec_writable),
  };
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

function rowOf(path: string, rule: EnforcedRule, host: HostFacts): FidelityRow {
  const named = { rule: rule.name, category: path, mechanism: rule.mechanism };
  if (rule.needs === "namespaces" && host.tier < 2) {
    return {
      ...named,
      fidelity: "unsupported",
      note: "this host gives no namespaces (tier 1): run as root, or allow unprivileged user namespaces",
      self_tests: [],
    };
  }
  const { fidelity, note } = rule.fidelity(host);
  return { ...named, fidelity, note, self_tests: fidelity === "unsupported" ? [] : [...rule.selfTests] };
}

/** What the policy asks for besides rules, and what upstream's reading of it leaves without effect. */
function remarks(policy: Resolvable, named: NamedRule[]): FidelityRow[] {
  const rows: FidelityRow[] = named.flatMap((each) =>
    each.kind === "ignored"
      ? [
          {
            rule: each.name,
            category: each.path,
            fidelity: "unsupported" as const,
            mechanism: "none: ignored as upstream ignores it",
            note: each.why,
            self_tests: [],
          },
        ]
      : [],
  );
  if (!policy.spec.policy.enhanceProtect?.auditViolations) return rows;
  const note = "violations are denied and not yet recorded: recording needs the sensor";
  return [
    ...rows,
    { rule: "auditViolations", category: "spec.policy.enhanceProtect.auditViolations", fidelity: "unsupported", mechanism: "none", note, self_tests: [] },
  ];
}
