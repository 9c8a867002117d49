import { createHash } from "node:crypto";
import type { Confinement } from "@plastron/contracts";
import { MFD_NOEXEC_SEAL } from "./seccomp/constants.ts";
import { deny, type Entry, maskedEq } from "./seccomp/profile.ts";

/** What rules put into a confinement, over the floor that every sandbox has. */
export interface Demands {
  /** Calls that are refused. */
  denials: readonly Entry[];
  hidden: readonly string[];
  forbidden_programs: readonly string[];
  unexecutable: readonly string[];
  noexec_writable: boolean;
  /** All that may be executed; null: no list says. */
  executables: readonly string[] | null;
}

/** All demands as one. A forbidden program that can be copied to a writable place under another name is not forbidden. */
export function joined(all: readonly Partial<Demands>[]): Demands {
  const forbidden = sortedUnique(all.flatMap(({ forbidden_programs: names = [] }) => names));
  const unexecutable = sortedUnique(all.flatMap(({ unexecutable: paths = [] }) => paths));
  const noexec = forbidden.length > 0 || unexecutable.length > 0 || all.some(({ noexec_writable }) => noexec_writable);
  return {
    denials: [...all.flatMap(({ denials = [] }) => denials), ...(noexec ? ANONYMOUS_EXECUTABLES : [])],
    hidden: sortedUnique(all.flatMap(({ hidden = [] }) => hidden)),
    forbidden_programs: forbidden,
    unexecutable,
    noexec_writable: noexec,
    executables: both(all.flatMap(({ executables }) => (executables ? [executables] : []))),
  };
}

/** A policy has one list. Of several, what the first says is what may be executed at most. */
const both = ([first, ...others]: readonly (readonly string[])[]): readonly string[] | null =>
  first ? sortedUnique(first.filter((path) => others.every((other) => other.includes(path)))) : null;

/**
 * The confinement with its name: sha256 of the canonical JSON (keys sorted, no spaces) of everything else. Equal demands give an
 * equal `id`, whatever their order, so that pools can be shared; the policy's name is part of it because denials are reported by it.
 */
export function named(rest: Omit<Confinement, "id">): Confinement {
  return { id: createHash("sha256").update(canonicalJson(rest)).digest("hex"), ...rest };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** memfd_create without MFD_NOEXEC_SEAL: a file that can be executed and that no mount option reaches. */
const ANONYMOUS_EXECUTABLES: Entry[] = [deny("memfd_create", maskedEq(1, MFD_NOEXEC_SEAL, 0))];

function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const each of value) text += `${text === "" ? "" : ","}${canonicalJson(each)}`;
    return `[${text}]`;
  }
  const members = value as Record<string, unknown>;
  for (const key of sortedKeys(members)) text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(members[key])}`;
  return `{${text}}`;
}

/** Most of what is written has its keys in order already: the tables of watched calls have thousands. */
function sortedKeys(of: Record<string, unknown>): string[] {
  const keys = Object.keys(of);
  for (let i = 1; i < keys.length; i++) if ((keys[i - 1] as string) > (keys[i] as string)) return keys.sort();
  return keys;
}

function sortedUnique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
