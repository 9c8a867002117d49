import { type Around, type Confirmed, confirm, replay } from "./confirm.ts";
import type { Input, Outcome } from "./frames.ts";
import type { Harness, Pump } from "./harness.ts";

/** Each try costs seconds: a hang has to be waited for. */
const MOST_TRIES = 5;

/**
 * A hang that comes with length is slowness, which can be measured: where its longest string repeats something, that is grown from a short one. Else it is a
 * loop without an end, and its input is halved while it still hangs.
 */
export async function shortenHang(around: Around, harness: Harness, args: Input, outcome: Outcome): Promise<Confirmed> {
  const longest = longestString(args, []);
  const pump = longest && repeated(longest.value, longest.path);
  if (pump) {
    const slow = await confirm(around, harness, { oracle: "slow", key: "slow", input: args, pump });
    if (slow) return slow;
  }
  let input = args;
  let at = longest;
  for (let tries = 0; at && at.value.length > 4 && tries < MOST_TRIES; tries++) {
    const shorter = put(input, at.path, at.value.slice(0, at.value.length >> 1));
    const now = await replay(around, harness, shorter);
    if (now?.oracle !== "hang") break;
    input = shorter;
    at = longestString(input, []);
  }
  return { harness, input, seed: around.seed, pump: null, times: [], ...outcome };
}

type Path = (string | number)[];

function longestString(value: unknown, path: Path): { value: string; path: Path } | null {
  if (typeof value === "string") return { value, path };
  if (value === null || typeof value !== "object" || path.length > 12) return null;
  const inner = Object.entries(value).map(([key, one]) => longestString(one, [...path, Array.isArray(value) ? Number(key) : key]));
  return inner.reduce((best, one) => (one && (!best || one.value.length > best.value.length) ? one : best), null);
}

/** The longest run of one unit of up to 32 characters. */
export function repeated(text: string, path: Path): Pump | null {
  let best: { from: number; size: number; times: number } | null = null;
  const s = text.slice(0, 8192);
  for (let size = 1; size <= 32; size++)
    for (let from = 0; from + size * 4 <= s.length; ) {
      let to = from + size;
      while (to < s.length && s[to] === s[to - size]) to++;
      const times = Math.floor((to - from) / size);
      if (times >= 4 && (!best || times * size > best.times * best.size)) best = { from, size, times };
      from = Math.max(from + 1, to - size + 1);
    }
  if (!best) return null;
  const { from, size, times } = best;
  const unit = s.slice(from, from + size);
  let end = from + size * times;
  while (text.startsWith(unit, end)) end += size;
  return { prefix: text.slice(0, from), unit, suffix: text.slice(end), times, path };
}

function put(value: unknown, [key, ...rest]: Path, inner: unknown): Input {
  if (key === undefined) return inner as Input;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  Object.defineProperty(copy, key, {
    value: put((value as Record<string | number, unknown>)[key], rest, inner),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return copy as Input;
}
