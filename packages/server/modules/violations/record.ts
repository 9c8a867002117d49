import type { Stack, Violation } from "@plastron/contracts";
import { z } from "zod";

/** Who and where: what a driver does not know of its violations. */
export interface ViolationContext {
  node: string;
  run_id: string;
  session_id: string | null;
  tenant: string;
  runtime: string;
  driver: string;
  confinement: string;
  policy: { name: string; version: number | null; sha256?: string | undefined; kind: string; namespace: string };
}

/**
 * One violation in vArmor's current record shape (pkg/auditor of v0.9), with `ruleId` and `stack` beside it. A run stands where
 * upstream has a pod: tenant = podNamespace, run = podName and containerID, session (or run) = podUID, runtime = containerName,
 * host = nodeName. `metadata`, upstream's free map, holds what has no field there.
 */
export const violationRecordSchema = z.object({
  level: z.literal("warn"),
  metadata: z.object({
    comm: z.string(),
    rulePath: z.string(),
    policyVersion: z.int().nullable(),
    policySha256: z.string().nullable(),
    sessionID: z.string().nullable(),
  }),
  nodeName: z.string(),
  podUID: z.string(),
  podName: z.string(),
  podNamespace: z.string(),
  containerID: z.string(),
  containerName: z.string(),
  image: z.string(),
  pid: z.int(),
  mntNsID: z.number(),
  eventTimestamp: z.int().describe("seconds since 1970"),
  enforcer: z.string(),
  action: z.string(),
  profileName: z.string(),
  policyKind: z.string(),
  policyName: z.string(),
  policyNamespace: z.string(),
  ruleId: z.string(),
  stack: z.array(z.string()).nullable(),
  event: z.record(z.string(), z.unknown()),
  time: z.iso.datetime(),
  message: z.literal("violation event"),
});
export type ViolationRecord = z.infer<typeof violationRecordSchema>;

/** What the sensor adds to a violation: in the event, and not in the log, whose shape is upstream's. */
export type Seen = Pick<Violation, "audited" | "hint" | "exe" | "stack">;
/** A violation as an event has it. */
export type ViolationData = ViolationRecord & { n: number; seen?: Seen };

/** Frames of a stack that a violation keeps, and how much of their texts. The run's account may have more. */
const MOST_FRAMES = 24;
const LONGEST = { function: 120, file: 240 } as const;

/** Null where there is nothing but what every violation is: recorded because the policy asks for it. */
export function seenOf({ audited, hint, exe, stack }: Violation): Seen | undefined {
  if (audited && hint === null && exe === "" && stack === null) return undefined;
  return { audited, hint, exe, stack };
}

/** As much of a stack as a violation keeps. */
export function shortStack({ frames, truncated, incomplete }: Stack): Stack {
  const kept = frames.slice(0, MOST_FRAMES).map((frame) => ({
    ...frame,
    function: frame.function.slice(0, LONGEST.function).toWellFormed(),
    file: frame.file.slice(-LONGEST.file).toWellFormed(),
  }));
  return { frames: kept, truncated: truncated || frames.length > MOST_FRAMES, incomplete };
}

/** One line for each frame, as the log has them: `main (/workspace/a.py:3)`. */
function stackLines(stack: Stack): string[] {
  return stack.frames.map(({ function: name, file, line }) => `${name || "?"} (${file}${line === null ? "" : `:${line}`})`);
}

/** `n`: its number within the run. */
export function recordOf(violation: Violation, context: ViolationContext, n: number): ViolationRecord {
  const { policy } = context;
  return {
    level: "warn",
    metadata: {
      ...{ comm: violation.comm, rulePath: violation.rule_path },
      ...{ policyVersion: policy.version, policySha256: policy.sha256 ?? null, sessionID: context.session_id },
    },
    nodeName: context.node,
    podUID: context.session_id ?? context.run_id,
    podName: context.run_id,
    podNamespace: context.tenant,
    containerID: context.run_id,
    containerName: context.runtime,
    image: `${context.runtime}@${context.driver}`,
    pid: violation.pid,
    mntNsID: violation.mnt_ns_id ?? 0,
    eventTimestamp: Math.floor(Date.parse(violation.at) / 1000),
    enforcer: violation.enforcer,
    action: violation.action,
    profileName: `plastron-${context.confinement}`,
    policyKind: policy.kind,
    policyName: policy.name,
    policyNamespace: policy.namespace,
    ruleId: violation.rule_id,
    stack: violation.stack && stackLines(violation.stack),
    event: eventOf(violation, `${context.run_id}.${n}`),
    time: violation.at,
    message: "violation event",
  };
}

/**
 * A system call has upstream's keys beside ours. Upstream takes them from the audit daemon's line, which tells no arguments; here
 * no daemon is asked: its id is the violation's in the API, and `exe` is empty where the sensor did not see it.
 */
function eventOf({ event, at, pid, comm, exe }: Violation, auditID: string): Record<string, unknown> {
  if (event.operation !== "Syscall") return event;
  return { ...event, auditID, epoch: Math.floor(Date.parse(at) / 1000), subj: "plastron", pid, comm, exe };
}
