import { artifactOutSchema, limitNameSchema, type Problem, type RunResult, runResultSchema, runStatusSchema, usageSchema } from "@plastron/contracts";
import { z } from "zod";
import { problemSchema } from "../../http/problem.ts";

/** A run without what may be large: what lists show. Fields that only the end brings are null before it. */
export const runSummarySchema = z.object({
  id: z.string(),
  status: runStatusSchema,
  language: z.enum(["python3", "nodejs", "bash"]),
  session_id: z.string().nullable(),
  policy: z.object({ name: z.string(), version: z.number().int().nullable().describe("null for the built-in default") }),
  code_sha256: z.string(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  exit_code: z.number().int().nullable(),
  signal: z.string().nullable(),
  reason: z.string().nullable(),
  stdout_truncated: z.boolean(),
  stderr_truncated: z.boolean(),
  limits_hit: z.array(limitNameSchema),
  usage: usageSchema.nullable(),
  sandbox: runResultSchema.shape.sandbox.nullable(),
  phases_us: z
    .record(z.string(), z.number())
    .describe("where the time went, in microseconds: the server's auth, admit, agent_connect, agent, commit, total, and the agent's own"),
  problem: problemSchema.nullable().describe("why there is no result, where the platform failed"),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

export const runSchema = runSummarySchema
  .extend({ stdout: z.string(), stderr: z.string(), artifacts: z.array(artifactOutSchema) })
  .meta({ id: "Run", description: "One program that was run once. `status` says how it ended." });
export type RunView = z.infer<typeof runSchema>;

/** What is known of a run before its end. */
export type RunHead = Pick<RunSummary, "id" | "language" | "session_id" | "policy" | "code_sha256" | "created_at">;
/** What its end adds, as it is stored in one column. */
export type StoredResult = Omit<RunResult, "status" | "stdout" | "stderr" | "artifacts">;

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
  return { ...head, status, finished_at: finishedAt, ...(result ?? NO_RESULT), problem };
}
