import type { NetworkRules, WatchedRule } from "@plastron/contracts";
import type { PolicyDocument } from "../parse/schema.ts";
import type { Resolvable } from "../rules/resolve.ts";
import { cidrText, parseAddress, parseCidr } from "./address.ts";
import { namesEnforcer } from "./enforcers.ts";
import { fieldOf, Notes } from "./notes.ts";
import { portRanges } from "./ports.ts";
import { hostsOf, methodsOf, pathsOf } from "./proxy-match.ts";
import { mitmOf } from "./proxy-mitm.ts";
import { type Qualified, qualified } from "./qualifiers.ts";

type Egress = NonNullable<NonNullable<NonNullable<PolicyDocument["spec"]["policy"]["enhanceProtect"]>["networkProxyRawRules"]>["egress"]>;
type Allocate = (rule: WatchedRule) => number;

/**
 * networkProxyRawRules (or defenseInDepth.networkProxy) and networkProxyConfig → what the way out lets pass; null where the policy
 * has none, or its enforcer does not name NetworkProxy, where upstream ignores them. `allocate` gives the index of a rule in the
 * confinement's list. `denied` is empty: which addresses other rules refuse is the caller's to know.
 *
 * Throws PlastronError invalid_policy with all that is wrong.
 */
export function networkRules(policy: Resolvable, allocate: Allocate): NetworkRules | null {
  const notes = new Notes(policy);
  const read = readProxy(policy, allocate, notes);
  notes.finish();
  return read;
}

/** The same, with faults and rows to `notes`. */
export function readProxy(policy: Resolvable, allocate: Allocate, notes: Notes): NetworkRules | null {
  const { enforcer, networkProxyConfig } = policy.spec.policy;
  const found = proxyOf(policy);
  const mitm = mitmOf(networkProxyConfig?.mitm, "spec.policy.networkProxyConfig.mitm", notes);
  const rules = found && egressOf(found.egress, found.path, allocate, notes);
  if (!rules) {
    if (networkProxyConfig) notes.row("spec.policy.networkProxyConfig", "there are no rules for a proxy, so there is none that it could configure");
    return null;
  }
  if (!namesEnforcer(enforcer, "NetworkProxy")) {
    notes.ignored((found as { path: string }).path, `has no effect, since the enforcer ${JSON.stringify(enforcer)} does not name NetworkProxy`);
    return null;
  }
  for (const field of ["proxyPort", "proxyAdminPort", "proxyUID", "resources"] as const) {
    if (networkProxyConfig?.[field] === undefined) continue;
    notes.row(`spec.policy.networkProxyConfig.${field}`, "has no meaning here: there is no sidecar, and the proxy runs outside of the sandbox");
  }
  return { ...rules, mitm };
}

function proxyOf(policy: Resolvable): { egress: Egress; path: string } | null {
  const { mode, enhanceProtect, defenseInDepth } = policy.spec.policy;
  const [rules, path] =
    mode === "DefenseInDepth"
      ? [defenseInDepth?.networkProxy, "spec.policy.defenseInDepth.networkProxy.egress"]
      : [enhanceProtect?.networkProxyRawRules, "spec.policy.enhanceProtect.networkProxyRawRules.egress"];
  return rules?.egress ? { egress: rules.egress, path } : null;
}

function egressOf(egress: Egress, base: string, allocate: Allocate, notes: Notes): NetworkRules {
  const deniesByDefault = egress.defaultAction === "deny";
  const index = (path: string) => allocate({ id: fieldOf(path), path, enforcer: "NetworkProxy", operation: "network", subject: "" });
  const addresses = (egress.rules ?? []).flatMap((rule, i) => {
    const path = `${base}.rules[${i}]`;
    const kind = qualified(rule.qualifiers, path, ["allow", "deny", "audit"], notes);
    const cidr = destination(rule, path, notes);
    return kind && cidr !== undefined ? [{ rule: index(path), ...verdictOf(kind, deniesByDefault), cidr, ports: portRanges(rule.ports, path, notes) }] : [];
  });
  const http = (egress.httpRules ?? []).flatMap((rule, i) => {
    const path = `${base}.httpRules[${i}]`;
    const kind = qualified(rule.qualifiers, path, ["allow", "deny", "audit"], notes);
    const match = matchOf(rule.match, `${path}.match`, notes);
    return kind ? [{ rule: index(path), ...verdictOf(kind, deniesByDefault), match }] : [];
  });
  const default_rule = deniesByDefault ? index(`${base}.defaultAction`) : null;
  const none = { domains: [], mutations: [] };
  return { default_action: deniesByDefault ? "deny" : "allow", default_rule, addresses, http, mitm: none, denied: [] };
}

/** `audit` alone follows the default. Where the default denies, every denial is recorded, as upstream. */
function verdictOf({ allow, deny, audit }: Qualified, deniesByDefault: boolean): { verdict: "allow" | "deny" | "none"; audit: boolean } {
  return { verdict: deny ? "deny" : allow ? "allow" : "none", audit: audit || (deny && deniesByDefault) };
}

/** Null: every address. Undefined: there was a fault. */
function destination(rule: NonNullable<Egress["rules"]>[number], path: string, notes: Notes): string | null | undefined {
  const { ip, cidr, ports = [] } = rule;
  if (ip && cidr) notes.wrong(path, "has both ip and cidr: only one of them may be used");
  else if (ip) {
    const found = parseAddress(ip);
    if (found) return cidrText(found);
    notes.wrong(`${path}.ip`, `${JSON.stringify(ip)} is not an IP address${ip.includes("/") ? ": write it as cidr" : ""}`);
  } else if (cidr) {
    const found = parseCidr(cidr);
    if (found) return cidrText(found);
    notes.wrong(`${path}.cidr`, `${JSON.stringify(cidr)} is not a CIDR, such as 192.168.1.0/24 or 2001:db8::/32`);
  } else if (ports.length > 0) return null;
  else notes.wrong(path, "names neither ip, cidr nor ports; what holds for everything is defaultAction");
  return undefined;
}

type Match = NonNullable<Egress["httpRules"]>[number]["match"];

function matchOf(match: Match, path: string, notes: Notes): NetworkRules["http"][number]["match"] {
  const { hosts = [], ports = [], paths = [], methods = [] } = match;
  if (hosts.length + ports.length + paths.length + methods.length === 0) {
    notes.wrong(path, "is empty: name hosts, ports, paths or methods; hosts: ['*'] stands for every host");
  }
  return {
    hosts: hostsOf(hosts, `${path}.hosts`, notes),
    ports: portRanges(ports, path, notes),
    paths: pathsOf(paths, `${path}.paths`, notes),
    methods: methodsOf(methods, `${path}.methods`, notes),
  };
}
