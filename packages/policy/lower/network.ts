import type { FidelityRow, HostFacts, NetworkRules, SelfTest, WatchedRule } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import { leavingByDefault, leavingTo, requesting } from "../rules/probes-network.ts";
import type { RuleTable } from "./rule-table.ts";

/** The way out with what the policy's rules on addresses refuse, so that a name cannot lead where an address may not. */
export function networkWith(rules: NetworkRules, orders: readonly Order[], table: RuleTable): NetworkRules {
  const denied = orders
    .filter(({ deny }) => deny)
    .flatMap((order) =>
      order.intents.flatMap((intent) => {
        if (intent.kind !== "connect") return [];
        const rule = table.of(order, { operation: "network", subject: "" });
        return [{ rule, audit: order.audit, cidr: intent.cidr, ports: intent.ports.map(([first, last]): [number, number] => [first, last]) }];
      }),
    );
  return { ...rules, denied };
}

const MECHANISM = "the sandbox's only way out is a proxy outside of it, which decides over addresses, TLS names and HTTP requests";
const ONLY_TCP = "UDP and QUIC have no way out, where upstream lets them pass beside the proxy";
const NO_WAY_OUT = "this host gives sandboxes no way out, so that no address is reached at all: it needs the local driver as root with the egress proxy";

/** A row for each rule of the proxy. `watched`: the rules with their places. */
export function networkRows(rules: NetworkRules | null, watched: readonly WatchedRule[], host: HostFacts): FidelityRow[] {
  if (!rules) return [];
  const rowOf = (rule: number | null, tests: (id: string) => SelfTest[]): FidelityRow[] => {
    const found = rule === null ? undefined : watched[rule];
    if (!found) return [];
    const named = { rule: found.id, category: found.path };
    if (!host.egress) return [{ ...named, fidelity: "unsupported", mechanism: "none", note: NO_WAY_OUT, self_tests: [] }];
    const self_tests = tests(found.id);
    // A rule that allows, or only records, denies nothing that could be tried.
    const observes = self_tests.length === 0 ? { observes: true } : {};
    return [{ ...named, fidelity: "stricter", mechanism: MECHANISM, note: ONLY_TCP, self_tests, ...observes }];
  };
  return [
    ...rules.addresses.flatMap((rule) => rowOf(rule.rule, (id) => (rule.verdict === "deny" ? [leavingTo(id, rule)] : []))),
    ...rules.http.flatMap((rule) => rowOf(rule.rule, (id) => (rule.verdict === "deny" ? [requesting(id, rule)] : []))),
    ...rowOf(rules.default_rule, (id) => [leavingByDefault(id)]),
  ];
}
