import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import { type BehaviorProfile, isBehaviorProfile, readProfile } from "../modelling/profile.ts";

/**
 * What a workload was seen to do: what a behaviour model records, or what was read from violations of a run that only observed.
 * An absent list was not recorded and says nothing; an empty one says that it was looked for and did not happen.
 */
const ownSchema = z
  .object({
    capabilities: z.array(z.string()).optional().describe("net_raw, or CAP_NET_RAW"),
    syscalls: z.array(z.string()).optional(),
    executions: z.array(z.string()).optional().describe("paths of programs that were started"),
    files: z.array(z.object({ path: z.string(), permissions: z.array(z.enum(["read", "write", "append", "exec"])) })).optional(),
    sockets: z.array(z.object({ family: z.string(), type: z.string().optional(), protocol: z.string().optional() })).optional(),
    connections: z.array(z.object({ ip: z.string(), port: z.int().min(0).max(65535) })).optional(),
    rules: z
      .array(z.object({ rule: z.string(), what: z.string() }))
      .optional()
      .describe("rules that were hit while they only observed"),
  })
  .strict();
export type Behavior = z.infer<typeof ownSchema>;

/** vArmor's ArmorProfileModel, as its behaviour modelling writes it; permissions in AppArmor's letters. */
const upstreamSchema = z.looseObject({
  dynamicResult: z.looseObject({
    apparmor: z
      .looseObject({
        executions: z.array(z.string()).optional(),
        capabilities: z.array(z.string()).optional(),
        files: z.array(z.looseObject({ path: z.string(), permissions: z.array(z.string()) })).optional(),
        networks: z.array(z.looseObject({ family: z.string(), sockType: z.string().optional(), protocol: z.string().optional() })).optional(),
      })
      .optional(),
    seccomp: z.looseObject({ syscalls: z.array(z.string()).optional() }).optional(),
  }),
});

/**
 * A behaviour profile from JSON: ours, or upstream's ArmorProfileModel (whole object or its `spec`).
 * Throws PlastronError invalid_request with the path of each fault.
 */
export function readBehavior(json: unknown): Behavior {
  if (isBehaviorProfile(json)) return fromProfile(readProfile(json));
  const model = isRecord(json) && isRecord(json.spec) ? json.spec : json;
  if (isRecord(model) && "dynamicResult" in model) return fromUpstream(checked(upstreamSchema, model));
  return normalised(checked(ownSchema, json));
}

/** What several runs were seen to do. */
function fromProfile({ capabilities, syscalls, executions, files, sockets, connections }: BehaviorProfile): Behavior {
  return normalised({ capabilities, syscalls, executions, files, sockets, connections });
}

function fromUpstream({ dynamicResult: { apparmor, seccomp } }: z.infer<typeof upstreamSchema>): Behavior {
  return normalised({
    capabilities: apparmor?.capabilities,
    executions: apparmor?.executions,
    files: apparmor?.files?.map(({ path, permissions }) => ({ path, permissions: permissions.flatMap(letters) })),
    sockets: apparmor?.networks?.map(({ family, sockType, protocol }) => ({ family, type: sockType, protocol })),
    syscalls: seccomp?.syscalls,
  });
}

/** AppArmor's letters: k (lock) and m (map) change nothing; l (link) is a change. */
function letters(word: string): ("read" | "write" | "append" | "exec")[] {
  const meaning = { r: "read", w: "write", a: "append", l: "write", x: "exec" } as const;
  return [...word].flatMap((letter) => (letter in meaning ? [meaning[letter as keyof typeof meaning]] : []));
}

function normalised(behavior: Behavior): Behavior {
  if (!behavior.capabilities) return behavior;
  return { ...behavior, capabilities: behavior.capabilities.map(capabilityName) };
}

/** `CAP_NET_RAW`, `net-raw` → `net_raw`. */
export function capabilityName(name: string): string {
  return name.trim().toLowerCase().replaceAll("-", "_").replace(/^cap_/, "");
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, 20).map(({ path, message }) => ({ path: path.join("."), message }));
  throw new PlastronError("invalid_request", `behaviour profile: ${errors[0]?.path}: ${errors[0]?.message}`, {
    hint: "Give Plastron's behaviour profile or an ArmorProfileModel of vArmor, as JSON.",
    errors,
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
