import type { FidelityRow, HostFacts, NetworkRuleSet, WatchedRule } from "@plastron/contracts";
import { type Allow, readRange } from "./network-request-check.ts";
import type { PortRange } from "./orders/order.ts";
import { cidrText, type Network } from "./raw/address.ts";
import { joined } from "./raw/ports.ts";
import { leavingByDefault } from "./rules/probes-network.ts";

/** What violations name: the list as a whole where nothing in it allows, else the entry. */
export const REQUEST_RULE = "network.allow";

/**
 * Rules of a request, for the process that judges: names for TLS and HTTP, and for other streams on ports that are neither's own,
 * where no other name could be asked for inside; addresses for what is dialled as such.
 */
export function requestRules(allow: readonly Allow[], allocate: (rule: WatchedRule) => number): NetworkRuleSet {
  const rule = (path: string) => allocate({ id: REQUEST_RULE, path, enforcer: "NetworkProxy", operation: "network", subject: "" });
  const default_rule = rule(REQUEST_RULE);
  const sets = allow.map((entry, i) => ofEntry(entry, rule(`${REQUEST_RULE}[${i}]`)));
  return { default_action: "deny", default_rule, addresses: sets.flatMap(({ addresses }) => addresses), http: sets.flatMap(({ http }) => http) };
}

type Set = Pick<NetworkRuleSet, "addresses" | "http">;
const allowing = { verdict: "allow", audit: false } as const;
/** Where TLS and HTTP are at home: what is neither there asks for something that cannot be seen. */
const WEB = [80, 443];

function ofEntry({ domains, cidrs, ports, methods, paths, inspect }: Allow, rule: number): Set {
  const addresses = cidrs.map((text) => ({ rule, ...allowing, cidr: cidrText(readRange(text) as Network), ports: rangesOf(ports), literal: true }));
  if (domains.length === 0) return { addresses, http: [] };
  const match = {
    hosts: [...new Set(domains)],
    ports: rangesOf(ports),
    methods: [...new Set(methods.map((method) => method.toUpperCase()))],
    paths: paths.map((path) => (path.endsWith("*") ? { kind: "prefix" as const, path: path.slice(0, -1) } : { kind: "exact" as const, path })),
  };
  const others = ports.filter((port) => !WEB.includes(port));
  const isSeen = inspect || methods.length > 0 || paths.length > 0;
  const streams = isSeen || others.length === 0 ? [] : [{ rule, ...allowing, match: { ...match, ports: rangesOf(others), streams: true } }];
  return { addresses, http: [{ rule, ...allowing, match }, ...streams] };
}

function rangesOf(ports: readonly number[]): [number, number][] {
  return joined(ports.map((port): PortRange => [port, port])).map(([first, last]) => [first, last]);
}

const PROXY = "the sandbox's only way out is a proxy outside of it, which compares names, TLS names and, where it ends TLS, each request";
const HOOKS = "; programs of its control group refuse every address but those that stand for names and the networks listed";
const ONLY_TCP = "UDP has no way out: QUIC falls back to TCP";

export function requestRows(allow: readonly Allow[], host: Pick<HostFacts, "hooks">): FidelityRow[] {
  const mechanism = host.hooks ? `${PROXY}${HOOKS}` : PROXY;
  const missing = host.hooks ? "" : "; the second wall below it (programs on the sandbox's control group) is missing on this host";
  const row = (category: string, note: string): FidelityRow => ({ rule: REQUEST_RULE, category, fidelity: "exact", mechanism, note, self_tests: [] });
  const entries = allow.map(({ domains, methods, paths, inspect }, i) => {
    const blind = domains.length > 0 && !inspect && methods.length === 0 && paths.length === 0;
    const fronted = "TLS is passed as it is: a server that ends it for many names can be asked for another of them inside; inspect sees that";
    return row(`${REQUEST_RULE}[${i}]`, `${ONLY_TCP}${missing}${blind ? `; ${fronted}` : ""}`);
  });
  return [...entries, { ...row(REQUEST_RULE, `${ONLY_TCP}${missing}`), self_tests: [leavingByDefault(REQUEST_RULE)] }];
}
