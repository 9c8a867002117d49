import { z } from "zod";

const port = z.int().min(1).max(65535);
const portRange = z.tuple([port, port]).describe("first and last");

/** Empty lists match everything. */
export const proxyMatchSchema = z.object({
  hosts: z.array(z.string()).describe("names in lower case; `*.example.com` stands for every name below it"),
  ports: z.array(portRange),
  paths: z.array(z.object({ kind: z.enum(["exact", "prefix"]), path: z.string() })),
  methods: z.array(z.string()).describe("upper case"),
});

/**
 * vArmor's order: deny rules, then allow rules, then `default_action`. A rule that only audits follows the default and records.
 * `rule` is the index in the confinement's `rules`. `default_rule` names the default where it denies with a record.
 */
export const networkSchema = z.object({
  default_action: z.enum(["allow", "deny"]),
  default_rule: z.int().nullable().describe("recorded whenever the default denies; null: silently"),
  addresses: z.array(
    z.object({ rule: z.int(), verdict: z.enum(["allow", "deny", "none"]), audit: z.boolean(), cidr: z.string().nullable(), ports: z.array(portRange) }),
  ),
  http: z.array(z.object({ rule: z.int(), verdict: z.enum(["allow", "deny", "none"]), audit: z.boolean(), match: proxyMatchSchema })),
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
