import { type NetworkRequest, type NetworkRules, SPECIAL_ADDRESSES } from "@plastron/contracts";
import { meetsHost } from "./network-request-hosts.ts";
import type { NetworkSeed } from "./network-seed.ts";
import { cidrText, type Network, parseAddress, parseCidr } from "./raw/address.ts";

export type Allow = Exclude<NetworkRequest, "none">["allow"][number];
export interface Fault {
  path: string;
  message: string;
}

/** Each is compared with every connection of the run, and each range becomes code in the kernel. */
const MAX_DOMAINS = 512;
const MAX_CIDRS = 256;
/** Whoever needs more than that needs everything, which is a policy's to give. */
const WIDEST = { 4: 8, 6: 16 } as const;

/** What is wrong with a request, each with its place: what it names, and what the policy could never allow of it. */
export function faultsOf(allow: readonly Allow[], { confinement }: NetworkSeed): Fault[] {
  const count = (field: "domains" | "cidrs") => allow.reduce((sum, entry) => sum + entry[field].length, 0);
  if (count("domains") > MAX_DOMAINS) return [{ path: "network.allow", message: `names ${count("domains")} domains; at most ${MAX_DOMAINS} can be listed` }];
  if (count("cidrs") > MAX_CIDRS) return [{ path: "network.allow", message: `names ${count("cidrs")} networks; at most ${MAX_CIDRS} can be listed` }];
  return allow.flatMap((entry, i) => entryFaults(entry, `network.allow[${i}]`, confinement.network, confinement.policy));
}

function entryFaults({ domains, cidrs, ports, paths }: Allow, at: string, network: NetworkRules | null, policy: string): Fault[] {
  const each = (field: string, list: readonly string[], faultOf: (text: string) => string | null): Fault[] =>
    list.flatMap((text, i) => {
      const message = faultOf(text);
      return message === null ? [] : [{ path: `${at}.${field}[${i}]`, message: `${JSON.stringify(text)} ${message}` }];
    });
  return [
    ...(domains.length > 0 && cidrs.length > 0
      ? [{ path: at, message: "has domains and cidrs: all lists of one entry must match, so give each an entry of its own" }]
      : []),
    ...(ports.length === 0 ? [{ path: `${at}.ports`, message: "names no port; without the field they are 80 and 443" }] : []),
    ...each("domains", domains, (name) => domainFault(name) ?? ceilingFault(name, network, policy)),
    ...each("cidrs", cidrs, (cidr) => cidrFault(cidr, network)),
    ...each("paths", paths, pathFault),
  ];
}

/** The contract has seen that it is made of labels. */
export function domainFault(name: string): string | null {
  const labels = name.replace(/^\*\./, "").split(".");
  const last = labels.at(-1) as string;
  // What browsers and C libraries read as an address: 127.1, 0x7f.1, 2130706433 (WHATWG URL, "ends in a number").
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(last)) return "is an address and not a name: write it in cidrs, as 192.0.2.7 or 192.0.2.0/24";
  if (last === "localhost") return "is the sandbox itself, which is reached without network";
  if (name.startsWith("*.") && labels.length < 2) return `stands for every name under .${last}: name the domain, such as *.example.${last}`;
  return null;
}

/** A name that no rule of the policy could allow is refused now; what rules on addresses, paths and methods say shows as it runs. */
function ceilingFault(name: string, network: NetworkRules | null, policy: string): string | null {
  if (!network || network.default_action === "allow") return null;
  if (network.addresses.some(({ verdict }) => verdict === "allow")) return null;
  const could = network.http.some(
    ({ verdict, match }) => verdict === "allow" && (match.hosts.length === 0 || match.hosts.some((host) => meetsHost(host, name))),
  );
  return could ? null : `is not among what the policy ${policy} gives: a run asks for a part of it, never for more`;
}

function cidrFault(text: string, network: NetworkRules | null): string | null {
  const range = readRange(text);
  if (!range) return "is not an address or a network, such as 192.0.2.7 or 192.0.2.0/24";
  if (range.length < WIDEST[range.family])
    return `is wider than /${WIDEST[range.family]}: list what the program needs, or run it under a policy that gives everything`;
  const special = specialAround(range);
  if (!special) return null;
  const isNamed = (one: Network) => contains(special, one) && contains(one, range);
  const opened = network?.addresses.some(({ verdict, cidr }) => verdict === "allow" && cidr !== null && isNamed(parseCidr(cidr) as Network));
  if (opened) return null;
  return inward(special);
}

/** The special range that an address or a network lies in: no request opens it. */
export function specialAround(range: Network): Network | undefined {
  return SPECIAL_ADDRESSES.map((one) => parseCidr(one) as Network).find((one) => contains(one, range));
}

export function inward(special: Network): string {
  return `lies in ${cidrText(special)}, which is private, local or metadata: a policy's networkProxyRawRules can open it by naming it, or the operator gives one address a name (PLASTRON_EGRESS_HOSTS), which domains can list`;
}

/** The contract has seen that it begins with a slash. What servers may read in two ways would never be sure to match. */
function pathFault(text: string): string | null {
  const path = text.endsWith("*") ? text.slice(0, -1) : text;
  if (path.includes("*")) return "has a * inside: only one at the end is understood, as in /v1/*";
  if (!/^[\x21-\x7e]*$/.test(path) || /[?#"\\]/.test(path)) return "has a character that no path of a request has, or a query: queries are not compared";
  if (path.includes("%")) return "has an escape: paths are compared decoded and as sent, and must match both ways; end it before that with *";
  if (path.includes("//") || /\/\.{1,2}(?:\/|$)/.test(path) || path.includes(";")) return "has a part that servers read in different ways (//, . , .. or ;)";
  return null;
}

export function readRange(text: string): Network | null {
  return text.includes("/") ? parseCidr(text) : parseAddress(text);
}

function contains(outer: Network, inner: Network): boolean {
  const bits = BigInt((outer.family === 4 ? 32 : 128) - outer.length);
  return outer.family === inner.family && outer.length <= inner.length && inner.base >> bits === outer.base >> bits;
}
