import type { Label, Program } from "./program.ts";

/**
 * A binary search by jumps over neighbouring stretches in rising order. `jumpIfFrom` writes a jump that is taken from where a
 * stretch begins; `labelOf` says where the search ends for one. The first stretch begins with the smallest value.
 */
export function writeSearch<Stretch>(
  program: Program,
  stretches: readonly Stretch[],
  jumpIfFrom: (stretch: Stretch, above: Label) => void,
  labelOf: (stretch: Stretch) => Label,
): void {
  const search = (parts: readonly Stretch[]): void => {
    const [first, upper] = [parts[0] as Stretch, parts.slice(parts.length >> 1)];
    if (parts.length === 1) {
      program.goto(labelOf(first));
      return;
    }
    const begin = upper[0] as Stretch;
    const above = upper.length > 1 ? program.label("the upper half") : labelOf(begin);
    jumpIfFrom(begin, above);
    search(parts.slice(0, parts.length >> 1));
    if (upper.length === 1) return;
    program.place(above);
    search(upper);
  };
  search(stretches);
}
