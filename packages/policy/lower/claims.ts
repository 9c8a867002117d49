import type { FidelityRow, HostFacts } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import { type EnforcedRule, selfTestsOf } from "../rules/rule.ts";
import { unheardCapabilities } from "./capability-calls.ts";
import { overlapOf } from "./overlap.ts";
import { type Claim, canWatch, type Part } from "./part.ts";
import { passingOf } from "./passing.ts";
import type { Standing } from "./standing.ts";

export const NO_NAMESPACES = "this host gives no namespaces (tier 1): run as root, or allow unprivileged user namespaces";
export const NO_RECORDS = "recording needs seccomp user notification (Linux 5.9 and the local driver)";

const FAILING = "observed only: an attempt fails all the same";
const NO_HOOKS = "recording addresses needs BPF programs on the sandbox's control group";

const WATCHED = "what no mask covers is refused too, since the rule is recorded: a listener opens files in the program's stead";

/** Of rules that the sandbox itself keeps, not the policy. */
const HELD = "the policy lets it pass, and the sandbox has it no more than before; an attempt is not always recorded";

/** What is claimed of a built-in rule that denies. */
export function claimOf(rule: EnforcedRule, { audit }: Order, host: HostFacts): Claim {
  const { mechanism } = rule;
  if (rule.needs === "namespaces" && host.tier < 2) return { fidelity: "unsupported", mechanism, note: NO_NAMESPACES, self_tests: [] };
  const whole = rule.wholeWhenWatched && audit && canWatch(host);
  const { fidelity, note } = whole ? { fidelity: "stricter" as const, note: WATCHED } : rule.fidelity(host);
  const withheld = rule.withheld === "" ? {} : { withheld: rule.withheld };
  const observed = rule.observedBy === null ? {} : { observed: rule.observedBy };
  return { fidelity, mechanism, note, self_tests: fidelity === "unsupported" ? [] : [...selfTestsOf(rule, host)], ...observed, ...withheld };
}

/** What a row depends on besides its own part. */
export interface RowContext {
  parts: readonly Part[];
  standing: Standing;
  /** Whether the sandbox has a way out. */
  network: boolean;
}

/** The row of an order: its claim where it denies; where it only observes, what passes and is recorded, and what is denied all the same. */
export function rowOf(part: Part, { parts, standing, network }: RowContext, host: HostFacts): FidelityRow {
  const { order, claim } = part;
  const named = { rule: order.rule, category: order.path };
  if (order.deny) return { ...named, ...rowParts(claim), note: sentences(claim.note, order.audit ? unheard(order) : "") };
  if (claim.fidelity === "unsupported") return { ...named, ...rowParts(claim) };
  if (claim.held && !standing.capabilities.includes("sys_admin"))
    return { ...named, ...rowParts(claim), note: sentences(claim.note, HELD), self_tests: [], observes: true };
  if (claim.fidelity === "by-construction" || claim.held) return { ...named, ...rowParts(claim), note: sentences(claim.note, HELD) };
  const { passes, why } = passingOf(order, standing, network);
  const unrecorded = order.audit ? unrecordable(order, host) : "allowViolations without auditViolations: it passes and nothing is recorded";
  if (unrecorded !== "")
    return { ...named, fidelity: "unsupported", mechanism: "none: the policy lets it pass", note: sentences(unrecorded, why), self_tests: [] };
  const overlap = overlapOf(part, parts);
  const hole = unheard(order);
  // What cannot be shown is not claimed: there is nothing to try.
  const shown = passes !== "none" && !claim.withheld && overlap === null;
  const tests = shown ? (claim.observed ?? claim.self_tests) : [];
  const untried = shown && tests.length === 0 ? "no self-test does what would be recorded" : "";
  return {
    ...named,
    fidelity: hole === "" && passes === "all" && !claim.withheld ? "exact" : "approximate",
    mechanism: passes === "none" || claim.withheld ? FAILING : "observed only: it passes and is recorded",
    note: sentences(hole, why, claim.withheld ?? "", overlap === null ? "" : `one call is one record, and ${overlap} has those of this rule`, untried),
    self_tests: [...tests],
    observes: true,
  };
}

/** Why nothing of it can be recorded here; empty where it can. */
function unrecordable({ intents }: Order, host: HostFacts): string {
  if (!canWatch(host)) return NO_RECORDS;
  return !host.hooks && intents.some(({ kind }) => kind === "connect") ? NO_HOOKS : "";
}

function rowParts({ held: _held, observed: _observed, withheld: _withheld, ...row }: Claim): Omit<Claim, "held" | "observed" | "withheld"> {
  return row;
}

/** Uses of a capability have no signal that a filter sees. */
function unheard(order: Order): string {
  const names = order.intents.flatMap((intent) => (intent.kind === "capability" ? intent.names : []));
  if (names.length === 0) return "";
  const unknown = unheardCapabilities(names);
  if (unknown.length === 0) return "recorded by the calls that always need the capability, and not where a call only may need it";
  return unknown.length === names.length
    ? "no call always needs it: its use is not recorded"
    : "recorded by the calls that always need one of these capabilities; some have no such call";
}

export function sentences(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("; ");
}
