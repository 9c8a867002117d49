import type { Harness } from "./harness.ts";

const MOST = 24;
/** Names of what is likely to be given input from outside. */
const LIKELY =
  /pars|decod|deserial|read|load|handle|render|format|valid|query|search|merge|extend|assign|set|get|exec|run|convert|tokeni|lex|match|compile|unescape|extract|from/i;

/** Which harnesses get the time: tools and requests first, then what its name says takes input; one of each kind before the second of any module. */
export function choose(
  all: readonly Harness[],
  { harness, mostHarnesses = MOST, seconds }: { harness?: string; mostHarnesses?: number; seconds: number },
): Harness[] {
  const asked = harness === undefined ? all : all.filter(({ id }) => id.includes(harness));
  const most = Math.max(1, Math.min(mostHarnesses, seconds * 2));
  const score = (one: Harness) => (one.kind === "function" ? 0 : 4) + (LIKELY.test(one.export) ? 2 : 0) + (one.types === "declared" ? 1 : 0);
  return asked.toSorted((a, b) => score(b) - score(a) || (a.id < b.id ? -1 : 1)).slice(0, most);
}
