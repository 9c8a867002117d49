import type { NetworkRuleSet, NetworkRules } from "@plastron/contracts";
import { type Address, contains, parseRange, type Range } from "../address/address.ts";

/** The rules of one sandbox, with what is compared again and again read once. */
export interface Rules {
  network: NetworkRules;
  names: readonly { id: string; path: string }[];
  addresses: readonly AddressRule[];
  denied: readonly AddressRule[];
  /** What must allow as well. */
  within: RuleSet | null;
  /** What an allowing rule names: the only way to a special address. */
  named: (port: number) => Range[];
}

export interface RuleSet {
  network: NetworkRuleSet;
  addresses: readonly AddressRule[];
}

export interface AddressRule {
  rule: number;
  verdict: "allow" | "deny" | "none";
  audit: boolean;
  range: Range | null;
  ports: NetworkRules["addresses"][number]["ports"];
  literal: boolean;
}

export function compileRules(network: NetworkRules, names: Rules["names"]): Rules {
  const range = (cidr: string | null) => (cidr === null ? null : parseRange(cidr));
  const read = (list: NetworkRules["addresses"]) => list.map(({ cidr, literal = false, ...rest }) => ({ ...rest, range: range(cidr), literal }));
  const addresses = read(network.addresses);
  const denied = network.denied.map(({ cidr, ...rest }) => ({ ...rest, verdict: "deny" as const, range: range(cidr), literal: false }));
  const within = network.within ? { network: network.within, addresses: read(network.within.addresses) } : null;
  /* What leads inwards is opened by a policy, where there is one, and not by who asks for a part of it. */
  const naming = within?.addresses ?? addresses;
  const named = (port: number) => naming.flatMap((rule) => (rule.verdict === "allow" && rule.range && inPorts(rule.ports, port) ? [rule.range] : []));
  return { network, names, addresses, denied, within, named };
}

export function inPorts(ports: AddressRule["ports"], port: number): boolean {
  return ports.length === 0 || ports.some(([first, last]) => port >= first && port <= last);
}

export function matchesAddress(rule: AddressRule, address: Address, port: number): boolean {
  return (rule.range === null || contains(rule.range, address)) && inPorts(rule.ports, port);
}

/** `*.example.com` stands for every name below example.com; `*` for all. */
export function matchesHost(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    if (pattern === "*" || pattern === name) return true;
    return pattern.startsWith("*.") && name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1;
  });
}
