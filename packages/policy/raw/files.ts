import type { Order, Permission } from "../orders/order.ts";
import type { Notes } from "./notes.ts";
import { pathGlobs } from "./pattern.ts";
import { qualified } from "./qualifiers.ts";

interface PathRule {
  qualifiers?: string[] | undefined;
  pattern: string;
  permissions: string[];
}

/** How many rules of one type upstream's tables hold. */
export const MAX_RULES = 64;

export const PERMISSIONS: Record<string, readonly Permission[]> = {
  all: ["read", "write", "append", "exec"],
  "*": ["read", "write", "append", "exec"],
  read: ["read"],
  r: ["read"],
  write: ["write", "append"],
  w: ["write", "append"],
  append: ["append"],
  a: ["append"],
  exec: ["exec"],
  x: ["exec"],
};
const WORDS = ["all", "read", "write", "append", "exec"];

/**
 * bpfRawRules.files and .processes. Both lists may ask for every permission, as upstream: what it is filed under says nothing.
 * `base` is where the lists stand, `spec.policy.enhanceProtect.bpfRawRules`.
 */
export function fileOrders(files: readonly PathRule[], processes: readonly PathRule[], base: string, notes: Notes): Order[] {
  const read = [
    ...files.map((rule, i) => orderOf(rule, `${base}.files[${i}]`, `bpfRawRules.files[${i}]`, notes)),
    ...processes.map((rule, i) => orderOf(rule, `${base}.processes[${i}]`, `bpfRawRules.processes[${i}]`, notes)),
  ].filter((order) => order !== null);
  const isExec = (order: Order) => order.intents.some((intent) => intent.kind === "file" && intent.permissions.includes("exec"));
  const isFile = (order: Order) => order.intents.some((intent) => intent.kind === "file" && intent.permissions.some((each) => each !== "exec"));
  const within = new Set([...firstOf(read.filter(isFile), "files", notes), ...firstOf(read.filter(isExec), "processes", notes)]);
  return read.filter((order) => within.has(order));
}

/** The first 64; the rest has no effect upstream. */
export function firstOf(orders: readonly Order[], type: string, notes: Notes): readonly Order[] {
  for (const { path } of orders.slice(MAX_RULES)) notes.ignored(path, `only the first ${MAX_RULES} rules on ${type} take effect`);
  return orders.slice(0, MAX_RULES);
}

function orderOf(rule: PathRule, path: string, id: string, notes: Notes): Order | null {
  const kind = qualified(rule.qualifiers, path, ["deny", "audit"], notes);
  const permissions = permissionsOf(rule.permissions, path, notes);
  const read = pathGlobs(rule.pattern);
  if ("fault" in read) notes.wrong(`${path}.pattern`, `${JSON.stringify(rule.pattern)} ${read.fault}`);
  else if ("without" in read) notes.ignored(`${path}.pattern`, `${JSON.stringify(rule.pattern)} matches nothing: ${read.without}`);
  else if (kind && permissions.length > 0) {
    const intents = read.globs.map((glob) => ({ kind: "file" as const, glob, permissions }));
    return { rule: id, path, enforcer: "BPF", deny: kind.deny, audit: kind.audit, intents };
  }
  return null;
}

function permissionsOf(given: readonly string[], path: string, notes: Notes): Permission[] {
  const found = new Set<Permission>();
  for (const [i, word] of given.entries()) {
    const means = Object.hasOwn(PERMISSIONS, word.toLowerCase()) ? PERMISSIONS[word.toLowerCase()] : undefined;
    if (!means) {
      const guess = notes.meant(word, WORDS);
      notes.ignored(`${path}.permissions[${i}]`, `unknown permission ${JSON.stringify(word)}; there are all, read, write, append and exec${guess}`);
    }
    for (const each of means ?? []) found.add(each);
  }
  if (given.length === 0) notes.ignored(`${path}.permissions`, "is empty, so the rule does nothing");
  return [...found];
}
