import type { NetworkRules } from "@plastron/contracts";
import { type Address, showAddress } from "../address/address.ts";
import { inPorts, matchesAddress, matchesHost, type RuleSet, type Rules } from "./compiled.ts";

type Match = NetworkRules["http"][number]["match"];

/** What is known of a connection or a request. All text is the program's. */
export interface Subject {
  /** The name that the address stands for, or the address as text where the program named none. */
  name: string;
  /** Every other name that the program gave: SNI, Host. Where one is not `name`, nothing is allowed by its host. */
  claims: readonly string[];
  address: Address | null;
  port: number;
  /** `stream`: bytes that are neither TLS nor HTTP, or not seen yet. */
  seen: { kind: "stream" } | { kind: "tls" } | { kind: "http"; method: string; paths: readonly string[] };
}

export interface Verdict {
  allowed: boolean;
  /** A rule denied it: nothing that is found out later could allow it. */
  final: boolean;
  /** Nothing allows it without an address, and where a name leads could. */
  needsAddress: boolean;
  /** The rule that decided; null: the default did. */
  rule: number | null;
  /** What is to be recorded, with the rule's index. */
  records: { rule: number; action: "DENIED" | "AUDIT" | "ALLOWED" }[];
}

/**
 * vArmor's order: rules that deny, then rules that allow, then the default. What cannot be seen decides against the program: a
 * rule that denies a path holds for a whole stream that could carry it, and a rule that allows a path holds for no such stream.
 * A subject without an address is judged as if no address rule were there. Where there is a second set, both must allow.
 */
export function judge(rules: Rules, subject: Subject): Verdict {
  const own = judgeBy({ network: rules.network, addresses: [...rules.denied, ...rules.addresses] }, subject);
  return rules.within ? joined(own, judgeBy(rules.within, subject)) : own;
}

function judgeBy({ network, addresses }: RuleSet, subject: Subject): Verdict {
  const byAddress = (verdict: string) => addresses.filter((rule) => rule.verdict === verdict && onAddress(rule, subject));
  const denying = [...byAddress("deny"), ...network.http.filter((rule) => rule.verdict === "deny" && couldMatch(rule.match, subject))][0];
  if (denying) return denial(denying);
  const allowing = [...byAddress("allow"), ...network.http.filter((rule) => rule.verdict === "allow" && surelyMatches(rule.match, subject))][0];
  const allowed = allowing !== undefined || network.default_action === "allow";
  const watching = [...byAddress("none"), ...network.http.filter((rule) => rule.verdict === "none" && couldMatch(rule.match, subject))];
  const records: Verdict["records"] = watching.filter(({ audit }) => audit).map(({ rule }) => ({ rule, action: allowed ? "AUDIT" : "DENIED" }));
  if (allowing?.audit) records.push({ rule: allowing.rule, action: "ALLOWED" });
  if (!allowed && records.length === 0 && network.default_rule !== null) records.push({ rule: network.default_rule, action: "DENIED" });
  const needsAddress = !allowed && subject.address === null && addresses.some(({ verdict, literal }) => verdict === "allow" && !literal);
  return { allowed, final: false, needsAddress, rule: allowing?.rule ?? (allowed ? null : network.default_rule), records };
}

function denial({ rule, audit }: { rule: number; audit: boolean }): Verdict {
  return { allowed: false, final: true, needsAddress: false, rule, records: audit ? [{ rule, action: "DENIED" }] : [] };
}

/** Allowed by both. Else whoever denies is named; what the other one would have recorded as passing has not passed. */
function joined(own: Verdict, outer: Verdict): Verdict {
  if (own.allowed && outer.allowed) return { ...own, records: [...own.records, ...outer.records] };
  const denying = [outer, own].filter(({ allowed }) => !allowed);
  const passing = [outer, own].filter(({ allowed }) => allowed);
  const audited = passing.flatMap(({ records }) => records.flatMap(({ rule, action }) => (action === "AUDIT" ? [{ rule, action: "DENIED" as const }] : [])));
  const first = denying.find(({ final }) => final) ?? (denying[0] as Verdict);
  return {
    allowed: false,
    final: denying.some(({ final }) => final),
    needsAddress: denying.every(({ needsAddress }) => needsAddress),
    rule: first.rule,
    records: [...first.records, ...audited],
  };
}

