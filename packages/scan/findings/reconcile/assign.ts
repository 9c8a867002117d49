import type { Finding } from "@plastron/contracts";

/** Over this, one is compared with a window of the others: who is paired with whom may be worse then, how many are paired is not. */
const MOST_COMPARED = 60;

/**
 * Pairs base and head one to one among equal keys. Where there are several, those that stand nearest to each other are one, so that of
 * two equal lines the one that was added is called new.
 */
export function assign(
  base: readonly Finding[],
  head: readonly Finding[],
  keyOfBase: (finding: Finding) => string | null,
  keyOfHead: (finding: Finding) => string | null,
  fits: (base: Finding, head: Finding) => boolean,
): [Finding, Finding][] {
  const after = grouped(head, keyOfHead);
  return [...grouped(base, keyOfBase)].flatMap(([key, group]) => nearest(group, after.get(key) ?? [], fits));
}

function grouped(findings: readonly Finding[], keyOf: (finding: Finding) => string | null): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = keyOf(finding);
    if (key === null) continue;
    const group = groups.get(key);
    if (group) group.push(finding);
    else groups.set(key, [finding]);
  }
  for (const group of groups.values()) group.sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  return groups;
}

function nearest(base: readonly Finding[], head: readonly Finding[], fits: (base: Finding, head: Finding) => boolean): [Finding, Finding][] {
  const candidates = base.flatMap((before, at) => {
    const from = head.length <= MOST_COMPARED ? 0 : Math.max(0, Math.min(at - MOST_COMPARED / 2, head.length - MOST_COMPARED));
    return head.slice(from, from + MOST_COMPARED).map((after) => ({ before, after, far: Math.abs(before.place.line - after.place.line) }));
  });
  const taken = new Set<Finding>();
  const pairs: [Finding, Finding][] = [];
  for (const { before, after } of candidates.toSorted((a, b) => a.far - b.far)) {
    if (taken.has(before) || taken.has(after) || !fits(before, after)) continue;
    taken.add(before);
    taken.add(after);
    pairs.push([before, after]);
  }
  const left = head.filter((after) => !taken.has(after));
  const inOrder = base.filter((before) => !taken.has(before)).map((before, at) => [before, left[at]] as const);
  return [...pairs, ...inOrder.filter((pair): pair is [Finding, Finding] => pair[1] !== undefined && fits(pair[0], pair[1]))];
}
