import type { FidelityRow, HostFacts } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import { type EnforcedRule, selfTestsOf } from "../rules/rule.ts";
import { unheardCapabilities } from "./capability-calls.ts";
import { type Claim, canWatch } from "./part.ts";
import { isOwn } from "./places.ts";
import { familiesOfIntent, type Standing } from "./standing.ts";

export const NO_NAMESPACES = "this host gives no namespaces (tier 1): run as root, or allow unprivileged user namespaces";
export const NO_RECORDS = "recording needs seccomp user notification (Linux 5.9 and the local driver)";

const WATCHED = "what no mask covers is refused too, since the rule is recorded: a listener opens files in the program's stead";

/** Of rules that the sandbox itself keeps, not the policy. */
const HELD = "the policy lets it pass, and the sandbox has it no more than before; an attempt is not always recorded";

/** What is claimed of a built-in rule that denies. */
export function claimOf(rule: EnforcedRule, { audit }: Order, host: HostFacts): Claim {
  const { mechanism } = rule;
  if (rule.needs === "namespaces" && host.tier < 2) return { fidelity: "unsupported", mechanism, note: NO_NAMESPACES, self_tests: [] };
  const whole = rule.wholeWhenWatched && audit && canWatch(host);
  const { fidelity, note } = whole ? { fidelity: "stricter" as const, note: WATCHED } : rule.fidelity(host);
  return { fidelity, mechanism, note, self_tests: fidelity === "unsupported" ? [] : [...selfTestsOf(rule, host)] };
}

/** The row of an order: its claim where it denies; where it only observes, what is seen, and what is denied all the same. */
export function rowOf(order: Order, claim: Claim, standing: Standing, host: HostFacts): FidelityRow {
  const named = { rule: order.rule, category: order.path };
  if (order.deny) return { ...named, ...rowParts(claim), note: sentences(claim.note, order.audit ? unheard(order) : "") };
  if (claim.fidelity === "unsupported") return { ...named, ...rowParts(claim) };
  if (claim.held && !standing.capabilities.includes("sys_admin"))
    return { ...named, ...rowParts(claim), note: sentences(claim.note, HELD), self_tests: [], observes: true };
  if (claim.fidelity === "by-construction" || claim.held) return { ...named, ...rowParts(claim), note: sentences(claim.note, HELD) };
  const stays = remainder(order, standing);
  if (!order.audit) {
    const note = sentences("allowViolations without auditViolations: it passes and nothing is recorded", stays);
    return { ...named, fidelity: "unsupported", mechanism: "none: the policy lets it pass", note, self_tests: [] };
  }
  if (!canWatch(host))
    return { ...named, fidelity: "unsupported", mechanism: "none: the policy lets it pass", note: sentences(NO_RECORDS, stays), self_tests: [] };
  const hole = unheard(order);
  const note = sentences(hole, stays);
  return {
    ...named,
    fidelity: hole === "" ? "exact" : "approximate",
    mechanism: "observed only: it passes and is recorded",
    note,
    self_tests: [],
    observes: true,
  };
}

function rowParts({ held: _held, ...row }: Claim): Omit<Claim, "held"> {
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

/** What the platform denies by itself, also where the policy would let it pass. */
function remainder(order: Order, { lifted, capabilities }: Standing): string {
  const wanted = order.intents.flatMap((intent) => familiesOfIntent(intent));
  const root = order.intents.some((intent) => intent.kind === "file" && intent.permissions.includes("write") && !isOwn(intent.glob));
  const dropped = order.intents.some((intent) => intent.kind === "capability" && intent.names.some((name) => !capabilities.includes(name)));
  const unwritable = root ? "a change of the read-only root fails all the same, though the record says AUDIT" : "";
  if (wanted.every((family) => lifted.includes(family)) && !dropped) return unwritable;
  return "what the platform's floor still denies of it does not pass, and a record says DENIED: only an operator who runs Plastron with permissive policies lets it pass";
}

export function sentences(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("; ");
}
