import { z } from "zod";
import { confinementSchema } from "./confinement.ts";
import { tierSchema } from "./host.ts";
import { imageIdSchema, packageRequestSchema } from "./images.ts";
import { programSchema, runSpecSchema } from "./run.ts";

/**
 * What the server says to the agent on a fresh connection: one request frame `Q` (JSON), then frames by its kind.
 *
 * | request        | then, server → agent        | agent → server                                                   |
 * |----------------|-----------------------------|------------------------------------------------------------------|
 * | run            | `I` stdin bytes*, `Z` stdin end*, `K` kill (payload: reason) | `S` started, `O`/`E` output bytes, `V` a Violation and `D` a Denial (JSON) as it happens, `X` RunResult (JSON; stdout/stderr empty: they were streamed) or `P` problem |
 * | session.open   |                             | `X` {session_id} or `P`                                          |
 * | session.run    | as run                      | as run                                                           |
 * | session.close  |                             | `X` {}                                                           |
 * | run.freeze, run.thaw |                       | `X` {} when the run is held still, or goes on; its wall clock goes on meanwhile |
 * | retire         |                             | `X` {}: warm sandboxes of that confinement are given up; what runs goes on |
 * | image.build    | `K`                         | `O` what the installer prints, `X` Image (JSON) or `P`            |
 * | image.list, image.remove |                   | `X` {images: Image[]}, `X` {}                                    |
 * | doctor, status, host |                       | `X` DoctorReport, AgentStatus, HostFacts (JSON) of the driver that would run `min_tier` |
 *
 * A problem frame is a Problem (errors.ts) with `retry_after_s` where the caller should wait that long and try again.
 * Closing the connection before `X` kills the run. `*` only when the request has `live_stdin`.
 */
export const agentRequestSchema = z.discriminatedUnion("op", [
  z.object({ op: z.literal("run"), spec: runSpecSchema, live_stdin: z.boolean().default(false) }),
  z.object({
    op: z.literal("session.open"),
    session_id: z.string(),
    tenant: z.string(),
    runtime: programSchema.shape.runtime,
    limits: programSchema.shape.limits,
    imports: programSchema.shape.imports,
    confinement: confinementSchema,
    min_tier: runSpecSchema.shape.min_tier,
    image: runSpecSchema.shape.image,
    secrets: runSpecSchema.shape.secrets,
    ttl_ms: z.number().int().min(1000).max(3_600_000),
  }),
  z.object({ op: z.literal("session.run"), session_id: z.string(), tenant: z.string(), spec: runSpecSchema }),
  z.object({ op: z.literal("session.close"), session_id: z.string(), tenant: z.string() }),
  z.object({ op: z.enum(["run.freeze", "run.thaw"]), run_id: z.string(), tenant: z.string() }),
  z.object({ op: z.literal("retire"), confinement: confinementSchema.shape.id.describe("of a policy that was replaced") }),
  z.object({
    op: z.literal("image.build"),
    packages: packageRequestSchema,
    tenant: z.string(),
    wall_ms: z.number().int().min(1000).max(3_600_000).default(600_000),
  }),
  z.object({ op: z.literal("image.list") }),
  z.object({ op: z.literal("image.remove"), image: imageIdSchema }),
  z.object({ op: z.literal("doctor") }),
  z.object({ op: z.literal("status") }),
  z.object({ op: z.literal("host"), min_tier: tierSchema.default(1) }),
]);
export type AgentRequest = z.infer<typeof agentRequestSchema>;

export const agentStatusSchema = z.object({
  pid: z.number(),
  driver: z.string(),
  tier: z.number(),
  running: z.number(),
  queued: z.number(),
  sessions: z.number(),
  pools: z.array(
    z.object({
      key: z.string(),
      runtime: z.string(),
      source: z.enum(["process", "zygote"]),
      tenant: z.string().nullable(),
      ready: z.number(),
      starting: z.number(),
      target: z.number(),
      hits: z.number(),
      misses: z.number(),
      rate_per_s: z.number(),
    }),
  ),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;

/** Letters of the frames above. */
export const WIRE = {
  request: "Q",
  stdin: "I",
  stdinEnd: "Z",
  kill: "K",
  started: "S",
  stdout: "O",
  stderr: "E",
  result: "X",
  problem: "P",
  violation: "V",
  denial: "D",
} as const;
