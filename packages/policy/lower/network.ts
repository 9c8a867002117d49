import type { FidelityRow, HostFacts, NetworkRules, SelfTest, WatchedRule } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import { leavingByDefault, leavingTo, naming, requesting } from "../rules/probes-network.ts";
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

/** What becomes of TLS whose inside would decide, by what the rule says. */
const UNSEEN = {
  allow:
    "HTTPS to these hosts is not allowed by this rule: whoever asks for paths or methods must see them, and sees them in plain HTTP alone, or in TLS to the names in networkProxyConfig.mitm.domains",
  deny: "HTTPS to these hosts is denied whatever its path or method, which are seen in plain HTTP alone, or in TLS to the names in networkProxyConfig.mitm.domains",
  none: "HTTPS to these hosts is recorded whatever its path or method, which are seen in plain HTTP alone, or in TLS to the names in networkProxyConfig.mitm.domains",
};

/** A row for each rule of the proxy. `watched`: the rules with their places. */
export function networkRows(rules: NetworkRules | null, watched: readonly WatchedRule[], host: HostFacts): FidelityRow[] {
  if (!rules) return [];
  const rowOf = (rule: number | null, tests: (id: string) => SelfTest[], unseen: keyof typeof UNSEEN | null = null): FidelityRow[] => {
    const found = rule === null ? undefined : watched[rule];
    if (!found) return [];
    const named = { rule: found.id, category: found.path };
    if (!host.egress) return [{ ...named, fidelity: "unsupported", mechanism: "none", note: NO_WAY_OUT, self_tests: [] }];
    const self_tests = tests(found.id);
    const note = unseen === null ? ONLY_TCP : `${UNSEEN[unseen]}; ${ONLY_TCP}`;
    // A rule that only records, or allows where all is allowed, denies nothing that could be tried.
    const observes = self_tests.length === 0 ? { observes: true } : {};
    return [{ ...named, fidelity: unseen === "allow" ? "approximate" : "stricter", mechanism: MECHANISM, note, self_tests, ...observes }];
  };
  return [
    ...rules.addresses.flatMap((rule) => rowOf(rule.rule, (id) => (rule.verdict === "deny" ? [leavingTo(id, rule)] : []))),
    ...rules.http.flatMap((rule) => rowOf(rule.rule, (id) => testsOf(id, rule, rules), isUnseen(rule, rules) ? rule.verdict : null)),
    ...rowOf(rules.default_rule, (id) => [leavingByDefault(id)]),
  ];
}

type HttpRule = NetworkRules["http"][number];

function testsOf(id: string, rule: HttpRule, rules: NetworkRules): SelfTest[] {
  if (rule.verdict === "deny") return [requesting(id, rule)];
  const allowed = rule.verdict === "allow" ? naming(id, rule, rules) : undefined;
  return allowed ? [allowed] : [];
}

/** Whether TLS that nobody looks into could carry what the rule asks for. Port 80 alone carries none. */
function isUnseen({ match: { hosts, ports, paths, methods } }: HttpRule, { mitm }: NetworkRules): boolean {
  if (paths.length + methods.length === 0) return false;
  const isEnded = (host: string) => mitm.domains.some((domain) => domain === host || (domain.startsWith("*.") && host.endsWith(domain.slice(1))));
  const isClear = ports.length > 0 && ports.every(([first, last]) => first === 80 && last === 80);
  return !isClear && !(hosts.length > 0 && hosts.every(isEnded));
}
