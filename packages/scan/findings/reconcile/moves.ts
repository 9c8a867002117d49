/** A file that has another name now: `git diff --find-renames` tells, or `movesOf`. Paths as `fileKey` says them. */
export interface Move {
  readonly from: string;
  readonly to: string;
}

/** Files that went and came with the same content; where several are equal, as many as went. */
export function movesOf(base: ReadonlyMap<string, string>, head: ReadonlyMap<string, string>): Move[] {
  const came = Map.groupBy(
    [...head].filter(([path]) => !base.has(path)),
    ([, sha256]) => sha256,
  );
  return [...base].flatMap(([path, sha256]) => {
    if (head.has(path)) return [];
    const taken = came.get(sha256)?.shift();
    return taken ? [{ from: path, to: taken[0] }] : [];
  });
}

/** Where a file of the base is now; a file of the head (`moves` null) is where it is. Null where it did not move. */
export function movedPath(path: string, moves: readonly Move[] | null): string | null {
  return moves === null ? path : (indexOf(moves).get(path) ?? null);
}

const indexes = new WeakMap<readonly Move[], Map<string, string>>();
function indexOf(moves: readonly Move[]): Map<string, string> {
  const known = indexes.get(moves);
  if (known) return known;
  const index = new Map(moves.map(({ from, to }) => [from, to]));
  indexes.set(moves, index);
  return index;
}
