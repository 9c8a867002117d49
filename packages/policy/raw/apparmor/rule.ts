import { fileRule } from "./file-rule.ts";
import { capabilityRule, networkRule, ptraceRule, signalRule, unixRule, usernsRule } from "./kernel-rules.ts";
import type { Meaning } from "./meaning.ts";
import { mountRule } from "./mount-rule.ts";
import { wordsOf } from "./statements.ts";

export interface Line {
  deny: boolean;
  audit: boolean;
  /** First word of what is left: `capability`, `network`, `file` for paths too. */
  subject: string;
  meaning: Meaning;
}

const MAX_RULE = 4096;

/**
 * One rule of AppArmor text, without its comma. The common subset: files, capability, network, unix, mount, umount, remount,
 * pivot_root, ptrace, signal, userns, each with `audit`, `deny`, `allow` and `owner`. All else is `unsupported`, with the reason.
 */
export function readLine(text: string): Line {
  if (text.length > MAX_RULE) return { deny: true, audit: false, subject: "", meaning: { unsupported: `it is longer than ${MAX_RULE} characters` } };
  const words = wordsOf(text);
  const modifiers = new Set<string>();
  while (/^(audit|deny|allow|owner|quiet|other)$/.test(words[0] ?? "")) modifiers.add(words.shift() as string);
  const [subject = "", ...rest] = words;
  const unread = ["quiet", "other"].find((word) => modifiers.has(word));
  const meaning = unread ? { unsupported: `the modifier ${unread} is not read` } : meaningOf(subject, rest);
  const isPath = !Object.hasOwn(READERS, subject);
  return {
    deny: modifiers.has("deny"),
    audit: modifiers.has("audit"),
    subject: isPath ? "file" : subject,
    meaning: modifiers.has("owner") ? withNote(meaning, "owner is not looked at: it holds whoever owns the file") : meaning,
  };
}

const READERS: Readonly<Record<string, (words: string[]) => Meaning>> = {
  file: fileRule,
  capability: capabilityRule,
  network: networkRule,
  unix: unixRule,
  mount: (words) => mountRule("mount", words),
  remount: (words) => mountRule("remount", words),
  umount: (words) => mountRule("umount", words),
  unmount: (words) => mountRule("umount", words),
  ptrace: ptraceRule,
  signal: signalRule,
  userns: usernsRule,
};

/** Known to AppArmor, and to nothing that this can hand them to. */
const FOREIGN = ["dbus", "rlimit", "set", "change_profile", "pivot_root", "link", "io_uring", "mqueue", "all", "profile", "hat", "alias", "abi", "include"];

function meaningOf(subject: string, rest: string[]): Meaning {
  const reader = Object.hasOwn(READERS, subject) ? READERS[subject] : undefined;
  if (reader) return reader(rest);
  if (FOREIGN.includes(subject)) return { unsupported: `rules on ${subject} are not enforced here; AppArmor itself would` };
  return fileRule([subject, ...rest]);
}

function withNote(meaning: Meaning, note: string): Meaning {
  return "unsupported" in meaning ? meaning : { ...meaning, notes: [...meaning.notes, note] };
}
