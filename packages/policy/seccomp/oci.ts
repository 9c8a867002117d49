import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import { type ArgumentIndex, type Condition, type Entry, errno, type Profile, type Verdict } from "./profile.ts";
import { isSyscallName } from "./syscalls.ts";

/**
 * The seccomp profile of the OCI runtime specification (config-linux.md, "Seccomp"), as libseccomp, runc, containerd and
 * Docker write it. 64-bit values beyond 2^53 may be written as decimal strings, since JSON numbers lose them.
 */
const word64 = z
  .union([z.int().min(0), z.string().regex(/^[0-9]{1,20}$/)])
  .transform((value) => BigInt(value))
  .refine((value) => value < 1n << 64n, "does not fit 64 bits");
const errnoRet = z.int().min(0).max(4095);

const ociSchema = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: errnoRet.optional(),
  architectures: z.array(z.string()).optional(),
  syscalls: z
    .array(
      z.object({
        names: z.array(z.string()).min(1),
        action: z.string(),
        errnoRet: errnoRet.optional(),
        args: z
          .array(z.object({ index: z.int().min(0).max(5), value: word64, valueTwo: word64.default(0n), op: z.string() }))
          .max(32)
          .nullish(),
      }),
    )
    .max(1024)
    .default([]),
});
export type OciEntry = z.infer<typeof ociSchema>["syscalls"][number];

/**
 * JSON (text or parsed) of an OCI seccomp profile → Profile. As runc reads it: an entry whose verdict is the default one says
 * nothing; an entry that names one argument twice means "any of its conditions"; otherwise all must hold; names that no kernel
 * has are skipped. Differences: the most severe of several matching verdicts wins (profile.ts); ABIs other than the native one
 * are killed whatever `architectures` lists; SCMP_ACT_TRACE and SCMP_ACT_NOTIFY are refused, having nobody to ask.
 *
 * Throws PlastronError invalid_request with the path of each fault.
 */
export function readOciProfile(json: unknown): Profile {
  const result = ociSchema.safeParse(typeof json === "string" ? parsed(json) : json);
  if (!result.success) throw refused(result.error.issues.map(({ path, message }) => ({ path: path.join("."), message })));
  const { defaultAction, defaultErrnoRet, syscalls } = result.data;
  const otherwise = verdictOf(defaultAction, defaultErrnoRet, "defaultAction");
  const entries = syscalls.flatMap((entry, i) => ociEntries(entry, `syscalls.${i}`)).filter(({ verdict }) => !same(verdict, otherwise));
  return { otherwise, unknown: otherwise, entries };
}

/** One entry of a profile, or of a policy's syscallRawRules. Throws as readOciProfile, with paths below `path`. */
export function ociEntries(entry: OciEntry, path: string): Entry[] {
  const names = entry.names.filter(isSyscallName);
  const verdict = verdictOf(entry.action, entry.errnoRet, `${path}.action`);
  const conditions = (entry.args ?? []).map((argument, i) => conditionOf(argument, `${path}.args.${i}`));
  const repeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return repeated ? conditions.map((condition) => ({ names, verdict, when: [condition] })) : [{ names, verdict, when: conditions }];
}

function conditionOf({ index, value, valueTwo, op }: NonNullable<OciEntry["args"]>[number], path: string): Condition {
  const at = index as ArgumentIndex;
  switch (op) {
    case "SCMP_CMP_EQ":
      return { index: at, op: "eq", value };
    case "SCMP_CMP_NE":
      return { index: at, op: "ne", value };
    case "SCMP_CMP_LT":
      return { index: at, op: "lt", value };
    case "SCMP_CMP_LE":
      return { index: at, op: "le", value };
    case "SCMP_CMP_GT":
      return { index: at, op: "gt", value };
    case "SCMP_CMP_GE":
      return { index: at, op: "ge", value };
    case "SCMP_CMP_MASKED_EQ":
      return { index: at, op: "masked_eq", mask: value, value: valueTwo };
    default:
      throw refused([{ path: `${path}.op`, message: `unknown operator ${JSON.stringify(op.slice(0, 50))}` }]);
  }
}

/** `action` of an entry as a verdict; without an errno EPERM. Throws as readOciProfile, naming `path`. */
export function verdictOf(action: string, errnoRet: number | undefined, path: string): Verdict {
  switch (action) {
    case "SCMP_ACT_ALLOW":
      return { action: "allow" };
    case "SCMP_ACT_LOG":
      return { action: "log" };
    case "SCMP_ACT_ERRNO":
      return errnoRet === undefined ? errno("EPERM") : { action: "errno", errno: errnoRet };
    case "SCMP_ACT_TRAP":
      return { action: "trap" };
    case "SCMP_ACT_KILL":
    case "SCMP_ACT_KILL_THREAD":
      return { action: "kill_thread" };
    case "SCMP_ACT_KILL_PROCESS":
      return { action: "kill_process" };
    default:
      throw refused([{ path, message: `action ${JSON.stringify(action.slice(0, 50))} is not supported` }]);
  }
}

export function same(a: Verdict, b: Verdict): boolean {
  return a.action === b.action && (a.action !== "errno" || b.action !== "errno" || a.errno === b.errno);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused([{ path: "", message: "not JSON" }]);
  }
}

function refused(errors: { path: string; message: string }[]): PlastronError {
  return new PlastronError("invalid_request", `seccomp profile: ${errors[0]?.path ? `${errors[0].path}: ` : ""}${errors[0]?.message}`, { errors });
}
