import { z } from "zod";
import { confinementSchema } from "./confinement.ts";
import { envNameSchema } from "./env-name.ts";
import { tierSchema } from "./host.ts";
import { imageIdSchema } from "./images.ts";
import { limitsSchema } from "./limits.ts";
import { type SecretGrant, secretGrantSchema } from "./network-request.ts";
import { brokenBySchema, noTelemetry, sensingSchema, telemetrySchema } from "./telemetry.ts";
import { violationSchema } from "./violation.ts";

export const runtimeSchema = z.enum(["python3", "nodejs", "bash"]);
export type Runtime = z.infer<typeof runtimeSchema>;

/** A path inside the workspace: relative, forward slashes, no `..`, no NUL, no empty part. Attacker-controlled. */
export const workspacePathSchema = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (path) => !path.includes("\0") && !path.startsWith("/") && path.split("/").every((part) => part !== "" && part !== "." && part !== ".."),
    "a path must be relative and stay inside the workspace",
  );

export const fileInSchema = z
  .object({
    path: workspacePathSchema,
    content: z.string().describe("the bytes, in `encoding`"),
    encoding: z.enum(["utf8", "base64"]).default("utf8"),
    executable: z.boolean().default(false),
  })
  .strict();

type FileIn = z.infer<typeof fileInSchema>;

/** The first path that is another file's path or lies under one: such files cannot all be there. */
function collision(files: FileIn[]): string | undefined {
  const seen = new Set(files.map(({ path }) => path));
  if (seen.size < files.length) return files.find(({ path }, index) => files.findIndex((other) => other.path === path) < index)?.path;
  const isUnderFile = (path: string) => [...path.matchAll(/\//g)].some(({ index }) => seen.has(path.slice(0, index)));
  return files.find(({ path }) => isUnderFile(path))?.path;
}

const envValueSchema = z
  .string()
  .max(32_768)
  .refine((value) => !value.includes("\0"), "NUL is not allowed");
const argSchema = z
  .string()
  .max(32_768)
  .refine((value) => !value.includes("\0"), "NUL is not allowed");

/** What to bring back. It could match nothing outside of the workspace anyway; refusing says so where an empty answer would not. */
const collectGlobSchema = z
  .string()
  .min(1)
  .max(256)
  .refine(
    (glob) => !glob.includes("\0") && !glob.startsWith("/") && !glob.split("/").includes(".."),
    "a glob must be relative to the workspace and stay inside it",
  );

/** What the caller says about one program. Shared by the HTTP API, the CLI and the drivers. */
export const programSchema = z
  .object({
    runtime: runtimeSchema,
    code: z.string().max(4 * 1024 * 1024),
    args: z.array(argSchema).max(256).default([]),
    env: z.record(envNameSchema, envValueSchema).default({}),
    stdin: z
      .string()
      .max(16 * 1024 * 1024)
      .default("")
      .describe("UTF-8 text given on standard input"),
    files: z
      .array(fileInSchema)
      .max(256)
      .refine((files) => collision(files) === undefined, {
        error: ({ input }) => `${collision(input as FileIn[])} is given twice, or is a file and a directory`,
      })
      .default([]),
    collect: z.array(collectGlobSchema).max(32).default([]).describe("globs of workspace files to return"),
    imports: z
      .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_.]{0,63}$/))
      .max(16)
      .default([])
      .describe("Python modules to import in the warm sandbox before the program arrives"),
    limits: limitsSchema.default(limitsSchema.parse({})),
  })
  .strict();
export type Program = z.infer<typeof programSchema>;

/** Everything a driver needs for one run. Written by the server (or the CLI), read by the sandbox package. */
export const runSpecSchema = programSchema.extend({
  run_id: z.string().max(64),
  tenant: z.string().max(64),
  confinement: confinementSchema,
  min_tier: tierSchema.default(1),
  sensing: sensingSchema.default("account"),
  /** Packages that the runtime has besides its own: an image by its digest (images.ts). */
  image: imageIdSchema.nullable().default(null),
  /** Placeholders of its environment, and what the egress process puts in their place. Never a secret itself. */
  secrets: z.array(secretGrantSchema).max(32).default([]),
});
export type RunSpec = z.infer<typeof runSpecSchema>;

/** A run that is looked at as every run is, with nothing but its runtime. */
export const PLAIN = { sensing: "account", image: null, secrets: [] as SecretGrant[] } as const satisfies Partial<RunSpec>;

export const runStatusSchema = z.enum([
  "queued",
  "running",
  "completed", // exit code 0 and no limit hit
  "failed", // the program ended with another exit code or by its own signal
  "timed_out",
  "memory_exceeded",
  "pids_exceeded",
  "workspace_exceeded",
  "output_truncated",
  "broken_by_rule", // it exceeded a rate rule (limits.rates) and was frozen, looked at and killed
  "killed", // cancelled, client gone, session closed, shutdown
  "refused", // nothing ran: turned away after it was on record (no such tier, session busy or gone, queue full)
  "lost", // the platform died under it
]);
export type RunStatus = z.infer<typeof runStatusSchema>;

/** What went through a sandbox's way out, as the program sent and got it: with its TLS, without headers that were put in outside. */
export const trafficSchema = z.object({
  bytes_in: z.number().nonnegative(),
  bytes_out: z.number().nonnegative(),
  connections: z.number().nonnegative().describe("TCP connections, also those that were refused; questions for names are not counted"),
});
export type Traffic = z.infer<typeof trafficSchema>;

export const usageSchema = z.object({
  wall_ms: z.number(),
  cpu_ms: z.number().nullable(),
  memory_peak_bytes: z.number().nullable(),
  context_switches: z.object({ voluntary: z.number(), involuntary: z.number() }).nullable(),
  network: trafficSchema.nullable().optional().describe("null: there was no way out, or what went through it is not known"),
});
export type Usage = z.infer<typeof usageSchema>;

export const artifactOutSchema = z.object({
  path: z.string(),
  size: z.number(),
  content: z.string().describe("base64"),
  truncated: z.boolean(),
});

export const limitNameSchema = z.enum(["memory", "pids", "cpu", "wall", "stdout", "stderr", "workspace", "artifacts"]);
export type LimitName = z.infer<typeof limitNameSchema>;

/** What happened. `stdout`/`stderr` are decoded as UTF-8 with U+FFFD for what is not. */
export const runResultSchema = z.object({
  status: runStatusSchema,
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  reason: z.string().nullable().describe("why it was ended, in words, where the program did not end by itself"),
  stdout: z.string(),
  stderr: z.string(),
  stdout_truncated: z.boolean(),
  stderr_truncated: z.boolean(),
  limits_hit: z.array(limitNameSchema),
  usage: usageSchema,
  artifacts: z.array(artifactOutSchema),
  violations: z.array(violationSchema).default([]).describe("the first of them, in order; `violations_dropped` counts those beyond what one run may record"),
  violations_dropped: z.int().default(0),
  telemetry: telemetrySchema.default(noTelemetry("the driver tells none")),
  broken_by: brokenBySchema.nullable().default(null),
  sandbox: z.object({
    driver: z.string(),
    tier: tierSchema,
    start: z.enum(["warm", "cold", "session"]),
    source: z.enum(["process", "zygote"]),
    confinement: z.string(),
  }),
  phases_us: z.record(z.string(), z.number()).describe("where the time went, in microseconds"),
});
export type RunResult = z.infer<typeof runResultSchema>;
