import type { VersionScheme } from "./scheme.ts";

/**
 * Gem::Version (https://docs.ruby-lang.org/en/master/Gem/Version.html): runs of digits and of letters; letters make it a pre-release and
 * stand before numbers; zeros at the end say nothing.
 */
export const ruby: VersionScheme = {
  valid: (version) => version.length <= 128 && /^\d+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/.test(version),
  compare,
};

type Segment = number | string;

function segments(version: string): Segment[] {
  return (version.replaceAll("-", ".pre.").match(/\d+|[a-z]+/gi) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part));
}

/** Zeros say nothing at the end, nor before the first letters. */
function trimmed(version: string): Segment[] {
  const all = segments(version);
  const letters = all.findIndex((segment) => typeof segment === "string");
  const cut = letters < 0 ? all.length : letters;
  return [...withoutZeros(all.slice(0, cut)), ...withoutZeros(all.slice(cut))];
}

function withoutZeros(list: Segment[]): Segment[] {
  const end = list.findLastIndex((segment) => segment !== 0);
  return list.slice(0, end + 1);
}

function compare(a: string, b: string): number {
  const left = trimmed(a);
  const right = trimmed(b);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const l = left[i] ?? 0;
    const r = right[i] ?? 0;
    if (l === r) continue;
    if (typeof l === "string" && typeof r === "number") return -1;
    if (typeof l === "number" && typeof r === "string") return 1;
    return l < r ? -1 : 1;
  }
  return 0;
}
