import { z } from "zod";

export const MIB = 1024 * 1024;

const rate = z.number().int().min(1).max(1_000_000).nullable();

/**
 * How fast a run may do what a broken or hostile program does too fast. Null: no such rule. A run that exceeds one is frozen, its
 * stacks are taken, and it is killed: `broken_by_rule`. The sensor measures; where there is none these rules do not hold, and the
 * run's telemetry says so.
 */
export const rateRulesSchema = z
  .object({
    connections_per_s: rate.default(500).describe("connects to internet addresses, also those refused"),
    forks_per_s: rate.default(2_000).describe("processes, not threads"),
    denied_per_s: rate.default(20_000).describe("calls answered EPERM, EACCES or EROFS"),
    bytes_out: z.number().int().min(1).nullable().default(null).describe("sent to the network over the whole run"),
  })
  .strict();
export type RateRules = z.infer<typeof rateRulesSchema>;

/**
 * What one run may use. Every field is a hard limit that the sandbox enforces and reports by name when it is hit.
 * `cpus` is a rate (1 = one core's time per second of wall clock).
 */
export const limitsSchema = z
  .object({
    memory_bytes: z
      .number()
      .int()
      .min(16 * MIB)
      .max(64 * 1024 * MIB)
      .default(512 * MIB),
    pids: z.number().int().min(4).max(4096).default(100),
    cpus: z.number().min(0.05).max(64).default(1),
    wall_ms: z.number().int().min(50).max(600_000).default(5_000),
    output_bytes: z
      .number()
      .int()
      .min(0)
      .max(64 * MIB)
      .default(MIB)
      .describe("for each of stdout and stderr"),
    workspace_bytes: z
      .number()
      .int()
      .min(MIB)
      .max(4096 * MIB)
      .default(64 * MIB),
    open_files: z.number().int().min(16).max(65_536).default(1024),
    rates: rateRulesSchema.default(rateRulesSchema.parse({})),
  })
  .strict();
export type Limits = z.infer<typeof limitsSchema>;
export const DEFAULT_LIMITS: Limits = limitsSchema.parse({});
