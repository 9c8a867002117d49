import type { Permission } from "../../orders/order.ts";
import { appArmorGlobs } from "./globs.ts";
import type { Meaning } from "./meaning.ts";

const isPath = (word: string): boolean => /^"?(\/|@\{|\{)/.test(word);
const ALL: Permission[] = ["read", "write", "append", "exec"];

/** `PATH rw`, `rw PATH`, and alone: every file. An exec's own transition (`ix`, `px -> profile`) says where to, not whether. */
export function fileRule(words: string[]): Meaning {
  if (words.length === 0) return { intents: [{ kind: "file", glob: "/**", permissions: ALL }], notes: [] };
  const [first = "", second = "", ...rest] = words;
  if (rest.length > 0 && (rest[0] !== "->" || rest.length !== 2)) return { unsupported: `${JSON.stringify(rest[0])} is not read in a rule on files` };
  const [path, letters] = isPath(first) ? [first, second] : [second, first];
  if (!isPath(path)) return { unsupported: "it is neither a path with permissions nor a kind of rule that is read here" };
  const read = permissionsOf(letters);
  if ("unsupported" in read) return read;
  const found = appArmorGlobs(path);
  if ("fault" in found) return { unsupported: found.fault };
  const { permissions, notes } = read;
  if (permissions.length === 0) return { unsupported: "locks on files (k) are not refused here; AppArmor itself would" };
  return { intents: found.globs.map((glob) => ({ kind: "file" as const, glob, permissions })), notes };
}

function permissionsOf(letters: string): { permissions: Permission[]; notes: string[] } | { unsupported: string } {
  if (!/^[rwalkmx]*(?:[pPcCuU]?[iu]?x)?[rwalkm]*$/.test(letters) || letters === "") return { unsupported: `unknown permissions ${JSON.stringify(letters)}` };
  const has = (letter: string) => letters.includes(letter);
  const permissions: Permission[] = [
    ...(has("r") ? ["read" as const] : []),
    ...(has("w") || has("l") ? (["write", "append"] as const) : has("a") ? ["append" as const] : []),
    ...(has("x") || has("m") ? ["exec" as const] : []),
  ];
  const notes = [
    ...(has("l") && !has("w") ? ["l (links) is read as w: every change is refused"] : []),
    ...(has("m") && !has("x") ? ["m (mapping as a program) is read as x: it cannot be started either"] : []),
    ...(has("k") && permissions.length > 0 ? ["k (locks) is left out"] : []),
  ];
  return { permissions, notes };
}
