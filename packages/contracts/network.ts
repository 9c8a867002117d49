import { z } from "zod";

const port = z.int().min(1).max(65535);
const portRange = z.tuple([port, port]).describe("first and last");

/** Empty lists match everything. */
export const proxyMatchSchema = z.object({
  hosts: z.array(z.string()).describe("names in lower case; `*.example.com` stands for every name below it"),
  ports: z.array(portRange),
  paths: z.array(z.object({ kind: z.enum(["exact", "prefix"]), path: z.string() })),
  methods: z.array(z.string()).describe("upper case"),
  streams: z.boolean().optional().describe("an allowing rule on hosts and ports holds for what is neither TLS nor HTTP, too"),
});

const verdict = z.enum(["allow", "deny", "none"]);
/**
 * `literal`: only for addresses that the program dials itself, so that a name is not looked up outside just because it could lead
 * there: questions for names carry data.
 */
const addressRule = z.object({
  rule: z.int(),
  verdict,
  audit: z.boolean(),
  cidr: z.string().nullable(),
  ports: z.array(portRange),
  literal: z.boolean().optional(),
});
const httpRule = z.object({ rule: z.int(), verdict, audit: z.boolean(), match: proxyMatchSchema });

/** What decides about one connection or request. */
const ruleSetSchema = z.object({
  default_action: z.enum(["allow", "deny"]),
  default_rule: z.int().nullable().describe("recorded whenever the default denies; null: silently"),
  addresses: z.array(addressRule),
  http: z.array(httpRule),
});
export type NetworkRuleSet = z.infer<typeof ruleSetSchema>;

/**
 * vArmor's order: deny rules, then allow rules, then `default_action`. A rule that only audits follows the default and records.
 * `rule` is the index in the confinement's `rules`. `default_rule` names the default where it denies with a record.
 */
export const networkSchema = ruleSetSchema.extend({
  /** A second set that must allow as well: what a policy gives, where a run has asked for a part of it. */
  within: ruleSetSchema.optional(),
  /** Names whose TLS is ended by the proxy, with a certificate of its own that the sandbox trusts. */
  mitm: z.object({
    domains: z.array(z.string()),
    mutations: z.array(
      z.object({
        domain: z.string(),
        headers: z.array(z.object({ name: z.string(), value: z.string().nullable(), secret: z.object({ name: z.string(), key: z.string() }).nullable() })),
      }),
    ),
  }),
  /** Denied addresses of the policy's bpfRawRules and built-in rules: what a name resolves to is held against them too. */
  denied: z.array(z.object({ rule: z.int(), audit: z.boolean(), cidr: z.string().nullable(), ports: z.array(portRange) })),
});
export type NetworkRules = z.infer<typeof networkSchema>;

/**
 * Addresses that are nobody's on the internet (IANA's special-purpose registries), and with them every metadata service:
 * 169.254.169.254, 100.100.100.200 and 100.96.0.96 (100.64/10), 192.0.0.192, fd00:ec2::254 (fc00::/7). Those that carry an IPv4
 * address inside (NAT64, 6to4, Teredo, IPv4-compatible) are here because a gateway would take them out again.
 */
export const SPECIAL_ADDRESSES = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
] as const;

/** Names stand in a sandbox for addresses of these, which lead nowhere else; the first of IPv4 is the nameserver's. */
export const STAND_INS = { v4: "198.18.0.0/15", v6: "fd70:6c61:7374:726f::/64" } as const;
