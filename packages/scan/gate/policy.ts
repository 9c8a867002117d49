import { analyserSchema, confidenceSchema, SEVERITIES, severitySchema } from "@plastron/contracts";
import { type DocumentKind, invalidBy, parseAs } from "@plastron/document";
import { z } from "zod";

const KIND: DocumentKind = { noun: "gate policy", code: "invalid_document" };

/** `**` any path, `*` anything but a slash. Matched as a whole; picomatch's braces and negations are refused, as they hide what is meant. */
const globSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\\!(){}[\]\0]+$/, "a pattern has letters, digits, `/`, `*` and `**`");

const thresholdSchema = z.enum([...SEVERITIES, "none"]).describe("this severity and graver ones count; none: none does");

const newSchema = z
  .object({ severity: thresholdSchema.default("high"), confidence: confidenceSchema.default("medium").describe("what is less sure does not count") })
  .strict();

/** What a rule of the list says of the new findings that it fits; the first that fits decides. */
const overrideSchema = z
  .object({
    rule: globSchema.default("**").describe("of the finding's rule: code/javascript/*, dependencies/**"),
    path: globSchema.default("**"),
    severity: thresholdSchema,
    reason: z.string().min(10).max(500).describe("why: it is shown with each decision that it changed"),
  })
  .strict();

const pentestSchema = z
  .object({
    max_age_days: z.int().min(1).max(1000),
    keys: z.record(z.string().regex(/^[\w.@-]{1,64}$/), z.base64()).describe("who may say that one was passed: name → Ed25519 public key (32 bytes, base64)"),
  })
  .strict();

const demandsSchema = z
  .object({
    required: z.array(analyserSchema).describe("analysers that must have seen all that matters"),
    new: newSchema,
    total: z.partialRecord(severitySchema, z.int().min(0)).describe("how many open findings there may be in all, known ones too"),
    advisories: z
      .object({
        max_age_days: z.int().min(1).max(1000).default(30),
        seed: z.enum(["accept", "hold"]).default("accept").describe("what to do where only the seed is there that comes with Plastron"),
      })
      .strict(),
    pentest: pentestSchema.nullable(),
  })
  .strict();

export const gatePolicySchema = z
  .object({
    version: z.literal(1),
    project: z.string().max(200).default("").describe("its name in statements about it: a pentest of another project counts for nothing here"),
    protected: z.array(globSchema).max(100).default(["main", "master", "release/**"]).describe("branches that nothing enters without passing"),
    direct_push: z
      .enum(["deny", "allow"])
      .default("deny")
      .describe("whether commits may enter a protected branch by themselves; allow: they need to pass like merges"),
    verify_secrets: z
      .boolean()
      .default(false)
      .describe(
        "ask providers whether secrets work, which sends each to its provider: followed where whoever runs the gate gives the policy (--policy), not in a repository's own",
      ),
    ...demandsSchema.shape,
    required: demandsSchema.shape.required.default(["secrets", "code", "dependencies", "agentware"]),
    new: newSchema.prefault({}),
    total: demandsSchema.shape.total.default({}),
    advisories: demandsSchema.shape.advisories.prefault({}),
    pentest: pentestSchema.nullable().default(null),
    overrides: z.array(overrideSchema).max(200).default([]),
    environments: z
      .record(z.string().regex(/^[a-z][a-z0-9-]{0,40}$/), demandsSchema.partial())
      .default({})
      .describe("what holds besides where the change is meant for one of these: production, staging"),
  })
  .strict();
export type GatePolicy = z.infer<typeof gatePolicySchema>;

/** What holds where nobody wrote a policy. */
export const DEFAULT_GATE: GatePolicy = gatePolicySchema.parse({ version: 1 });

/** YAML text → the policy. Throws PlastronError invalid_document with line and column of everything that is wrong. */
export function parseGatePolicy(text: string): GatePolicy {
  const { value, source } = parseAs(text, gatePolicySchema, KIND);
  const bare = Object.entries({ "": value, ...prefixed(value.environments) }).filter(([, { pentest }]) => pentest && Object.keys(pentest.keys).length === 0);
  const errors = bare.map(([at]) => ({
    path: `${at}pentest.keys`,
    message: "name at least one key: without one no pentest could count",
    ...source.positions.get(`${at}pentest.keys`),
  }));
  if (Object.values({ "": value, ...value.environments }).some(({ pentest }) => pentest) && value.project === "") {
    errors.push({
      path: "project",
      message: "a policy that asks for a pentest must name its project, or that of another would count",
      ...source.positions.get(""),
    });
  }
  if (errors.length > 0) throw invalidBy(KIND)(errors);
  return value;
}

/** The policy as it holds for this environment. An environment that the policy does not name is an error: a misspelt one must not pass. */
export function policyFor(policy: GatePolicy, environment: string | null): GatePolicy {
  if (environment === null) return policy;
  const more = Object.hasOwn(policy.environments, environment) ? policy.environments[environment] : undefined;
  if (!more) {
    const known = Object.keys(policy.environments).join(", ") || "none";
    throw invalidBy(KIND)([{ path: "environments", message: `the gate policy has no environment ${JSON.stringify(environment)} (it has: ${known})` }]);
  }
  return { ...policy, ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) };
}

const prefixed = (environments: GatePolicy["environments"]) =>
  Object.fromEntries(Object.entries(environments).map(([name, value]) => [`environments.${name}.`, value]));
