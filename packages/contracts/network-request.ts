import { z } from "zod";
import { envNameSchema } from "./env-name.ts";

const domain = z
  .string()
  .max(253)
  .regex(/^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i, "a name, or `*.` and a name")
  .transform((name) => name.toLowerCase());

/**
 * One thing that a run may reach. All lists of one entry must match; what no entry allows is denied. Methods and paths are seen
 * inside of TLS only where it is ended by the proxy, so asking for them, or for `inspect`, does that for the entry's domains.
 */
export const networkAllowSchema = z
  .object({
    domains: z.array(domain).max(64).default([]).describe("`api.example.com`, or `*.example.com` for every name below it"),
    cidrs: z
      .array(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]))
      .max(64)
      .default([])
      .describe("addresses that are dialled as such"),
    ports: z.array(z.int().min(1).max(65535)).max(64).default([80, 443]),
    methods: z
      .array(z.string().regex(/^[A-Za-z]{1,16}$/))
      .max(16)
      .default([]),
    paths: z.array(z.string().max(1024).regex(/^\//, "a path begins with a slash")).max(64).default([]).describe("exact, or a prefix that ends in `*`"),
    inspect: z.boolean().default(false).describe("end TLS at the proxy, with a certificate that the sandbox trusts"),
  })
  .strict()
  .refine(({ domains, cidrs }) => domains.length + cidrs.length > 0, "name domains or cidrs")
  .refine(({ domains, methods, paths, inspect }) => domains.length > 0 || (methods.length === 0 && paths.length === 0 && !inspect), {
    error: "methods, paths and inspect need domains",
  });

/** What a run asks to reach. It can only narrow what its policy gives where that has network rules of its own (ADR 13). */
export const networkRequestSchema = z.union([z.literal("none"), z.object({ allow: z.array(networkAllowSchema).min(1).max(64) }).strict()]);
export type NetworkRequest = z.infer<typeof networkRequestSchema>;

/**
 * A credential that a program may use and never has: its environment holds a placeholder under `env`, and the egress process puts
 * the tenant's secret `name`/`key` in its place in requests to `hosts`, nowhere else.
 */
export const secretGrantSchema = z
  .object({
    env: envNameSchema,
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "not the name of a secret"),
    key: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, "not the key of a secret"),
    hosts: z.array(domain).min(1).max(32),
  })
  .strict();
export type SecretGrant = z.infer<typeof secretGrantSchema>;
