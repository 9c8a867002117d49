import type { FidelityRow, HostFacts, NetworkRules, WatchedRule } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
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

/** A row for each rule of the proxy. `rules`: as they were given their places. */
export function networkRows(rules: readonly WatchedRule[], host: HostFacts): FidelityRow[] {
  return rules
    .filter(({ enforcer }) => enforcer === "NetworkProxy")
    .map(({ id, path }): FidelityRow => {
      const named = { rule: id, category: path };
      if (!host.egress) {
        const note = "this host gives sandboxes no way out, so that no address is reached at all: it needs the local driver as root with the egress proxy";
        return { ...named, fidelity: "unsupported", mechanism: "none", note, self_tests: [] };
      }
      return {
        ...named,
        fidelity: "stricter",
        mechanism: "the sandbox's only way out is a proxy outside of it, which decides over addresses, TLS names and HTTP requests",
        note: "UDP and QUIC have no way out, where upstream lets them pass beside the proxy",
        self_tests: [],
        observes: true,
      };
    });
}
