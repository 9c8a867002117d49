import type { MatchInput } from "@plastron/contracts";
import type { Mismatch } from "../pair.ts";
import { shown } from "../shown.ts";

/** A manifest asks for what its lock file does not give: one of the two was changed alone, and who installs gets what nobody reviewed. */
export function mismatchFinding({ lock, manifest, differences }: Mismatch): MatchInput {
  const layers = manifest.key.split("!/");
  const path = layers.pop() as string;
  const line = differences[0]?.root.line ?? 1;
  const words = differences
    .slice(0, 5)
    .map(({ root, locked }) => `${shown(root.name)} ${shown(root.range, 40)} (${locked === null ? "not locked" : `locked: ${shown(locked, 40)}`})`);
  return {
    rule: "dependencies/lock-mismatch",
    analyser: "dependencies",
    verdict: "weakness",
    title: `${lock.listing.format} does not answer ${manifest.listing.format}: ${differences.length} of its dependencies`,
    message: `The manifest asks for what the lock file does not give: ${words.join(", ")}${differences.length > 5 ? ", …" : ""}. Whoever installs without a check gets versions that no one has looked at.`,
    severity: "low",
    confidence: "medium",
    cwe: [1104],
    place: { path, layers, line, column: 1, end_line: line, end_column: 1 },
    fix: {
      text: "Make the lock file anew from the manifest, and install with the check on: npm ci, pnpm install --frozen-lockfile, yarn install --immutable.",
    },
    anchor: `mismatch ${lock.listing.format.replace(/ .*/, "")}`,
  };
}
