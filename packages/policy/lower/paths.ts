import type { HostFacts, Watch } from "@plastron/contracts";
import { canWatch, type FileIntent, type Part } from "./part.ts";
import { operationOf, type RuleTable } from "./rule-table.ts";

type WatchedPath = Watch["paths"][number];

/**
 * The rules on paths that are looked at call by call: what is recorded, and what nothing put up beforehand can decide. A rule
 * that is denied in silence by a mask or a mount is not among them: looking costs every call that takes a path.
 */
export function pathRules({ order, watched }: Part, table: RuleTable, host: HostFacts): WatchedPath[] {
  if (!canWatch(host)) return [];
  const recorded = order.audit ? order.intents.filter((each): each is FileIntent => each.kind === "file") : [];
  // What is not spelt as a path in the rule must be decided all the same (ptrace, and the files that are a process's memory).
  const decided = order.deny ? watched.filter(({ glob }) => !recorded.some((each) => each.glob === glob)) : [];
  return [...recorded, ...decided].map((intent) => ({
    rule: table.of(order, operationOf(intent)),
    glob: intent.glob,
    permissions: [...intent.permissions],
    deny: order.deny,
    report: order.audit,
  }));
}

const OPENING = "open openat openat2 creat";
const CHANGING = [
  "truncate unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mkdir mkdirat rmdir mknod mknodat",
  "chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat",
  "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat",
].join(" ");
const EXECUTING = "execve execveat";

/** The calls that must be handed over for these rules. A renamed or linked file is another path: the listener lets none be carried out from under its rule. */
export function brokeredCalls(paths: readonly Pick<WatchedPath, "permissions">[]): string[] {
  const asked = new Set(paths.flatMap(({ permissions }) => permissions));
  const opening = asked.has("read") || asked.has("write") || asked.has("append") ? [OPENING] : [];
  const changing = asked.has("write") || asked.has("append") ? [CHANGING] : asked.has("read") ? ["rename renameat renameat2 link linkat"] : [];
  const executing = asked.has("exec") ? [EXECUTING] : [];
  return [...opening, ...changing, ...executing].flatMap((names) => names.split(" "));
}
