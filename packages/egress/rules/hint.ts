import { matchesHost, type Rules } from "./compiled.ts";
import { isEnded, type Subject, type Verdict } from "./judge.ts";

/**
 * What would allow what a rule denied, in words for whoever reads the program's output: both ways of saying it, since a run's own
 * request and a policy are compiled to the same rules.
 */
export function hintFor(rules: Rules, { final }: Verdict, { name, address, port }: Pick<Subject, "name" | "address" | "port">, seen: Subject["seen"]): string {
  if (final) return "A rule denies it: take that rule out, or narrow it.";
  const place = port === 80 || port === 443 ? name : address && name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
  if (address) return `To allow it: --allow-net ${place}, or in the policy rules: [{ qualifiers: [allow], cidr: ${name}, ports: [{ port: ${port} }] }]`;
  const hosts = `hosts: [${name}]`;
  if (seen.kind === "http") {
    const scheme = port === 80 ? "http" : "https";
    const path = seen.paths[0]?.replace(/\?.*$/s, "") ?? "/";
    return `To allow it: --allow-net '${seen.method} ${scheme}://${place}${path}', or in the policy httpRules: [{ qualifiers: [allow], match: { ${hosts}, methods: [${seen.method}], paths: [{ exact: ${path} }] } }]`;
  }
  const hidden =
    !isEnded(rules, name) && rules.network.http.some(({ verdict, match }) => verdict === "allow" && needsSight(match) && matchesHost(match.hosts, name));
  if (seen.kind === "tls" && hidden)
    return `Rules allow methods or paths of ${name}, and TLS hides those: name it in networkProxyConfig.mitm.domains, or ask for it with inspect.`;
  if (seen.kind === "tls") return `To allow it: --allow-net ${place}, or in the policy httpRules: [{ qualifiers: [allow], match: { ${hosts} } }]`;
  return `To allow it: --allow-net ${place}, or in the policy httpRules: [{ qualifiers: [allow], match: { ${hosts} } }] for HTTP and TLS, rules on its addresses for all else`;
}

function needsSight({ methods, paths }: Rules["network"]["http"][number]["match"]): boolean {
  return methods.length > 0 || paths.length > 0;
}
