import type { HostFacts } from "@plastron/contracts";
import { compileDefault, networkSeed, withNetwork } from "@plastron/policy";
import type { ImageOptions } from "@plastron/sandbox";

/** What builds of packages run under: the built-in policy, with their registry as the only way out. */
export function confineBuilds(host: HostFacts): ImageOptions["confine"] {
  const compiled = compileDefault(host);
  return (hosts) => {
    if (hosts.length === 0) return compiled.confinement; // archives of local directories alone
    const allow = hosts.map(({ host: domain, port }) => ({ domains: [domain], cidrs: [], ports: [port], methods: [], paths: [], inspect: false }));
    return withNetwork(networkSeed(compiled), { allow }, [], host).confinement;
  };
}
