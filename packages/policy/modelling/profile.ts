import { PlastronError } from "@plastron/contracts";
import { z } from "zod";

/** As many different patterns as one profile takes in: a workload that makes names without end is not learnt but refused. */
export const MAX_OBSERVED = 5_000;
/** Of argument values of one call; beyond, the argument is not looked at. */
export const MAX_VALUES = 16;
export const PROFILE_FORMAT = "plastron.behavior/v1";

const runs = z.int().min(0).describe("runs in which it was seen");
const permissions = z.array(z.enum(["read", "write", "append", "exec"]));
const text = z.string().max(8_192);

/**
 * What a workload was seen to do over several runs. The first seven fields are those of an advisor's `Behavior`, so that
 * `plastron policy advise --profile` takes it as it is.
 */
export const behaviorProfileSchema = z
  .object({
    format: z.literal(PROFILE_FORMAT),
    capabilities: z.array(text).describe("net_raw"),
    syscalls: z.array(text),
    executions: z.array(text),
    files: z.array(z.object({ path: text, permissions })).describe("patterns, as a policy made of it allows them"),
    sockets: z.array(z.object({ family: text, type: text, protocol: text })),
    connections: z.array(z.object({ ip: text, port: z.int().min(0).max(65535) })),
    names: z.array(text).describe("hosts reached through the way out, as name:port"),
    arguments: z
      .array(z.object({ call: text, index: z.int().min(0).max(5), values: z.array(z.string().regex(/^0x[0-9a-f]{1,16}$/)).nullable() }))
      .describe("values of arguments that decide what a call does, hexadecimal; null: too many to list"),
    observed: z
      .array(z.object({ path: text, permissions, why: text, examples: z.array(text).max(3), runs }))
      .max(MAX_OBSERVED)
      .describe("each path without what differs between runs, before many of them became one pattern"),
    generalisations: z.array(z.object({ pattern: text, permissions, why: text, examples: z.array(text), count: z.int() })),
    dangerous: z.array(z.object({ what: text, why: text })).describe("was seen, and is left out of a policy unless somebody asks for it"),
    refused: z.array(z.object({ path: text, permissions })).describe("was asked for and denied while it was learnt"),
    refused_sockets: z.array(text).describe("families of sockets of which the same is true"),
    runtimes: z.array(text),
    runs: z.int().min(0),
    incomplete_runs: z.int().min(0).describe("runs of which the sensor lost something, taken in all the same"),
  })
  .strict();
export type BehaviorProfile = z.infer<typeof behaviorProfileSchema>;
export type ObservedFile = BehaviorProfile["observed"][number];
export type ProfiledFile = BehaviorProfile["files"][number];

export const EMPTY_PROFILE: BehaviorProfile = {
  format: PROFILE_FORMAT,
  capabilities: [],
  syscalls: [],
  executions: [],
  files: [],
  sockets: [],
  connections: [],
  names: [],
  arguments: [],
  observed: [],
  generalisations: [],
  dangerous: [],
  refused: [],
  refused_sockets: [],
  runtimes: [],
  runs: 0,
  incomplete_runs: 0,
};

export const isBehaviorProfile = (json: unknown): boolean => typeof json === "object" && json !== null && "format" in json && json.format === PROFILE_FORMAT;

/** A stored profile. Throws PlastronError invalid_request with the path of each fault. */
export function readProfile(json: unknown): BehaviorProfile {
  const result = behaviorProfileSchema.safeParse(json);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join("."), message }));
  throw new PlastronError("invalid_request", `behaviour profile: ${errors[0]?.path}: ${errors[0]?.message}`, {
    hint: "Give a profile that `plastron learn` or GET /v1/policies/NAME/behavior wrote.",
    errors,
  });
}
