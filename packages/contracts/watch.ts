import { z } from "zod";

/** Who upstream would have been the enforcer: what a violation record says. */
export const enforcerSchema = z.enum(["BPF", "Seccomp", "AppArmor", "NetworkProxy"]);
export type Enforcer = z.infer<typeof enforcerSchema>;

/** One rule as a violation names it. `subject` is the capability for `capability`, else empty. */
export const watchedRuleSchema = z.object({
  id: z.string().describe("disable-shell, or the field of a raw rule: bpfRawRules.files[0]"),
  path: z.string().describe("where it stands in the policy"),
  enforcer: enforcerSchema,
  operation: z.enum(["capability", "file", "bprm", "network", "ptrace", "mount", "syscall"]),
  subject: z.string(),
});
export type WatchedRule = z.infer<typeof watchedRuleSchema>;

const decimal = z
  .string()
  .regex(/^[0-9]{1,20}$/)
  .describe("unsigned 64 bits, in decimal");

/** (argument cut to `width` bits) compared; `masked_eq`: (argument & mask) == value; `any_bits`: (argument & mask) != 0. */
export const conditionSchema = z.object({
  index: z.int().min(0).max(5),
  width: z.union([z.literal(16), z.literal(32), z.literal(64)]),
  op: z.enum(["eq", "ne", "lt", "le", "gt", "ge", "masked_eq", "any_bits"]),
  mask: decimal,
  value: decimal,
});

/**
 * What a call means that the filter hands over (SECCOMP_RET_USER_NOTIF). The first entry whose conditions all hold decides:
 * `errno` 0 lets it pass. The first matching entry with a `rule` is what is recorded: DENIED if the decision denies, else AUDIT.
 */
export const watchedCallSchema = z.object({
  name: z.string(),
  number: z.int(),
  entries: z.array(
    z.object({
      when: z.array(conditionSchema),
      errno: z.int().min(0).max(4095),
      rule: z.int().nullable(),
      late: z.boolean().optional().describe("it holds from the first program on: before, only the platform's own worker runs there"),
    }),
  ),
  otherwise: z.int().min(0).max(4095),
});

/**
 * A rule on paths. `glob`: `*` within a name, `**` across names (between two slashes also none, so that one slash remains), `?` one character but `/`, `[a-z]`/`[^a-z]`; canonical paths
 * inside the sandbox are compared. `write` covers every change (create, delete, rename, link, mode, owner, times, truncate).
 * `deny` false only records. `exec` is never decided here, since the kernel reads the path again: masks and noexec mounts do
 * that; it is recorded.
 */
export const watchedPathSchema = z.object({
  rule: z.int(),
  glob: z.string(),
  permissions: z.array(z.enum(["read", "write", "append", "exec"])).min(1),
  deny: z.boolean(),
  report: z.boolean(),
});

const pathPermissions = z.array(z.enum(["read", "write", "append", "exec"])).min(1);

/**
 * A list of all that may be done to files: what asks for one of `permissions` of a path for which no entry of `allowed` gives it
 * hits the rule. Rules of `paths` come first. It holds from the first program on: what the platform's own worker opens before is
 * not the program's. `exec` is refused by the call; that no race gets round it is `confinement.executables`' work.
 */
export const pathListSchema = z.object({
  rule: z.int(),
  permissions: pathPermissions,
  deny: z.boolean(),
  report: z.boolean(),
  allowed: z.array(z.object({ glob: z.string(), permissions: pathPermissions })),
});

/** All empty: nothing is watched and the filter has no listener. `paths` or `lists` non-empty: every call that takes a path is handed over. */
export const watchSchema = z.object({ calls: z.array(watchedCallSchema), paths: z.array(watchedPathSchema), lists: z.array(pathListSchema).optional() });
export type Watch = z.infer<typeof watchSchema>;

export const hookPointSchema = z.enum(["connect4", "connect6", "sendmsg4", "sendmsg6", "bind4", "bind6", "sock_create", "device"]);
export type HookPoint = z.infer<typeof hookPointSchema>;

/**
 * eBPF programs. `code` is base64 of struct bpf_insn[], little endian; an LD_IMM64 with src_reg BPF_PSEUDO_MAP_FD stands for the
 * ring buffer that the loader makes. A record in it: u32 rule · u32 denied · u32 pid (host) · u32 family · u32 type · u32 protocol ·
 * u32 port (host order) · u32 kind · u8 address[16] (IPv4 in the first four) · u64 cgroup id · char comm[16]; 72 bytes, little endian. Kind: 0 an
 * address that was asked for, 1 a socket (no address, no port), 2 a bind.
 */
export const hooksSchema = z.object({ programs: z.array(z.object({ at: hookPointSchema, code: z.string() })) });
export type Hooks = z.infer<typeof hooksSchema>;
