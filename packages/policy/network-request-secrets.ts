import type { NetworkRules, SecretGrant } from "@plastron/contracts";
import { type Allow, domainFault, type Fault } from "./network-request-check.ts";
import { coversHost } from "./network-request-hosts.ts";

/** What is wrong with the secrets of a request. A host that the run cannot reach would be a mistake that nothing ever shows. */
export function grantFaults(grants: readonly SecretGrant[], allow: readonly Allow[] | null, network: NetworkRules | null): Fault[] {
  const reachable = allow ? allow.flatMap(({ domains }) => domains) : hostsOf(network);
  const hostFault = (host: string): string | null => {
    const fault = domainFault(host);
    if (fault !== null || reachable === null || reachable.some((domain) => coversHost(domain, host))) return fault;
    return allow ? `is in no entry's domains: add it to network.allow` : "is no host that the policy's rules allow";
  };
  return grants.flatMap(({ env, hosts }, i) => {
    const isTwice = grants.findIndex((other) => other.env === env) < i;
    const wrong = hosts.flatMap((host, j) => {
      const message = hostFault(host);
      return message === null ? [] : [{ path: `secrets[${i}].hosts[${j}]`, message: `${JSON.stringify(host)} ${message}` }];
    });
    return [...(isTwice ? [{ path: `secrets[${i}].env`, message: `${env} is given twice` }] : []), ...wrong];
  });
}

/** Null: all. */
function hostsOf(network: NetworkRules | null): string[] | null {
  if (!network) return [];
  const allowing = network.http.filter(({ verdict }) => verdict === "allow");
  if (network.default_action === "allow" || allowing.some(({ match }) => match.hosts.length === 0)) return null;
  return allowing.flatMap(({ match }) => match.hosts);
}
