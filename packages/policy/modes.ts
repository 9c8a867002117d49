import type { FidelityRow, HostFacts } from "@plastron/contracts";
import { canWatch } from "./lower/part.ts";
import { UNWATCHABLE } from "./lower/recorded.ts";
import type { RuleTable } from "./lower/rule-table.ts";
import { defenseProfile } from "./raw/index.ts";
import type { Resolvable } from "./rules/resolve.ts";
import { type Entry, NOTIFY, type Profile } from "./seccomp/profile.ts";
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
  const own = policy.spec.policy.defenseInDepth?.seccomp?.profileType === "Custom";
  if (profile.otherwise.action !== "log") return { profile, rows: own ? [...rows, enforcing()] : rows };
  if (!canWatch(host)) return { profile, rows: [...rows, { ...observing(), fidelity: "unsupported", note: "passes, and is told to the kernel's log alone" }] };
  return { profile: { ...profile, entries: [...profile.entries, ...unlisted(profile, table, host)] }, rows: [...rows, observing()] };
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

function enforcing(): FidelityRow {
  return {
    rule: "defenseInDepth.seccomp",
    category: PATH,
    fidelity: "stricter",
    mechanism: "seccomp lets pass what both the custom profile and the platform's floor allow",
    note: "what the floor refuses no profile can allow; foreign ABIs are killed whatever it lists",
    self_tests: [],
    observes: true,
  };
}

function observing(): FidelityRow {
  return {
    ...enforcing(),
    fidelity: "approximate",
    mechanism: "a listener lets pass and records calls that the custom profile does not list",
    note: "calls that it lists with conditions are not recorded where the conditions fail; what the floor refuses stays refused",
  };
}

/** Everything that the profile does not speak of, to be heard of. */
function unlisted(profile: Profile, table: RuleTable, host: HostFacts): Entry[] {
  const listed = new Set(profile.entries.flatMap(({ names }) => names));
  const names = [...syscallNumbers(host.arch).keys()].filter((name) => !listed.has(name) && !UNWATCHABLE.has(name));
  const report = table.add({ id: "defenseInDepth.seccomp", path: PATH, enforcer: "Seccomp", operation: "syscall", subject: "" });
  return names.length > 0 ? [{ names, verdict: NOTIFY, when: [], report }] : [];
}
