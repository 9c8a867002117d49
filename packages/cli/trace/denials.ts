import type { Denial, Stack, Violation } from "@plastron/contracts";
import { field, type Page, plural, put, text } from "./page.ts";
import { addressWords, shortPath } from "./places.ts";
import { stackWords } from "./stack.ts";

/** How a rule is found: where it stands, in the text that the reader has. */
export interface Reasons {
  /** Rule → its path in the policy. */
  paths: ReadonlyMap<string, string>;
  /** Path in the policy → `strict.yaml:14`. */
  places: ReadonlyMap<string, string>;
}

const ERRNO: Record<Denial["errno"], string> = { EPERM: "operation not permitted", EACCES: "permission denied", EROFS: "read-only file system" };

/** What it was, on one line: `run /usr/bin/curl: permission denied (EACCES)`. */
export function denialWords(denial: Denial, hosts: ReadonlyMap<string, string>): string {
  const { call, path, to, errno } = denial;
  const what = to ? addressWords(to, hosts) : path === null ? "" : shortPath(path);
  const verb = VERBS[call] ?? call;
  return `${verb}${what === "" || what === verb ? "" : ` ${what}`}: ${ERRNO[errno]} (${errno}${verb === call ? "" : `, ${call}`})`;
}

const VERBS: Record<string, string> = {
  ...{ open: "open", openat: "open", creat: "create", execve: "run", execveat: "run", connect: "connect to", bind: "listen on" },
  ...{ sendto: "send to", sendmsg: "send to", sendmmsg: "send to", socket: "make a socket", socketpair: "make a pair of sockets" },
  ...{ unlink: "delete", unlinkat: "delete", rmdir: "delete", rename: "rename", renameat: "rename", renameat2: "rename" },
  ...{ mkdir: "make the directory", mkdirat: "make the directory", link: "link", linkat: "link", symlink: "link", symlinkat: "link" },
  ...{
    chmod: "change the mode of",
    fchmodat: "change the mode of",
    fchmodat2: "change the mode of",
    chown: "change the owner of",
    fchownat: "change the owner of",
  },
  ...{ access: "look at", faccessat: "look at", faccessat2: "look at", stat: "look at", lstat: "look at", newfstatat: "look at", statx: "look at" },
  ...{ mount: "mount", umount2: "unmount", getdents64: "list", chdir: "go to", truncate: "cut", readlink: "read the link", readlinkat: "read the link" },
};

/** Under its line: which rule, what would allow it, and who called. */
export function putReason(page: Page, indent: number, denial: Denial, reasons: Reasons): void {
  if (denial.rule === undefined) field(page, indent, "why", "the server that ran it does not say");
  else if (denial.rule === null) {
    field(page, indent, "why", "no rule of the policy or the platform speaks of it: the kernel's own permissions, of the file or of the process");
  } else {
    const path = reasons.paths.get(denial.rule);
    const place = denial.rule.startsWith("floor-") ? "the platform's, under every policy" : path && (reasons.places.get(path) ?? path);
    field(page, indent, "why", text(`${denial.rule}${place ? `, ${place}` : ""}`), "yellow");
    if (denial.hint) field(page, indent, "allow", text(placedHint(denial.hint, reasons)));
  }
  if (denial.stack) putStack(page, indent, denial.stack);
}

/** Under the line of what another enforcer than the kernel denied or let through. */
export function putRule(page: Page, indent: number, { rule_id, rule_path, hint, stack }: Violation, reasons: Reasons): void {
  const place = reasons.places.get(rule_path) ?? rule_path;
  field(page, indent, "why", text(`${rule_id}${place === "" || place === rule_id ? "" : `, ${place}`}`), "yellow");
  if (hint) field(page, indent, "allow", text(placedHint(hint, reasons)));
  if (stack) putStack(page, indent, stack);
}

/** The hint names rules by their paths in the policy: a line of the file is easier to find. */
export function placedHint(hint: string, { places }: Pick<Reasons, "places">): string {
  return hint.replace(/spec\.policy[\w.[\]-]*/g, (path) => places.get(path) ?? path);
}

export function putStack(page: Page, indent: number, stack: Stack): void {
  const lines = stackWords(stack);
  if (lines.length === 0) return;
  field(page, indent, "called", "as the program tells it", "dim");
  const lead = { shown: " ".repeat(indent + 8), width: indent + 8 };
  for (const words of lines) put(page, lead, text(words));
}

export function timesWords(count: number): string {
  return count === 1 ? "" : `  (${plural(count, "time")})`;
}
