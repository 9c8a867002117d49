import type { Cluster } from "@plastron/contracts";
import type { Intent, Order, PortRange } from "../orders/order.ts";
import { cidrText, type Network, parseAddress, parseCidr } from "./address.ts";
import type { Notes } from "./notes.ts";
import { joined, portRanges } from "./ports.ts";
import { qualified } from "./qualifiers.ts";
import { type Selector, selects } from "./selector.ts";

type Ports = { port: number; endPort?: number | undefined }[] | undefined;
type Qualifiers = { qualifiers?: string[] | undefined };
export interface EgressRules {
  toDestinations?: (Qualifiers & { ip?: string | undefined; cidr?: string | undefined; ports?: Ports })[] | undefined;
  toServices?: (Qualifiers & { name?: string | undefined; namespace?: string | undefined; serviceSelector?: Selector | undefined })[] | undefined;
  toPods?: (Qualifiers & { namespace?: string | undefined; podSelector: Selector; ports?: Ports })[] | undefined;
}

/** bpfRawRules.network.egress: what may not be connected to. `base` is where it stands; `cluster` what names of one mean, if known. */
export function egressOrders(rules: EgressRules, base: string, cluster: Cluster | null, notes: Notes): Order[] {
  const each = <Rule extends Qualifiers>(list: readonly Rule[] | undefined, field: string, intentsOf: (rule: Rule, path: string) => Intent[]): Order[] =>
    (list ?? []).flatMap((rule, i) => {
      const path = `${base}.${field}[${i}]`;
      const kind = qualified(rule.qualifiers, path, ["deny", "audit"], notes);
      const intents = intentsOf(rule, path);
      if (!kind || intents.length === 0) return [];
      return [{ rule: `bpfRawRules.network.egress.${field}[${i}]`, path, enforcer: "BPF" as const, deny: kind.deny, audit: kind.audit, intents }];
    });
  return [
    ...each(rules.toDestinations, "toDestinations", (rule, path) => destination(rule, path, cluster, notes)),
    ...each(rules.toServices, "toServices", (rule, path) => service(rule, path, cluster, notes)),
    ...each(rules.toPods, "toPods", (rule, path) => pods(rule, path, cluster, notes)),
  ];
}

/** What an `ip` may be besides an address. Being in the sandbox, `pod-self` is its loopback, and what the cluster's map adds. */
const SPECIAL: Readonly<Record<string, readonly string[]>> = {
  "pod-self": ["127.0.0.0/8", "::1/128"],
  unspecified: ["0.0.0.0/32", "::/128"],
  localhost: ["127.0.0.1/32", "::1/128"],
};

function destination(rule: NonNullable<EgressRules["toDestinations"]>[number], path: string, cluster: Cluster | null, notes: Notes): Intent[] {
  const ports = portRanges(rule.ports, path, notes);
  const ip = rule.ip || undefined;
  const cidr = rule.cidr || undefined;
  if (ip && cidr) notes.wrong(path, "has both ip and cidr: only one of them may be used");
  else if (ip) {
    /* Its own address is not the unspecified one, which has a word of its own: upstream connects to 0.0.0.0 under a rule on pod-self. */
    const more = ip === "pod-self" ? { unspecified: false } : {};
    return addressed(ip, path, cluster, notes).map((each): Intent => ({ kind: "connect", cidr: each, ports, ...more }));
  } else if (cidr) {
    const network = parseCidr(cidr);
    if (network) return [connect(cidrText(network), ports)];
    notes.wrong(`${path}.cidr`, `${JSON.stringify(cidr)} is not a CIDR, such as 192.168.1.0/24 or 2001:db8::/32`);
  } else if (ports.length > 0) return [connect(null, ports)];
  else notes.wrong(path, "names neither ip, cidr nor ports");
  return [];
}

function addressed(ip: string, path: string, cluster: Cluster | null, notes: Notes): string[] {
  if (Object.hasOwn(SPECIAL, ip)) return [...(SPECIAL[ip] ?? []), ...(ip === "pod-self" ? mapped(cluster?.self ?? [], path, notes) : [])];
  const found = parseAddress(ip);
  if (found) return [cidrText(found)];
  const hint = ip.includes("/") ? ": write it as cidr" : notes.meant(ip, Object.keys(SPECIAL));
  notes.wrong(`${path}.ip`, `${JSON.stringify(ip)} is not an IP address, nor pod-self, unspecified or localhost${hint}`);
  return [];
}

function service(rule: NonNullable<EgressRules["toServices"]>[number], path: string, cluster: Cluster | null, notes: Notes): Intent[] {
  const { name, namespace, serviceSelector } = rule;
  if (serviceSelector && name) notes.wrong(path, "has both name and serviceSelector: only one of them may be used");
  else if (!serviceSelector && !(name && namespace)) notes.wrong(path, "needs a serviceSelector, or both name and namespace");
  if (!cluster) return withoutMap(path, "services", notes);
  const found = cluster.services.filter(
    (each) => (!namespace || each.namespace === namespace) && (serviceSelector ? selects(serviceSelector, each.labels) : each.name === name),
  );
  if (found.length === 0) notes.row(path, "no service of the cluster's address file is meant: nothing is refused until one is in it");
  return found.flatMap(({ addresses, ports }) => {
    const ranges = joined(ports.map((port): PortRange => [port, port]));
    return mapped(addresses, path, notes).map((cidr) => connect(cidr, ranges));
  });
}

function pods(rule: NonNullable<EgressRules["toPods"]>[number], path: string, cluster: Cluster | null, notes: Notes): Intent[] {
  const ports = portRanges(rule.ports, path, notes);
  if (!cluster) return withoutMap(path, "pods", notes);
  const found = cluster.pods.filter((each) => (!rule.namespace || each.namespace === rule.namespace) && selects(rule.podSelector, each.labels));
  if (found.length === 0) notes.row(path, "no pod of the cluster's address file is meant: nothing is refused until one is in it");
  return found.flatMap(({ addresses }) => mapped(addresses, path, notes).map((cidr) => connect(cidr, ports)));
}

function withoutMap(path: string, what: string, notes: Notes): Intent[] {
  notes.row(
    path,
    `what addresses these ${what} have is not known here: an address file of the cluster (plastron up --cluster-addresses FILE) would enforce it`,
  );
  return [];
}

/** Addresses or networks from the operator's file. One that cannot be read is said, for a rule must not shrink in silence. */
function mapped(addresses: readonly string[], path: string, notes: Notes): string[] {
  return addresses.flatMap((text) => {
    const found: Network | null = text.includes("/") ? parseCidr(text) : parseAddress(text);
    if (!found) notes.row(path, `${JSON.stringify(text)} in the cluster's address file is not an address: nothing is refused for it`);
    return found ? [cidrText(found)] : [];
  });
}

const connect = (cidr: string | null, ports: readonly PortRange[]): Intent => ({ kind: "connect", cidr, ports });
