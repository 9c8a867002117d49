import { createHash } from "node:crypto";
import { type Confinement, NO_RULES, type Tier } from "@plastron/contracts";
import { assembleFilter } from "./seccomp/assemble.ts";
import { MFD_NOEXEC_SEAL } from "./seccomp/constants.ts";
import { floorProfile } from "./seccomp/floor.ts";
import { deny, type Entry, maskedEq } from "./seccomp/profile.ts";
import type { Arch } from "./seccomp/syscalls.ts";

/** What rules put into a confinement, over the floor that every sandbox has. */
export interface Demands {
  denials: readonly Entry[];
  hidden: readonly string[];
  forbidden_programs: readonly string[];
  noexec_writable: boolean;
}

/**
 * The confinement with those demands and the platform's floor under them: the allow-list of system calls.
 * Equal demands give an equal `id`, whatever their order, so that pools can be shared; the policy's name is part of it because
 * denials are reported by it.
 */
export function confine(policy: string, minTier: Tier, demands: Demands, arch: Arch): Confinement {
  const forbidden = sortedUnique(demands.forbidden_programs);
  // A forbidden program that can be copied to a writable place under another name is not forbidden.
  const noexec = demands.noexec_writable || forbidden.length > 0;
  const denials = noexec ? [...demands.denials, ...ANONYMOUS_EXECUTABLES] : demands.denials;
  return named({
    ...NO_RULES,
    policy,
    min_tier: minTier,
    seccomp: base64(assembleFilter(floorProfile(denials), arch)),
    hidden: sortedUnique(demands.hidden),
    forbidden_programs: forbidden,
    noexec_writable: noexec,
  });
}

/** The confinement with its name: sha256 of the canonical JSON (keys sorted, no spaces) of everything else. */
export function named(rest: Omit<Confinement, "id">): Confinement {
  return { id: createHash("sha256").update(canonicalJson(rest)).digest("hex"), ...rest };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** memfd_create without MFD_NOEXEC_SEAL: a file that can be executed and that no mount option reaches. */
const ANONYMOUS_EXECUTABLES: Entry[] = [deny("memfd_create", maskedEq(1, MFD_NOEXEC_SEAL, 0))];

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(",")}}`;
}

function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
