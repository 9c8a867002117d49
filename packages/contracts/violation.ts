import { z } from "zod";
import { stackSchema } from "./stack.ts";
import { enforcerSchema } from "./watch.ts";

/** DENIED: it did not happen. AUDIT: it was let through and recorded. ALLOWED: a proxy rule with `allow` and `audit` let it through. */
export const violationActionSchema = z.enum(["DENIED", "AUDIT", "ALLOWED"]);

const permission = z.enum(["read", "write", "append", "exec", "create", "rename", "link"]);

/** What happened, in vArmor's shapes (pkg auditor): the keys of `event` are upstream's. All text is the attacker's. */
export const violationEventSchema = z.discriminatedUnion("operation", [
  z.object({ operation: z.literal("Capability"), capability: z.string() }),
  z.object({ operation: z.literal("File"), path: z.string(), permissions: z.array(permission) }),
  z.object({ operation: z.literal("Bprm"), path: z.string(), permissions: z.array(permission) }),
  z.discriminatedUnion("type", [
    z.object({ operation: z.literal("Network"), type: z.literal("socket"), domain: z.string(), socketType: z.string(), protocol: z.string() }),
    z.object({ operation: z.literal("Network"), type: z.literal("connect"), ip: z.string(), port: z.int() }),
    z.object({ operation: z.literal("Network"), type: z.literal("http"), method: z.string(), host: z.string(), path: z.string(), port: z.int() }),
  ]),
  z.object({ operation: z.literal("Ptrace"), permissions: z.array(z.enum(["trace", "read", "traceby", "readby"])), external: z.boolean() }),
  z.object({ operation: z.literal("Mount"), path: z.string(), type: z.string(), flags: z.array(z.string()) }),
  z.object({ operation: z.literal("Syscall"), syscall: z.string(), arguments: z.array(z.string()).describe("six registers, hexadecimal") }),
]);

/** One violation as a driver tells it. The server adds who and where, and writes vArmor's whole record. */
export const violationSchema = z.object({
  rule_id: z.string(),
  rule_path: z.string().describe("where the rule stands in the policy"),
  enforcer: enforcerSchema,
  action: violationActionSchema,
  event: violationEventSchema,
  pid: z.int().describe("on the host"),
  comm: z.string().describe("name of the thread: the program chooses it"),
  mnt_ns_id: z.number().nullable(),
  at: z.iso.datetime(),
  exe: z.string().default("").describe("file that the process runs, where the sensor saw it"),
  stack: stackSchema.nullable().default(null).describe("call stack of the call, where one was taken: the program's word"),
  /** The policy asks for a record (auditViolations): such are in violations.log as upstream's are. False: the sensor saw the denial. */
  audited: z.boolean().default(true),
  hint: z.string().nullable().default(null).describe("what in the policy would allow it, in words"),
  t_us: z.number().optional().describe("where it stands in the timeline, of a run that was traced and an enforcer outside of the kernel"),
});
export type Violation = z.infer<typeof violationSchema>;
export type ViolationEvent = z.infer<typeof violationEventSchema>;

/** What is said of a violation where no sensor looked on. */
export const UNSEEN = { exe: "", stack: null, audited: true, hint: null } as const satisfies Partial<Violation>;

/** What one run may record. More is counted: a flood must cost the program more than it costs us. */
export const MAX_VIOLATIONS = 100;
