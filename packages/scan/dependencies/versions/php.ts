import type { VersionScheme } from "./scheme.ts";

/**
 * Composer's order: up to four numbers, then a stability: dev, alpha, beta, RC, none, patch (https://getcomposer.org/doc/articles/versions.md). Branches
 * (`dev-main`) have no order.
 */
export const php: VersionScheme = {
  valid: (version) => version.length <= 128 && PATTERN.test(version),
  compare,
};

const PATTERN = /^v?(\d{1,10}(?:\.\d{1,10}){0,3})(?:[._-]?(dev|alpha|a|beta|b|rc|stable|patch|pl|p)(?:[.-]?(\d{1,10}))?)?(?:[.-]?dev)?(?:\+\S*)?$/i;
const RANKS: Readonly<Record<string, number>> = { dev: 0, alpha: 1, a: 1, beta: 2, b: 2, rc: 3, stable: 4, patch: 5, pl: 5, p: 5 };

function parse(version: string): number[] {
  const [, numbers = "0", stability, count] = PATTERN.exec(version) ?? [];
  const rank = stability === undefined ? (/dev$/i.test(version) ? 0 : 4) : (RANKS[stability.toLowerCase()] ?? 4);
  return [...[...numbers.split(".").map(Number), 0, 0, 0].slice(0, 4), rank, Number(count ?? 0)];
}

function compare(a: string, b: string): number {
  const right = parse(b);
  for (const [i, number] of parse(a).entries()) if (number !== right[i]) return number - (right[i] ?? 0);
  return 0;
}
