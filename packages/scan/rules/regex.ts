import type { Diagnostics, Parameters } from "recheck";
// Its main module starts programs and workers to be faster; this one only computes.
import recheck from "recheck/lib/browser.js";

/** Milliseconds for one expression; what cannot be judged within is refused, too. */
const TIMEOUT = 15_000;
const judged = new Map<string, string | null>();

/**
 * Why this regular expression must not run over hostile text, in words; null where its time grows with the length of the text alone.
 * `(?i)` and `(?m)` at its head, as the matcher of syntax trees writes flags, are understood.
 */
export function slowRegex(source: string, flags = ""): string | null {
  const key = `${flags}/${source}`;
  const known = judged.get(key);
  if (known !== undefined) return known;
  const verdict = judge(source, flags);
  judged.set(key, verdict);
  return verdict;
}

function judge(whole: string, given: string): string | null {
  const [head = "", inline = ""] = /^\(\?([ims]+)\)/.exec(whole) ?? [];
  const source = whole.slice(head.length);
  const flags = [...new Set(given + inline)].filter((flag) => "imsu".includes(flag)).join("");
  try {
    new RegExp(source, flags);
  } catch (error) {
    return `is not a regular expression: ${(error as Error).message}`;
  }
  const found = (recheck as { checkSync(source: string, flags: string, more: Parameters): Diagnostics }).checkSync(source, flags, {
    timeout: TIMEOUT,
    recallTimeout: -1000,
  });
  if (found.status === "safe") return null;
  if (found.status === "unknown") return `cannot be shown to be fast (${found.error.kind}): make it simpler`;
  const [{ start, end } = { start: 0, end: source.length }] = found.hotspot;
  const time = found.complexity.type === "exponential" ? "exponential" : `polynomial (degree ${found.complexity.degree})`;
  return `takes ${time} time on hostile text, around ${JSON.stringify(source.slice(start, end).slice(0, 80))}: bound its repetitions, {0,100} instead of *, or make them exclude one another`;
}

/** Every text under a key that holds a regular expression, in rules of any kind, however deep, with its path. */
export function regexesIn(value: unknown, path = ""): { path: string; regex: string }[] {
  if (Array.isArray(value)) return value.flatMap((each, i) => regexesIn(each, `${path}[${i}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = path === "" ? key : `${path}.${key}`;
    return typeof inner === "string" ? (REGEX_KEYS.has(key) ? [{ path: at, regex: inner }] : []) : regexesIn(inner, at);
  });
}
const REGEX_KEYS = new Set(["regex", "matches", "not_matches", "unless_prefix", "context", "mentions"]);
