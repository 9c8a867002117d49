import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LeaveOut } from "./directory.ts";
import { IgnoreRules } from "./git-ignore.ts";
import { gitDirectory, type Tracked, trackedIn } from "./git-index.ts";

/** Which files of a directory belong to it, and how many were left out. */
export interface Choice {
  readonly leaveOut: LeaveOut;
  readonly enter: (path: string, readChild: (name: string) => string | null) => void;
  notes(): string[];
}

/** All but git's own database. `everything`: that, too. */
export function wholeDirectory(everything: boolean): Choice {
  let repositories = 0;
  return {
    leaveOut: (path) => !everything && isGit(path) && ++repositories > 0,
    enter: () => {},
    notes: () => (repositories === 0 ? [] : [`${repositories} of git's own directories (.git) were not looked at; --all looks at them`]),
  };
}

/** A git checkout: what is tracked, and what is neither tracked nor ignored. Without an index that can be read nothing is left out. */
export function checkout(root: string): Choice {
  const tracked = trackedIn(root);
  if (tracked === null) return wholeDirectory(false);
  const rules = new IgnoreRules();
  rules.add("", ownExcludes(root));
  let left = 0;
  const within = new Set<string>();
  const ignored = (path: string, directory: boolean) => within.has(parentOf(path)) || rules.ignores(path, directory);
  return {
    leaveOut(path, directory) {
      if (isGit(path)) return true;
      if (!ignored(path, directory)) return false;
      if (belongs(tracked, path, directory)) {
        if (directory) within.add(path);
        return false;
      }
      left++;
      return true;
    },
    enter(path, readChild) {
      const text = within.has(path) ? null : readChild(".gitignore");
      if (text !== null) rules.add(path, text);
    },
    notes: () => (left === 0 ? [] : [`${left} files and directories that .gitignore leaves out were not looked at; --all looks at them`]),
  };
}

export function isCheckout(root: string): boolean {
  return existsSync(join(root, ".git"));
}

function belongs(tracked: Tracked, path: string, directory: boolean): boolean {
  return directory ? tracked.hasBelow(path) : tracked.has(path);
}

function isGit(path: string): boolean {
  return path === ".git" || path.endsWith("/.git");
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function ownExcludes(root: string): string {
  try {
    return readFileSync(join(gitDirectory(root), "info/exclude"), "utf8").slice(0, 1 << 20);
  } catch {
    return "";
  }
}
