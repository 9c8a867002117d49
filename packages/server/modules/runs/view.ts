import {
  artifactOutSchema,
  brokenBySchema,
  limitNameSchema,
  type Problem,
  type RunResult,
  runResultSchema,
  runStatusSchema,
  telemetrySchema,
  usageSchema,
  violationSchema,
} from "@plastron/contracts";
import { z } from "zod";
import { problemSchema } from "../../http/problem.ts";
import { networkViewSchema } from "./network.ts";

/** A run without what may be large: what lists show. Fields that only the end brings are null before it. */
export const runSummarySchema = z.object({
  id: z.string(),
  status: runStatusSchema,
  language: z.enum(["python3", "nodejs", "bash"]),
  project: z.string().nullable().describe("whom it ran for"),
  artifact: z.string().nullable().describe("digest of the artifact that its program came from"),
  runtime: z.string().nullable().describe("NAME@VERSION of the packages that it had; null: the interpreter's own"),
  session_id: z.string().nullable(),
  network: networkViewSchema,
  policy: z.object({
    name: z.string(),
    version: z.number().int().nullable().describe("null for the built-in default, and for a policy that came with the run"),
    sha256: z.string().optional().describe("of the text of a policy that came with the run"),
  }),
  code_sha256: z.string(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  reason: z.string().nullable(),
  stdout_truncated: z.boolean(),
  stderr_truncated: z.boolean(),
  limits_hit: z.array(limitNameSchema),
  violations_total: z.number().int().describe("how often a rule of the policy was hit"),
  usage: usageSchema.nullable(),
  sandbox: runResultSchema.shape.sandbox.nullable(),
  phases_us: z
    .record(z.string(), z.number())
    .describe("where the time went, in microseconds: the server's auth, admit, agent_connect, agent, commit, total, and the agent's own"),
  problem: problemSchema.nullable().describe("why there is no result, where the platform failed"),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

export const runSchema = runSummarySchema
  .extend({
    ...{ stdout: z.string(), stderr: z.string(), artifacts: z.array(artifactOutSchema) },
    violations: z.array(violationSchema).describe("the first that were hit, in order"),
    violations_dropped: z.number().int().describe("those beyond what one run may record"),
    telemetry: telemetrySchema
      .nullable()
      .describe("what the sensor saw: see docs/reference/telemetry.md; null before the end, and of runs of an older version"),
    broken_by: brokenBySchema.nullable().describe("the rate rule that ended it"),
  })
  .meta({ id: "Run", description: "One program that was run once. `status` says how it ended." });
export type RunView = z.infer<typeof runSchema>;

/** What is known of a run before its end. */
export type RunHead = Pick<
  RunSummary,
  "id" | "language" | "runtime" | "project" | "artifact" | "network" | "session_id" | "policy" | "code_sha256" | "created_at"
>;
/** What its end adds, as it is stored in one column. */
export type StoredResult = Omit<RunResult, "status" | "stdout" | "stderr" | "artifacts">;

/** What of a stored result only the whole run shows. */
export function accountOf(result: StoredResult | null): Pick<RunView, "violations" | "violations_dropped" | "telemetry" | "broken_by"> {
  const { violations = [], violations_dropped = 0, telemetry = null, broken_by = null } = result ?? {};
  return { violations, violations_dropped, telemetry, broken_by };
}

const NO_RESULT = {
  ...{ exit_code: null, signal: null, reason: null, stdout_truncated: false, stderr_truncated: false },
  ...{ limits_hit: [], usage: null, sandbox: null, phases_us: {} },
} satisfies Partial<RunSummary>;

export function summaryOf(
  head: RunHead,
  status: RunSummary["status"],
  finishedAt: string | null,
  result: StoredResult | null,
  problem: Problem | null,
): RunSummary {
  const { violations, violations_dropped, telemetry: _telemetry, broken_by: _broken, ...rest } = { ...(result ?? NO_RESULT), ...accountOf(result) };
  return { ...head, status, finished_at: finishedAt, ...rest, violations_total: violations.length + violations_dropped, problem };
}
