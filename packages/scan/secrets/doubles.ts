import { SEVERITIES } from "@plastron/contracts";
import type { Found } from "./match.ts";

/**
 * Of several that say something of the same characters the one that knows best stands: a provider's before a generic one, what is proved, what is
 * graver, what is longer. The same secret found plain and in a layer round it is the plain one.
 */
export function withoutDoubles(found: readonly Found[]): Found[] {
  const kept: Found[] = [];
  const ranked = [...found].sort((a, b) => rank(a) - rank(b) || a.from - b.from || b.hit.secret.length - a.hit.secret.length);
  for (const each of ranked) if (!kept.slice(-400).some((other) => says(other, each))) kept.push(each);
  return kept.sort((a, b) => a.from - b.from || rank(a) - rank(b));
}

function rank({ hit, layers }: Found): number {
  return (
    (hit.detector.generic ? 1000 : 0) + (hit.proved ? 0 : 100) + layers.length * 10 - (hit.detector.near.length > 0 ? 5 : 0) + SEVERITIES.indexOf(hit.severity)
  );
}

function says(kept: Found, other: Found): boolean {
  const overlaps = kept.from < other.to && other.from < kept.to;
  if (!overlaps) return false;
  if (kept.layers.length === 0 && other.layers.length === 0) return true;
  if (kept.hit.secret.startsWith("-----") && kept.hit.detector === other.hit.detector) return true;
  return kept.hit.secret.includes(other.hit.secret) || other.hit.secret.includes(kept.hit.secret) || other.hit.detector.generic;
}