function onAddress(rule: RuleSet["addresses"][number], { address, name, port }: Subject): boolean {
  if (address === null || !matchesAddress(rule, address, port)) return false;
  return !rule.literal || name === showAddress(address);
}

function couldMatch(match: Match, { name, claims, port, seen }: Subject): boolean {
  if (!inPorts(match.ports, port)) return false;
  if (match.hosts.length > 0 && ![name, ...claims].some((one) => matchesHost(match.hosts, one))) return false;
  if (seen.kind !== "http") return true;
  if (match.methods.length > 0 && !match.methods.includes(seen.method.toUpperCase())) return false;
  return match.paths.length === 0 || seen.paths.some((path) => match.paths.some((wanted) => onPath(wanted, path, true)));
}

function surelyMatches(match: Match, { name, claims, port, seen }: Subject): boolean {
  if (!inPorts(match.ports, port) || (seen.kind === "stream" && match.streams !== true)) return false;
  if (claims.some((claim) => claim !== name)) return false;
  if (match.hosts.length > 0 && !matchesHost(match.hosts, name)) return false;
  if (match.methods.length === 0 && match.paths.length === 0) return true;
  if (seen.kind !== "http") return false;
  if (match.methods.length > 0 && !match.methods.includes(seen.method)) return false;
  return match.paths.length === 0 || seen.paths.every((path) => match.paths.some((wanted) => onPath(wanted, path, false)));
}

function onPath(wanted: Match["paths"][number], path: string, anyCase: boolean): boolean {
  const [rule, given] = anyCase ? [wanted.path.toLowerCase(), path.toLowerCase()] : [wanted.path, path];
  return wanted.kind === "exact" ? given === rule : given.startsWith(rule);
}

/**
 * Whether what is inside the stream can change the verdict: else it need not be looked into. A rule that denies or records holds
 * for names that are only said inside, whatever the connection was made to.
 */
export function needsLook(rules: Rules, name: string, port: number): boolean {
  const holds = ({ verdict, match }: NetworkRules["http"][number]) =>
    inPorts(match.ports, port) && (verdict !== "allow" || match.hosts.length === 0 || matchesHost(match.hosts, name));
  return rules.network.http.some(holds) || rules.within?.network.http.some(holds) || isEnded(rules, name);
}

/** Whether TLS to this name is ended by the proxy. */
export function isEnded(rules: Rules, name: string): boolean {
  return matchesHost(rules.network.mitm.domains, name);
}

/**
 * Whether a name may get an address at all. Not where a rule denies everything about it, nor where nothing could allow it. A
 * name that only address rules could allow gets one: what it leads to is found out when it is connected to.
 */
export function judgeName(rules: Rules, name: string): Verdict {
  const own = nameBy({ network: rules.network, addresses: rules.addresses }, name);
  return rules.within ? joined(own, nameBy(rules.within, name)) : own;
}

function nameBy({ network, addresses }: RuleSet, name: string): Verdict {
  const on = (match: Match) => match.hosts.length === 0 || matchesHost(match.hosts, name);
  const all = (match: Match) => match.ports.length === 0 && match.paths.length === 0 && match.methods.length === 0;
  const denying = network.http.find(({ verdict, match }) => verdict === "deny" && on(match) && all(match));
  if (denying) return denial(denying);
  const allowed =
    network.default_action === "allow" ||
    addresses.some(({ verdict, literal }) => verdict === "allow" && !literal) ||
    network.http.some(({ verdict, match }) => verdict === "allow" && on(match));
  const rule = allowed ? null : network.default_rule;
  return { allowed, final: true, needsAddress: false, rule, records: rule === null ? [] : [{ rule, action: "DENIED" }] };
}
