import { z } from "zod";

/** Isolation strength: 1 seccomp+Landlock only, 2 namespaces, 3 gVisor, 4 microVM (DESIGN §2). */
export const tierSchema = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);
export type Tier = z.infer<typeof tierSchema>;

/** One row of `plastron doctor`. `id` is stable; `required` rows missing make the host unusable. */
export const controlSchema = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(["working", "missing", "degraded"]),
  required: z.boolean(),
  detail: z.string().describe("what was tried and what came back"),
  remedy: z.string().nullable().describe("how to get it"),
  ms: z.number(),
});
export type Control = z.infer<typeof controlSchema>;

export const doctorReportSchema = z.object({
  tier: tierSchema,
  drivers: z.array(z.object({ name: z.string(), tier: tierSchema, usable: z.boolean(), why: z.string().nullable() })),
  host: z.object({ kernel: z.string(), arch: z.string(), root: z.boolean(), cgroup: z.enum(["v1", "v2", "hybrid", "none"]) }),
  controls: z.array(controlSchema),
});
export type DoctorReport = z.infer<typeof doctorReportSchema>;

/** What the policy compiler must know of the host in order to be honest about fidelity. Probed by the sandbox package. */
export const hostFactsSchema = z.object({
  arch: z.enum(["x86_64", "aarch64"]),
  tier: tierSchema,
  landlock_abi: z.number().int(),
  user_namespaces: z.boolean(),
  root_on_overlay: z.boolean().describe("the runtime root's files come from an overlay file system"),
  cgroup: z.boolean(),
});
export type HostFacts = z.infer<typeof hostFactsSchema>;
