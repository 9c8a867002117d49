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
/**
 * Where names of a cluster lead, from the operator's file (`plastron up --cluster-addresses FILE`): what makes toServices, toPods
 * and the two cluster-address rules enforceable outside of Kubernetes.
 */
export const clusterSchema = z
  .object({
    services: z
      .array(
        z
          .object({
            namespace: z.string(),
            name: z.string(),
            labels: z.record(z.string(), z.string()).default({}),
            addresses: z.array(z.string()).describe("cluster and endpoint addresses, IPv4 or IPv6"),
            ports: z.array(z.int().min(1).max(65535)).default([]).describe("empty: every port"),
          })
          .strict(),
      )
      .default([]),
    pods: z
      .array(z.object({ namespace: z.string(), labels: z.record(z.string(), z.string()).default({}), addresses: z.array(z.string()) }).strict())
      .default([]),
    /** What `pod-self` means beside loopback. */
    self: z.array(z.string()).default([]),
  })
  .strict();
export type Cluster = z.infer<typeof clusterSchema>;

/** Facts are of one driver on one host: gVisor honours other mechanisms than the kernel below it. */
export const hostFactsSchema = z.object({
  driver: z.enum(["local", "bubblewrap", "gvisor"]),
  arch: z.enum(["x86_64", "aarch64"]),
  tier: tierSchema,
  landlock_abi: z.number().int(),
  user_namespaces: z.boolean(),
  root_on_overlay: z.boolean().describe("the runtime root's files come from an overlay file system"),
  cgroup: z.boolean(),
  notify: z.boolean().describe("seccomp user notification with descriptors put into the program (Linux 5.9)"),
  hooks: z.boolean().describe("BPF programs can be attached to a cgroup"),
  sensor: z.boolean().describe("what sandboxes do is seen at the kernel (packages/sensor)"),
  egress: z.boolean().describe("sandboxes can be given a way out through the egress proxy"),
  lsm: z.array(z.enum(["apparmor", "bpf"])).describe("security modules that are loaded and that we can use"),
  permissive: z
    .boolean()
    .describe(
      "the operator lets policies (AlwaysAllow, allowViolations, privileged) lift what the platform denies by itself: user namespaces, mounts, tracing, BPF",
    ),
  cluster: clusterSchema.nullable(),
});
export type HostFacts = z.infer<typeof hostFactsSchema>;

/** A Linux host as most are: what is compiled for where none was probed, and by tests. */
export const TYPICAL_HOST: HostFacts = {
  driver: "local",
  arch: "x86_64",
  tier: 2,
  landlock_abi: 7,
  user_namespaces: true,
  root_on_overlay: false,
  cgroup: true,
  notify: true,
  hooks: true,
  egress: true,
  sensor: true,
  lsm: [],
  permissive: false,
  cluster: null,
};
