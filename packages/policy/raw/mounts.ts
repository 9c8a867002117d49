import type { MountFlag, Order } from "../orders/order.ts";
import type { Notes } from "./notes.ts";
import { sourceGlobs } from "./pattern.ts";
import { qualified } from "./qualifiers.ts";

interface MountRule {
  qualifiers?: string[] | undefined;
  sourcePattern: string;
  fstype: string;
  flags: string[];
}

export const MOUNTS: readonly MountFlag[] = ["new", "bind", "rec", "remount", "move", "private", "slave", "shared", "unbindable"];
const EVERY: readonly MountFlag[] = [...MOUNTS, "umount"];

/** Flags that say what a call does. Upper-case letters are mount(8)'s own; upstream lower-cases first and so never sees them. */
export const KINDS: Readonly<Record<string, readonly MountFlag[]>> = {
  all: EVERY,
  "*": EVERY,
  remount: ["remount"],
  bind: ["bind"],
  B: ["bind"],
  move: ["move"],
  M: ["move"],
  rbind: ["bind", "rec"],
  R: ["bind", "rec"],
  "make-unbindable": ["unbindable"],
  unbindable: ["unbindable"],
  "make-private": ["private"],
  private: ["private"],
  "make-slave": ["slave"],
  slave: ["slave"],
  "make-shared": ["shared"],
  shared: ["shared"],
  "make-runbindable": ["bind", "rec", "unbindable"],
  "make-rprivate": ["bind", "rec", "private"],
  "make-rslave": ["bind", "rec", "slave"],
  "make-rshared": ["bind", "rec", "shared"],
  umount: ["umount"],
};

/** Flags of the file system, each with its reverse (`rw` is the absence of `ro`). Which of them a mount has is not looked at here. */
export const OPTIONS: readonly string[] = (
  "ro r read-only rw w suid nosuid dev nodev exec noexec sync async mand nomand dirsync atime noatime diratime nodiratime " +
  "silent loud relatime norelatime iversion noiversion strictatime nostrictatime"
).split(" ");

/** bpfRawRules.mounts. Upstream looks at them for privileged policies alone: others may mount nothing in any case. */
export function mountOrders(rules: readonly MountRule[], base: string, privileged: boolean, notes: Notes): Order[] {
  const orders = rules.flatMap((rule, i) => orderOf(rule, `${base}[${i}]`, `bpfRawRules.mounts[${i}]`, notes) ?? []);
  if (privileged) return orders;
  for (const { path } of orders) {
    notes.ignored(path, "has no effect without privileged: true; every mount is refused then. Remove it, or set privileged: true");
  }
  return [];
}

function orderOf(rule: MountRule, path: string, id: string, notes: Notes): Order | null {
  const kind = qualified(rule.qualifiers, path, ["deny", "audit"], notes);
  const source = sourceGlobs(rule.sourcePattern);
  if ("fault" in source) notes.wrong(`${path}.sourcePattern`, `${JSON.stringify(rule.sourcePattern)} ${source.fault}`);
  if (rule.fstype !== "*" && !/^[A-Za-z0-9._-]{1,15}$/.test(rule.fstype)) {
    notes.wrong(`${path}.fstype`, "must be the name of a file system, of 1 to 15 letters and digits; none, for calls without one; or * for any");
  }
  const { flags, note } = flagsOf(rule.flags, path, notes);
  if (!kind || !("globs" in source) || flags.length === 0) return null;
  const intents = source.globs.map((glob) => ({ kind: "mount" as const, source: glob, fstype: rule.fstype, flags }));
  return { rule: id, path, enforcer: "BPF", deny: kind.deny, audit: kind.audit, intents, ...(note ? { notes: [note] } : {}) };
}

function flagsOf(given: readonly string[], path: string, notes: Notes): { flags: MountFlag[]; note: string | null } {
  const options: string[] = [];
  const kinds = given.flatMap((word, i): readonly MountFlag[] => {
    const name = Object.hasOwn(KINDS, word) ? word : word.toLowerCase();
    if (Object.hasOwn(KINDS, name)) return KINDS[name] ?? [];
    if (OPTIONS.includes(name)) options.push(name);
    else notes.ignored(`${path}.flags[${i}]`, `unknown mount flag ${JSON.stringify(word)}${notes.meant(name, [...Object.keys(KINDS), ...OPTIONS])}`);
    return [];
  });
  if (given.length === 0) notes.ignored(`${path}.flags`, "is empty, so the rule does nothing");
  if (options.length === 0) return { flags: [...new Set(kinds)], note: null };
  // Upstream's rule hits any mount that has the flag, whatever it does: all of them are refused, with it and without.
  return { flags: [...new Set([...MOUNTS, ...kinds])], note: `whether a mount has ${options.join(", ")} is not looked at: it is refused either way` };
}
