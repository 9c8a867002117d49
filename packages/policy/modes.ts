import type { FidelityRow, HostFacts } from "@plastron/contracts";
import { canWatch } from "./lower/part.ts";
import { UNWATCHABLE } from "./lower/recorded.ts";
import type { RuleTable } from "./lower/rule-table.ts";
import { defenseProfile } from "./raw/index.ts";
import type { Resolvable } from "./rules/resolve.ts";
import { complement } from "./seccomp/complement.ts";
import { floorProfile } from "./seccomp/floor.ts";
import { ALLOW, type Condition, type Entry, ERRNO, entriesByName, NOTIFY, type Profile } from "./seccomp/profile.ts";
import { RUNTIME_DEFAULT } from "./seccomp/runtime-default.ts";
import { syscallNumbers } from "./seccomp/syscalls.ts";

export interface ModeProfile {
  /** To be laid over the floor: what both allow is allowed. Null: the mode has none. */
  profile: Profile | null;
  rows: FidelityRow[];
}

/** The seccomp profile that the policy's mode brings along. */
export function modeProfile(policy: Resolvable, table: RuleTable, host: HostFacts): ModeProfile {
  if (policy.spec.policy.mode === "RuntimeDefault") return { profile: RUNTIME_DEFAULT, rows: [RUNTIME_DEFAULT_ROW] };
  const found = defenseProfile(policy);
  if (!found) return { profile: null, rows: [] };
  const { profile, rows } = found;
  const observes = profile.otherwise.action === "log";
  if (!observes && policy.spec.policy.defenseInDepth?.seccomp?.profileType !== "Custom") return { profile, rows };
  if (!canWatch(host)) return { profile, rows: [...rows, observes ? UNHEARD : SILENT] };
  const heard = denying(profile, table, host);
  if (heard) return { profile: heard, rows: [...rows, observes ? OBSERVING : ENFORCING] };
  return { profile, rows: [...rows, observes ? UNHEARD : SILENT] };
}

const PATH = "spec.policy.defenseInDepth.seccomp";

const RUNTIME_DEFAULT_ROW: FidelityRow = {
  rule: "RuntimeDefault",
  category: "spec.policy.mode",
  fidelity: "stricter",
  mechanism: "seccomp lets pass what both the container runtimes' default profile and the platform's floor allow",
  note: "the floor's list is the shorter of the two",
  self_tests: [],
  observes: true,
};

const SILENT: FidelityRow = {
  rule: "defenseInDepth.seccomp",
  category: PATH,
  fidelity: "stricter",
  mechanism: "seccomp lets pass what both the custom profile and the platform's floor allow",
  note: "what the floor refuses no profile can allow; foreign ABIs are killed whatever it lists; it holds for the interpreter's own start too, and what it refuses is not recorded",
  self_tests: [],
  observes: true,
};
const ENFORCING: FidelityRow = {
  ...SILENT,
  mechanism: "seccomp hands over what the custom profile does not list, and a listener refuses and records it",
  note: "what the floor refuses no profile can allow; foreign ABIs are killed whatever it lists; it holds from the first program on, not for the interpreter's own start",
};
const UNHEARD: FidelityRow = { ...SILENT, fidelity: "unsupported", note: "passes, and is told to the kernel's log alone" };
const OBSERVING: FidelityRow = {
  ...SILENT,
  fidelity: "approximate",
  mechanism: "a listener lets pass and records calls that the custom profile does not list",
  note: "what the floor refuses stays refused",
};

/** What the floor answers as if the kernel had no such call: nothing can be done with it, and every C library tries some. */
const ABSENT = new Set(
  floorProfile().entries.flatMap(({ names, verdict, when }) =>
    verdict.action === "errno" && verdict.errno === ERRNO.ENOSYS && when.length === 0 ? names : [],
  ),
);

/**
 * The same profile as a list of what it refuses, so that each refusal can be heard of and can wait for the first program. Null
 * where that would take too many conditions. What a listener cannot be asked about stays a refusal in silence.
 */
function denying({ otherwise, unknown, entries }: Profile, table: RuleTable, host: HostFacts): Profile | null {
  const byName = entriesByName(entries);
  const refuse = (name: string, when: readonly Condition[]): Entry[] => {
    const silent = UNWATCHABLE.has(name) || ABSENT.has(name);
    if (silent) return otherwise.action === "log" ? [] : [{ names: [name], verdict: otherwise, when }];
    const verdict = otherwise.action === "log" ? NOTIFY : otherwise;
    return [{ names: [name], verdict, when, report: report(), late: true }];
  };
  const report = () => table.add({ id: "defenseInDepth.seccomp", path: PATH, enforcer: "Seccomp", operation: "syscall", subject: "" });
  const refusals: Entry[] = [];
  for (const name of syscallNumbers(host.arch).keys()) {
    const grants = (byName.get(name) ?? []).filter(({ verdict }) => verdict.action === "allow" || verdict.action === "log").map(({ when }) => when);
    if (grants.some((when) => when.length === 0)) continue;
    const lists = grants.length === 0 ? [[]] : complement(name, grants);
    if (lists === null) return null;
    refusals.push(...lists.flatMap((when) => refuse(name, when)));
  }
  const own = entries.filter(({ verdict }) => verdict.action !== "allow" && verdict.action !== "log");
  return { otherwise: ALLOW, unknown, entries: [...own, ...refusals] };
}
