import type { PortRange } from "../orders/order.ts";
import type { Notes } from "./notes.ts";

/**
 * `ports` of a rule → ranges in order, joined where they touch, so that equal sets read equal. An empty list: every port.
 * Numbers are within 1..65535 by the schema, but that an `endPort` of 0 says nothing, as upstream.
 */
export function portRanges(given: readonly { port: number; endPort?: number | undefined }[] | undefined, path: string, notes: Notes): [number, number][] {
  const ranges = (given ?? []).map(({ port, endPort }, i): PortRange => {
    const last = endPort || port;
    if (last < port) notes.wrong(`${path}.ports[${i}].endPort`, `${last} is less than its port, ${port}`);
    return [port, last];
  });
  return joined(ranges);
}

/** In order, overlapping and touching ones made one. */
export function joined(ranges: readonly PortRange[]): [number, number][] {
  const done: [number, number][] = [];
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const before = done.at(-1);
    if (before && before[1] + 1 >= first) before[1] = Math.max(before[1], last);
    else done.push([first, last]);
  }
  return done;
}
