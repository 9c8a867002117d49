import type { Permission } from "../orders/order.ts";
import { isWritable, reachesTooFar } from "./places.ts";
import type { ObservedFile, ProfiledFile } from "./profile.ts";

/** So many names with one ending in one directory stand for all of them; so many files below a package for the package. */
export const SIBLINGS = 16;
export const PACKAGE = 24;
/** So many names that differ in a number alone, where the program may make names. */
export const NUMBERED = 4;

export interface Generalisation {
  pattern: string;
  permissions: Permission[];
  why: string;
  /** The first of what it was made of, in the order of the alphabet. */
  examples: string[];
  count: number;
}

/**
 * Observed patterns → the patterns of a policy. A function of the whole set, so that it does not matter in which order runs came.
 * Each permission is looked at by itself, and execution stays what it is: a program is never given for its neighbours' sake.
 */
export function generalise(observed: readonly ObservedFile[]): { files: ProfiledFile[]; generalisations: Generalisation[] } {
  const files = new Map<string, Set<Permission>>();
  const made = new Map<string, Generalisation>();
  for (const permission of ["read", "write", "exec"] as const) {
    const having = observed.filter(({ permissions }) => permissions.includes(permission)).map(({ path }) => path);
    const groups = permission === "exec" ? new Map<string, Group>() : groupsOf(having, permission);
    for (const path of having) {
      const group = groups.get(path);
      const pattern = group?.pattern ?? path;
      files.set(pattern, (files.get(pattern) ?? new Set()).add(permission));
      if (!group) continue;
      const known = made.get(pattern);
      const permissions = known && !known.permissions.includes(permission) ? [...known.permissions, permission] : (known?.permissions ?? [permission]);
      made.set(pattern, {
        pattern,
        permissions,
        why: group.why,
        examples: group.members.slice(0, 3),
        count: Math.max(known?.count ?? 0, group.members.length),
      });
    }
  }
  const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
  return {
    files: [...files].map(([path, permissions]) => ({ path, permissions: [...permissions] })).sort(byPath),
    generalisations: [...made.values()].sort((a, b) => (a.pattern < b.pattern ? -1 : 1)),
  };
}

interface Group {
  pattern: string;
  why: string;
  members: string[];
}

type Shape = (path: string) => { pattern: string; least: number; why: string } | null;

/** The group that each path goes into: the widest of those that are full. */
function groupsOf(paths: readonly string[], permission: Permission): Map<string, Group> {
  const shapes: Shape[] = [...(permission === "read" ? [packageOf] : []), directoryOf, numberedOf];
  const chosen = new Map<string, Group>();
  for (const shape of shapes) {
    const groups = new Map<string, Group & { least: number }>();
    for (const path of paths) {
      const found = shape(path);
      if (!found || reachesTooFar(found.pattern)) continue;
      const group = groups.get(found.pattern) ?? { ...found, members: [] };
      group.members.push(path);
      groups.set(found.pattern, group);
    }
    for (const group of groups.values()) {
      if (group.members.length < group.least) continue;
      group.members.sort();
      for (const path of group.members) if (!chosen.has(path)) chosen.set(path, group);
    }
  }
  return chosen;
}

const PACKAGES = /^(\/(?:usr|opt)\/(?:.+\/)?(?:dist-packages|site-packages|node_modules|python3(?:\.\d+)?)\/[^/*?[]+)\/.+$/;

/** What of an installed library a program reads depends on which way it takes through it. */
const packageOf: Shape = (path) => {
  const [, root] = PACKAGES.exec(path) ?? [];
  return root ? { pattern: `${root}/**`, least: PACKAGE, why: `more than ${PACKAGE} files of one library` } : null;
};

/** Never of programs: reading one is half of running it. */
const directoryOf: Shape = (path) => {
  const [, directory = "", name = ""] = /^(.+)\/([^/]+)$/.exec(path) ?? [];
  if (directory.split("/").length < 3 && !isWritable(path)) return null;
  if (directory === "" || /\/s?bin$/.test(directory) || /^\/proc|[*?[]/.test(directory)) return null;
  const ending = /[^.](\.[A-Za-z0-9]{1,8})$/.exec(name)?.[1] ?? "";
  return { pattern: `${directory}/*${ending}`, least: SIBLINGS, why: `more than ${SIBLINGS} names of one directory${ending ? ` that end in ${ending}` : ""}` };
};

const numberedOf: Shape = (path) => {
  const [, directory = "", name = ""] = /^(.*)\/([^/]+)$/.exec(path) ?? [];
  if (!isWritable(path) || !/\d/.test(name) || /[*?[]/.test(name)) return null;
  return { pattern: `${directory}/${name.replace(/\d+/g, "[0-9]*")}`, least: NUMBERED, why: `more than ${NUMBERED} names that differ in a number` };
};
