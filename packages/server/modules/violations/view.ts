import { enforcerSchema, stackSchema, type Violation, violationActionSchema, violationEventSchema } from "@plastron/contracts";
import { z } from "zod";
import type { StoredViolation } from "./store.ts";

export const violationViewSchema = z
  .object({
    id: z.string().describe("its run, and its number there"),
    run_id: z.string(),
    session_id: z.string().nullable(),
    policy: z.object({ name: z.string(), version: z.number().int().nullable(), sha256: z.string().optional() }),
    rule_id: z.string(),
    rule_path: z.string().describe("where the rule stands in the policy"),
    enforcer: enforcerSchema,
    action: violationActionSchema,
    event: violationEventSchema,
    pid: z.number().int(),
    comm: z.string(),
    exe: z.string().describe("file that the process runs; empty where nobody looked"),
    stack: stackSchema.nullable().describe("call stack of the call, the innermost frame first: the program's word"),
    audited: z.boolean().describe("the policy asks for a record of it; false: the sensor saw the denial"),
    hint: z.string().nullable().describe("what in the policy would allow it, in words"),
    mnt_ns_id: z.number().nullable().describe("mount namespace; null where nobody knows it"),
    runtime: z.string(),
    node: z.string(),
    at: z.iso.datetime().describe("when it happened"),
    recorded_at: z.iso.datetime(),
  })
  .meta({ id: "Violation", description: "A rule of the policy was hit. All text in `event`, `comm`, `exe` and `stack` was chosen by the program." });
export type ViolationView = z.infer<typeof violationViewSchema>;

export function violationView({ run_id, n, recorded_at, data }: StoredViolation): ViolationView {
  const { metadata } = data;
  const { exe, stack, audited, hint } = data.seen ?? UNSEEN;
  return {
    ...{ id: `${run_id}.${n}`, run_id, session_id: metadata.sessionID },
    policy: { name: data.policyName, version: metadata.policyVersion, ...(metadata.policySha256 === null ? {} : { sha256: metadata.policySha256 }) },
    ...{ rule_id: data.ruleId, rule_path: metadata.rulePath },
    ...{ enforcer: data.enforcer as Violation["enforcer"], action: data.action as Violation["action"] },
    event: violationEventSchema.parse(data.event), // without what the log has of a system call for upstream's readers
    ...{ pid: data.pid, comm: metadata.comm, exe, stack, audited, hint, mnt_ns_id: data.mntNsID || null },
    ...{ runtime: data.containerName, node: data.nodeName, at: data.time, recorded_at: recorded_at.toISOString() },
  };
}

const UNSEEN = { exe: "", stack: null, audited: true, hint: null };
