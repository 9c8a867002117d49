import type { MountFlag } from "../../orders/order.ts";
import { KINDS, MOUNTS, OPTIONS } from "../mounts.ts";
import { appArmorGlobs } from "./globs.ts";
import type { Meaning } from "./meaning.ts";

interface Parts {
  fstypes: string[];
  options: string[];
  source: string | null;
  target: string | null;
}

/**
 * `mount [fstype=…] [options=…] [SOURCE] [-> TARGET]`, `remount …`, `umount [TARGET]`. Which of several options must all be there,
 * and where a mount goes to, is not looked at: what is refused is more than the rule asks for, and the notes say so.
 */
export function mountRule(kind: "mount" | "remount" | "umount", words: string[]): Meaning {
  const parts = partsOf(words);
  if ("unsupported" in parts) return parts;
  const { fstypes, options, source, target } = parts;
  const flags = flagsOf(kind, options);
  if (!Array.isArray(flags)) return flags;
  const from = kind === "mount" ? source : (target ?? source);
  const globs = from === null ? { globs: ["**"] } : sourceOf(from);
  if ("fault" in globs) return { unsupported: globs.fault };
  const types = kind === "umount" ? ["none"] : fstypes.length > 0 ? fstypes : ["*"];
  const plain = options.filter((option) => OPTIONS.includes(option));
  return {
    intents: globs.globs.flatMap((glob) => types.map((fstype) => ({ kind: "mount" as const, source: glob, fstype, flags }))),
    notes: [
      ...(kind === "mount" && target !== null ? ["where the mount goes to is not looked at"] : []),
      ...(plain.length > 0 ? [`the options ${plain.join(", ")} are not looked at: the mount is refused with and without them`] : []),
    ],
  };
}

function partsOf(words: readonly string[]): Parts | { unsupported: string } {
  const parts: Parts = { fstypes: [], options: [], source: null, target: null };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [, key = "", value = ""] = /^(fstype|vfstype|options|option)=(.*)$/s.exec(word) ?? [];
    const isIn = /^(fstype|vfstype|options|option)$/.test(word) && (words[at + 1] === "in" || words[at + 1] === "=");
    const list = key ? value : isIn ? (words[at + 2] ?? "") : null;
    if (isIn) at += 2;
    if (list !== null) (/fstype/.test(key || word) ? parts.fstypes : parts.options).push(...listed(list));
    else if (word === "->" && parts.target === null && words[at + 1] !== undefined) parts.target = words[++at] as string;
    else if (parts.source === null && parts.target === null && word !== "->") parts.source = word;
    else return { unsupported: `${JSON.stringify(word)} is not read in a rule on mounts` };
  }
  const odd = parts.fstypes.find((type) => !/^[a-z0-9._-]{1,15}$/i.test(type));
  return odd === undefined ? parts : { unsupported: `the file system ${JSON.stringify(odd)} is not read: names alone are` };
}

const listed = (text: string): string[] =>
  text
    .replace(/^\(|\)$/g, "")
    .split(/[\s,]+/)
    .filter((word) => word !== "");

function flagsOf(kind: "mount" | "remount" | "umount", options: readonly string[]): MountFlag[] | { unsupported: string } {
  const unknown = options.find((option) => !Object.hasOwn(KINDS, option) && !OPTIONS.includes(option));
  if (unknown !== undefined) return { unsupported: `the mount option ${JSON.stringify(unknown)} is not read` };
  if (kind !== "mount") return [kind];
  if (options.length === 0) return [...MOUNTS];
  const kinds = [...new Set(options.flatMap((option) => (Object.hasOwn(KINDS, option) ? (KINDS[option] ?? []) : [])))];
  return kinds.length > 0 ? kinds : ["new"];
}

/** A source need not be a path: `proc`, `tmpfs`. */
function sourceOf(text: string): { globs: string[] } | { fault: string } {
  if (/^[A-Za-z0-9._-]+$/.test(text)) return { globs: [text] };
  return text === "**" || text === "*" ? { globs: ["**"] } : appArmorGlobs(text);
}
