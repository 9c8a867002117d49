import { type Limits, type Program, programSchema, type Runtime, type Sensing, type Tier, tierSchema, workspacePathSchema } from "@plastron/contracts";
import { z } from "zod";
import type { AskedNetwork } from "../policies/networks.ts";
import { runtimeReferenceSchema } from "../runtimes/name.ts";
import { networkFields, ONE_VALUE } from "./network.ts";

const LANGUAGES = { python3: "python3", python: "python3", nodejs: "nodejs", javascript: "nodejs", bash: "bash" } as const satisfies Record<string, Runtime>;

/** The names that clients use for a runtime. */
export const languageSchema = z.enum(Object.keys(LANGUAGES) as [keyof typeof LANGUAGES, ...(keyof typeof LANGUAGES)[]]);

export function runtimeOf(language: z.infer<typeof languageSchema>): Runtime {
  return LANGUAGES[language];
}

/** Text that reaches an interpreter: a NUL or half a surrogate pair is not text in any of them, and would be cut or replaced on the way. */
const text = (message: string) => (value: string) => (value.includes("\0") || !value.isWellFormed() ? message : undefined);
const refuse = (schema: z.ZodType<string>, message: string) =>
  schema.superRefine((value, context) => {
    if (text(message)(value)) context.addIssue({ code: "custom", message });
  });

export const policyNameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, "lower case letters, digits, hyphens and dots, as a Kubernetes name");

/** What the parser reads at most is less; PostgreSQL's text holds no NUL, and no policy has one. */
export const policyTextSchema = z
  .string()
  .min(1)
  .max(1024 * 1024);

const { runtime: _runtime, code, ...rest } = programSchema.shape;
const projectNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/);

/** Of a run and of a session. */
export const ONE_INTERPRETER: [check: (given: { language?: unknown; runtime?: unknown }) => boolean, message: string] = [
  ({ language, runtime }) => (language === undefined) !== (runtime === undefined),
  "give either language or runtime",
];

/** A program, and under what it runs. */
const runFields = z
  .object({
    language: languageSchema.optional().describe("of the program; or name a `runtime`"),
    runtime: runtimeReferenceSchema.optional().describe("NAME or NAME@VERSION of a runtime with packages, which has a language"),
    code: refuse(code, "contains a NUL character or half a surrogate pair").optional().describe("the program; or name an `artifact` and its `entry`"),
    project: projectNameSchema.optional().describe("whom it runs for: one that demands it runs only artifacts that passed its gate"),
    artifact: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe("digest of an artifact: its files are the workspace"),
    entry: workspacePathSchema.optional().describe("the artifact's file that is the program"),
    ...rest,
    timeout_ms: z.number().int().min(50).max(600_000).optional().describe("short for limits.wall_ms"),
    policy: policyNameSchema.optional().describe("name of a stored policy; the built-in default where absent"),
    policy_yaml: refuse(policyTextSchema, "contains a NUL character or half a surrogate pair")
      .optional()
      .describe("a policy that holds for this run alone, instead of a stored one; needs the scope admin"),
    upstream_compat: z.boolean().optional().describe("of policy_yaml: unknown rules have no effect, as upstream treats them"),
    ...networkFields,
    min_tier: tierSchema.optional().describe("refuse to run below this isolation tier"),
    trace: z.boolean().default(false).describe("keep the order of what the program did at the kernel, in `telemetry.timeline`"),
    stream: z.boolean().default(false).describe("answer with server-sent events: started, stdout, stderr, violation, result"),
  })
  .strict();

/** The body of `POST /v1/runs`. Attacker-controlled, every field. */
export const runRequestSchema = runFields
  .refine((run) => run.policy === undefined || run.policy_yaml === undefined, "policy and policy_yaml cannot both be given")
  .refine(({ code, artifact, entry }) => (code === undefined) === (artifact !== undefined && entry !== undefined), "give either code, or artifact and entry")
  .refine(({ code, artifact, entry }) => code === undefined || (artifact === undefined && entry === undefined), "give either code, or artifact and entry")
  .refine(({ artifact, files }) => artifact === undefined || files.length === 0, "an artifact runs with its own files and no others")
  .refine(...ONE_INTERPRETER)
  .refine(...ONE_VALUE);
export type RunRequest = z.infer<typeof runRequestSchema>;

/** The body of `POST /v1/sessions/{id}/runs`: the session has the language, the policy, the network, the limits but wall time and the imports. */
export const sessionRunRequestSchema = runFields.required({ code: true }).omit({
  ...{ project: true, artifact: true, entry: true },
  ...{ language: true, runtime: true, policy: true, policy_yaml: true, upstream_compat: true },
  ...{ min_tier: true, imports: true, limits: true, network: true, secrets: true },
});
export type SessionRunRequest = z.infer<typeof sessionRunRequestSchema>;

/** What of a request goes to the agent, with the defaults filled in. */
export interface ParsedRun {
  program: Program;
  policy: string | undefined;
  /** Set instead of `policy`. */
  text: { yaml: string; upstreamCompat: boolean } | undefined;
  minTier: Tier | undefined;
  sensing: Sensing;
  packages: RunPackages | null;
  asked: AskedNetwork;
}

/** The packages of a run's runtime: the agent's image, and NAME@VERSION for the record. */
export interface RunPackages {
  image: string;
  reference: string;
}

/** How closely a run is looked at. */
export const sensingOf = ({ trace }: { trace: boolean }): Sensing => (trace ? "trace" : "account");

/** `resolved`: what the request's `runtime` is to its tenant. */
export function parseRun(request: RunRequest, resolved?: RunPackages & { language: Runtime }, loaded?: Pick<Program, "code" | "files"> | null): ParsedRun {
  const { language, runtime: _runtime, policy, policy_yaml: yaml, upstream_compat: upstreamCompat = false, min_tier, ...others } = request;
  const { project: _project, artifact: _artifact, entry: _entry, stream: _stream, trace, timeout_ms, network, secrets, ...asked } = others;
  const program = { ...asked, code: asked.code ?? "", ...loaded };
  const limits: Limits = timeout_ms === undefined ? program.limits : { ...program.limits, wall_ms: timeout_ms };
  return {
    program: { ...program, limits, runtime: resolved?.language ?? runtimeOf(language as z.infer<typeof languageSchema>) },
    packages: resolved ?? null,
    asked: { network, secrets },
    policy,
    text: yaml === undefined ? undefined : { yaml, upstreamCompat },
    minTier: min_tier,
    sensing: sensingOf({ trace }),
  };
}
