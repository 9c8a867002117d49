import type { NetworkRules } from "@plastron/contracts";
import { type Address, contains, parseRange, type Range } from "../address/address.ts";

/** The rules of one sandbox, with what is compared again and again read once. */
export interface Rules {
  network: NetworkRules;
  names: readonly { id: string; path: string }[];
  addresses: readonly AddressRule[];
  denied: readonly AddressRule[];
  /** What an allowing rule names: the only way to a special address. */
  named: (port: number) => Range[];
}

export interface AddressRule {
  rule: number;
  verdict: "allow" | "deny" | "none";
  audit: boolean;
  range: Range | null;
  ports: NetworkRules["addresses"][number]["ports"];
}

export function compileRules(network: NetworkRules, names: Rules["names"]): Rules {
  const range = (cidr: string | null) => (cidr === null ? null : parseRange(cidr));
  const addresses = network.addresses.map(({ cidr, ...rest }) => ({ ...rest, range: range(cidr) }));
  const denied = network.denied.map(({ cidr, ...rest }) => ({ ...rest, verdict: "deny" as const, range: range(cidr) }));
  const named = (port: number) => addresses.flatMap((rule) => (rule.verdict === "allow" && rule.range && inPorts(rule.ports, port) ? [rule.range] : []));
  return { network, names, addresses, denied, named };
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
