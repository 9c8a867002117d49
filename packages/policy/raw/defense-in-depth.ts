import type { FidelityRow } from "@plastron/contracts";
import { PlastronError } from "@plastron/contracts";
import type { Resolvable } from "../rules/resolve.ts";
import { readOciProfile, same } from "../seccomp/oci.ts";
import { type Entry, errno, type Profile, type Verdict } from "../seccomp/profile.ts";
import { namesEnforcer } from "./enforcers.ts";
import { Notes } from "./notes.ts";
import { syscallEntries } from "./syscalls.ts";

const PATH = "spec.policy.defenseInDepth.seccomp";

/**
 * Mode DefenseInDepth: the custom seccomp profile, to be laid over the platform's floor (the more severe of both holds). Its own
 * defaultAction does not count, as upstream: what it does not list is refused, or recorded and let pass with allowViolations.
 * syscallRawRules come after its entries, and usually allow more. Null in other modes. Where nothing can be enforced (a profile
 * learnt from behaviour) the profile allows everything and a row says so. Throws PlastronError invalid_policy.
 */
export function defenseProfile(policy: Resolvable): { profile: Profile; rows: FidelityRow[] } | null {
  const notes = new Notes(policy);
  const profile = readDefense(policy, notes);
  notes.finish();
  return profile && { profile, rows: notes.rows };
}

/** The same, with faults and rows to `notes`. */
export function readDefense(policy: Resolvable, notes: Notes): Profile | null {
  const { mode, enforcer, defenseInDepth } = policy.spec.policy;
  if (mode !== "DefenseInDepth" || !defenseInDepth) return null;
  const { seccomp, allowViolations = false } = defenseInDepth;
  if (!namesEnforcer(enforcer, "Seccomp")) {
    if (seccomp) notes.ignored(PATH, `has no effect, since the enforcer ${JSON.stringify(enforcer)} does not name Seccomp`);
    return EVERYTHING;
  }
  if (!seccomp) {
    notes.wrong(PATH, "is missing: the enforcer names Seccomp");
    return EVERYTHING;
  }
  if (seccomp.profileType === "BehaviorModel") {
    notes.row(`${PATH}.profileType`, "BehaviorModel needs a recorded behaviour of this workload, and none is given: a Custom profile would be enforced");
    return EVERYTHING;
  }
  const otherwise: Verdict = allowViolations ? { action: "log" } : errno("EPERM");
  const entries = [
    ...customEntries(seccomp.customProfile, otherwise, notes),
    ...(seccomp.syscallRawRules ?? []).flatMap((rule, i) => syscallEntries(rule, `${PATH}.syscallRawRules[${i}]`, notes)),
  ];
  return { otherwise, unknown: otherwise, entries: entries.filter(({ verdict }) => !same(verdict, otherwise)) };
}

const EVERYTHING: Profile = { otherwise: { action: "allow" }, unknown: { action: "allow" }, entries: [] };

function customEntries(text: string | undefined, otherwise: Verdict, notes: Notes): readonly Entry[] {
  const path = `${PATH}.customProfile`;
  if (!text) {
    notes.wrong(path, "is missing: profileType Custom needs one");
    return [];
  }
  try {
    const own = readOciProfile(withDefault(JSON.parse(text), otherwise));
    return own.entries;
  } catch (error) {
    const why = error instanceof PlastronError ? error.message : error instanceof SyntaxError ? "it is not JSON" : null;
    if (why === null) throw error;
    notes.wrong(path, why);
    return [];
  }
}

/** Read as if the default that will hold were its own: entries that say the same as its own default are then not lost. */
function withDefault(profile: unknown, otherwise: Verdict): unknown {
  if (typeof profile !== "object" || profile === null || Array.isArray(profile)) return profile;
  const { defaultErrnoRet: _, ...rest } = profile as Record<string, unknown>;
  return { ...rest, defaultAction: otherwise.action === "log" ? "SCMP_ACT_LOG" : "SCMP_ACT_ERRNO" };
}
