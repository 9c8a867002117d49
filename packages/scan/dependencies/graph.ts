import type { Group, Listing } from "./facts.ts";

/** How a package of a list came to be there. */
export interface Descent {
  /** Indexes into the list's packages, from a direct dependency down to this one. Empty where the list does not tell. */
  readonly path: readonly number[];
  readonly direct: boolean;
  readonly group: Group;
}

/**
 * The shortest way to each package, breadth first: from what is needed to run, before what only its developers need. Where nobody is
 * named as asking (package-lock v1 without its manifest), what nobody needs stands at the top.
 */
export function descents(listing: Listing): (index: number) => Descent {
  const { packages } = listing;
  const above = new Int32Array(packages.length).fill(-2);
  const groups: Group[] = packages.map((each) => each.group ?? "production");
  const asked = listing.roots.filter(({ target }) => target >= 0);
  const told = asked.length > 0;
  const tops = new Set(told ? asked.map(({ target }) => target) : unneeded(listing));
  for (const group of ["production", "peer", "optional", "development"] as const) {
    const starts = told ? asked.filter((root) => root.group === group).map((root) => root.target) : [...tops].filter((index) => groups[index] === group);
    spread(listing, starts, above, (index) => {
      if (told) groups[index] = group;
    });
  }
  return (index) => ({
    // Most are never asked for it, and it may be long.
    get path() {
      return tops.has(index) ? [index] : pathTo(index, above);
    },
    direct: tops.has(index),
    group: groups[index] as Group,
  });
}

function spread(listing: Listing, starts: readonly number[], above: Int32Array, reached: (index: number) => void): void {
  const queue: number[] = [];
  for (const start of starts) {
    if (above[start] !== -2) continue;
    above[start] = -1;
    reached(start);
    queue.push(start);
  }
  for (let at = 0; at < queue.length; at++) {
    const index = queue[at] as number;
    for (const [target] of listing.packages[index]?.needs ?? []) {
      if (above[target] !== -2) continue;
      above[target] = index;
      reached(target);
      queue.push(target);
    }
  }
}

function unneeded(listing: Listing): number[] {
  const needed = new Uint8Array(listing.packages.length);
  let edges = 0;
  for (const { needs = [] } of listing.packages) {
    for (const [target] of needs) {
      needed[target] = 1;
      edges++;
    }
  }
  return edges === 0 ? [] : listing.packages.flatMap((_, index) => (needed[index] ? [] : [index]));
}

function pathTo(index: number, above: Int32Array): number[] {
  if (above[index] === -2) return [];
  const path: number[] = [];
  for (let at = index; at >= 0 && path.length < 1000; at = above[at] as number) path.push(at);
  return path.reverse();
}
