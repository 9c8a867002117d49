import { networkRequestSchema, type SecretGrant, secretGrantSchema } from "@plastron/contracts";
import { z } from "zod";
import type { RunPolicy } from "../policies/compiled.ts";
import type { AskedNetwork } from "../policies/networks.ts";

const variables = (secrets: readonly SecretGrant[]) => secrets.map(({ env }) => env);

/** Of a run and of a session. Attacker-controlled. */
export const networkFields = {
  network: networkRequestSchema
    .optional()
    .describe("what it may reach: `none`, or a list of which anything may match. Absent: what the policy gives. A policy with network rules must allow it too"),
  secrets: z
    .array(secretGrantSchema)
    .max(32)
    .default([])
    .describe("credentials that are put into its requests outside of the sandbox, which has placeholders in its environment; needs the scope admin"),
};

/** A variable cannot hold both a value and a placeholder. */
export const ONE_VALUE: [
  check: (given: { env?: Record<string, string>; secrets: readonly SecretGrant[] }) => boolean,
  more: { path: string[]; error: string },
] = [
  ({ env = {}, secrets }) => variables(secrets).every((name) => !Object.hasOwn(env, name)),
  { path: ["secrets"], error: "a secret's variable is also in env: it can have one value" },
];

/** What a run or a session could reach, as its record tells it. */
export const networkViewSchema = z
  .object({
    given_by: z.enum(["policy", "request"]).describe("request: what was asked for, of which a policy with network rules may allow less"),
    allow: z
      .array(
        z.object({
          ...{ domains: z.array(z.string()), cidrs: z.array(z.string()), ports: z.array(z.int()) },
          ...{ methods: z.array(z.string()), paths: z.array(z.string()), inspect: z.boolean() },
        }),
      )
      .nullable()
      .describe("of a request"),
    secrets: z
      .array(z.object({ env: z.string(), name: z.string(), key: z.string(), hosts: z.array(z.string()) }))
      .describe("which were granted, never what they are"),
  })
  .nullable()
  .describe("what it could reach outside of its sandbox; null: nothing, or a record of an older version");
export type NetworkView = z.infer<typeof networkViewSchema>;

export function networkView({ confinement }: RunPolicy, { network, secrets }: AskedNetwork): NetworkView {
  if (confinement.value.network === null) return null;
  const allow = typeof network === "object" ? network.allow : null;
  return { given_by: allow ? "request" : "policy", allow, secrets: [...secrets] };
}
