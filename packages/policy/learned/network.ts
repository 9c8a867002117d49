import type { BehaviorProfile } from "../modelling/profile.ts";
import type { PolicyDocument } from "../parse/schema.ts";

type Proxy = NonNullable<NonNullable<PolicyDocument["spec"]["policy"]["defenseInDepth"]>["networkProxy"]>;

/** Names and addresses that were reached, with their ports, and nothing else; undefined: none was, so there is no way out. */
export function learnedNetwork({ names, connections }: Pick<BehaviorProfile, "names" | "connections">): Proxy | undefined {
  const hosts = names.flatMap((name) => {
    const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(name) ?? [];
    return host === "" ? [] : [{ host: host.toLowerCase(), port: Number(port) }];
  });
  const addresses = connections.filter(({ ip, port }) => port > 0 && !isInside(ip));
  if (hosts.length + addresses.length === 0) return undefined;
  return {
    egress: {
      defaultAction: "deny",
      rules: addresses.map(({ ip, port }) => ({ qualifiers: ["allow"], ip, ports: [{ port }] })),
      httpRules: hosts.map(({ host, port }) => ({ qualifiers: ["allow"], match: { hosts: [host], ports: [{ port }] } })),
    },
  } as Proxy;
}

/** Loopback is the sandbox's own; names stand for addresses of 198.18.0.0/15 and are told as names. */
const isInside = (ip: string): boolean => /^(127\.|198\.1[89]\.|0\.0\.0\.0$|::1$|::$|::ffff:(127|198\.1[89])\.)/i.test(ip) || !/^[0-9a-f.:]+$/i.test(ip);
