import type { HostFacts } from "@plastron/contracts";
import { type Entry, ERRNO } from "../seccomp/profile.ts";
import { capabilityEntries } from "./capability-calls.ts";
import { canWatch, type Part } from "./part.ts";
import { recorded } from "./recorded.ts";
import { operationOf, type RuleTable } from "./rule-table.ts";

/** The entries of one order, by the truth table: refused, refused and recorded, recorded, or none. */
export function callEntries({ order, demands }: Part, table: RuleTable, host: HostFacts): Entry[] {
  const denials = demands.denials ?? [];
  if (!order.audit || !canWatch(host)) return order.deny ? [...denials] : [];
  return [
    ...denials.flatMap((entry) => (isFallback(entry) ? (order.deny ? [entry] : []) : recorded(entry, order.deny, reportOf(order, table)))),
    ...order.intents.flatMap((each) => (each.kind === "capability" ? capabilityEntries(each.names, order, table) : [])),
  ];
}

/** A record is about what the rule is about first. */
function reportOf(order: Part["order"], table: RuleTable): number {
  const [intent] = order.intents;
  return table.of(order, intent ? operationOf(intent) : { operation: "syscall", subject: "" });
}

/** clone3 and the like: every C library tries them first and takes the older way. To record that would be to record each thread. */
const isFallback = ({ verdict }: Entry): boolean => verdict.action === "errno" && verdict.errno === ERRNO.ENOSYS;
