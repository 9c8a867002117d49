import { z } from "zod";
import { tierSchema } from "./host.ts";
import { networkSchema } from "./network.ts";
import { hooksSchema, watchedRuleSchema, watchSchema } from "./watch.ts";

/**
 * A compiled policy: what a driver must put in place before a program may be read. Pure data, canonical, and named by the
 * sha256 of its content (`id`), which is the key of warm pools: two tenants with the same rules share nothing but this.
 *
 * All namespaces, no_new_privs, an empty capability set and an empty network are not in here: they hold for every sandbox.
 */
export const confinementSchema = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  policy: z.string().describe("name of the policy it was compiled from"),
  min_tier: tierSchema,
  /** cBPF program (struct sock_filter[], little endian), base64. The driver loads it last. */
  seccomp: z.string(),
  /** Absolute paths made unreadable in the sandbox, also as root-relative globs with `*` (one name) or a leading `/**\/`. */
  hidden: z.array(z.string()),
  /** Base names that must not be executable anywhere: `wget` hides every `/**\/wget` of the root. Implies noexec_writable. */
  forbidden_programs: z.array(z.string()),
  /** Writable mounts are noexec and an anonymous executable file cannot be made. */
  noexec_writable: z.boolean(),
  /** Like `hidden`, but the files stay readable: they cannot be executed, nor mapped executable. Implies noexec_writable. */
  unexecutable: z.array(z.string()),
  /** All that may be executed, as paths and globs of the root; null: all that the root has. The kernel itself decides (Landlock). Implies noexec_writable. */
  executables: z.array(z.string()).nullable().default(null),
  /** Whether user namespaces may be made inside: never, but by the weak confinement of the demo and by permissive policies. */
  user_namespaces: z.boolean(),
  /**
   * Capabilities (`net_raw`) that the program keeps inside its own user namespace, over a mount, network and ipc namespace that
   * belong to it. Empty for every policy but permissive ones (host.ts, `permissive`); never a capability over the host.
   */
  capabilities: z.array(z.string()),
  /** What violations name, by index. */
  rules: z.array(watchedRuleSchema),
  /** Calls and paths that are looked at while the program runs, because a denial must be recorded or depends on a path. */
  watch: watchSchema,
  /** Programs for the cgroup that the sandbox lives in: addresses, sockets, devices. Null: no rule needs them. */
  hooks: hooksSchema.nullable(),
  /** The way out of the sandbox. Null: an empty network namespace. */
  network: networkSchema.nullable(),
  /** Weak parts for the demo and for tests that show an attack working; `null` in every compiled policy. */
  weak: z
    .object({
      seccomp: z.boolean(),
      landlock: z.boolean(),
      capabilities: z.boolean(),
      readonly_etc: z.boolean(),
      network_namespace: z.string().describe("path of a network namespace to join instead of an empty one"),
      planted_files: z.record(z.string(), z.string()).describe("absolute path → content of a sacrificial target"),
    })
    .partial()
    .nullable(),
});
export type Confinement = z.infer<typeof confinementSchema>;

export const fidelitySchema = z.enum(["exact", "stricter", "by-construction", "approximate", "unsupported"]);
export type Fidelity = z.infer<typeof fidelitySchema>;

/** One program pair that shows a rule at work. Exit 0 = the thing was possible, exit 13 = it was denied; all else = the test is broken. */
export const selfTestSchema = z.object({
  id: z.string(),
  runtime: z.enum(["python3", "nodejs", "bash"]),
  forbidden: z.string().describe("must exit 13"),
  allowed: z.string().describe("must exit 0"),
  weakness: z.string().nullable().describe("which part of the weak confinement lets `forbidden` succeed (exit 0); null where nothing does"),
});
export type SelfTest = z.infer<typeof selfTestSchema>;

export const fidelityRowSchema = z.object({
  rule: z.string().describe("normalised rule name, or the field for raw rules"),
  category: z.string().describe("path of the field in the policy, e.g. spec.policy.enhanceProtect.hardeningRules[0]"),
  fidelity: fidelitySchema,
  mechanism: z.string(),
  note: z.string().describe("the hole in words where approximate; what is stricter where stricter; what would enforce it where unsupported"),
  self_tests: z.array(selfTestSchema),
  observes: z.boolean().optional().describe("the row denies nothing, it only records: what its self-tests forbid must pass (exit 0) and be recorded as AUDIT"),
});
export type FidelityRow = z.infer<typeof fidelityRowSchema>;

/** No rules at all: what a probe of the host runs under, and what other confinements are written as differences from. Without `id`. */
export const NO_RULES: Omit<Confinement, "id"> = {
  policy: "none",
  min_tier: 1,
  seccomp: "",
  hidden: [],
  forbidden_programs: [],
  noexec_writable: false,
  unexecutable: [],
  executables: null,
  user_namespaces: false,
  capabilities: [],
  rules: [],
  watch: { calls: [], paths: [] },
  hooks: null,
  network: null,
  weak: null,
};
