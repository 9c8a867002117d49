import { matches } from "../seccomp/matches.ts";
import type { Entry, Profile, Verdict } from "../seccomp/profile.ts";
import { type Arch, syscallNumbers } from "../seccomp/syscalls.ts";
import type { Call } from "./classic-bpf.ts";

/** What a profile says about a call, straight from its definition in profile.ts, without any machine code. */

export const ARCHES: Record<Arch, number> = { x86_64: 0xc000003e, aarch64: 0xc00000b7 };

const ORDER = ["kill_process", "kill_thread", "trap", "errno", "log", "allow"];

export function meaning(profile: Profile, arch: Arch, call: Call): Verdict {
  if (call.arch !== ARCHES[arch]) return { action: "kill_process" };
  if (arch === "x86_64" && call.nr !== 0xffffffff && (call.nr & 0x40000000) !== 0) return { action: "kill_process" };
  const name = [...syscallNumbers(arch)].find(([, number]) => number === call.nr)?.[0];
  if (name === undefined) return profile.unknown;
  const matching = profile.entries.filter((entry) => entry.names.includes(name) && matches(entry, name, call.args));
  const decided = decision(matching) ?? profile.otherwise;
  const final = ["kill_process", "kill_thread", "trap"].includes(decided.action) || (decided.action === "errno" && decided.errno === 0);
  const passes = decided.action === "allow" || decided.action === "log";
  const heard = matching.some(({ report }) => report !== undefined) || (passes && (profile.brokered?.includes(name) ?? false));
  return heard && !final ? { action: "notify" } : decided;
}

/** What is decided about a call, whoever hears of it; null where no entry decides. */
export function decision(matching: readonly Entry[]): Verdict | null {
  const deciding = matching.filter(({ verdict }) => verdict.action !== "notify");
  const severest = Math.min(...deciding.map(({ verdict }) => ORDER.indexOf(verdict.action)));
  return deciding.find(({ verdict }) => ORDER.indexOf(verdict.action) === severest)?.verdict ?? null;
}

/** The entries that speak of a call of the native ABI. */
export function matchingEntries(profile: Profile, arch: Arch, call: Call): Entry[] {
  const name = [...syscallNumbers(arch)].find(([, number]) => number === call.nr)?.[0];
  return name === undefined ? [] : profile.entries.filter((entry) => entry.names.includes(name) && matches(entry, name, call.args));
}

export function returned(verdict: Verdict): number {
  switch (verdict.action) {
    case "kill_process":
      return 0x80000000;
    case "kill_thread":
      return 0;
    case "trap":
      return 0x00030000;
    case "errno":
      return 0x00050000 + verdict.errno;
    case "notify":
      return 0x7fc00000;
    case "log":
      return 0x7ffc0000;
    case "allow":
      return 0x7fff0000;
  }
}
