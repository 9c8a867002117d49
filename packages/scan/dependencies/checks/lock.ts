import type { MatchInput } from "@plastron/contracts";
import type { ScanFile } from "../../analyser.ts";
import type { Listing } from "../facts.ts";

/** What is wrong with a lock file as such, whatever it names. */
export function lockChecks(file: ScanFile, listing: Listing): MatchInput[] {
  if (listing.role !== "lock") return [];
  return [...withoutHashes(file, listing)];
}

function withoutHashes(file: ScanFile, listing: Listing): MatchInput[] {
  const bare = listing.packages.filter(({ unhashed }) => unhashed);
  const first = bare[0];
  if (first === undefined) return [];
  const line = first.line;
  return [
    {
      rule: "dependencies/lock-without-hashes",
      analyser: "dependencies",
      verdict: "weakness",
      title: `${bare.length} of ${listing.packages.length} packages in ${listing.format} have no hash`,
      message:
        "What is fetched for these packages is compared with nothing: whoever controls the server, the way to it or a cache can put something else in their place, and the lock file would not notice.",
      severity: "low",
      confidence: "high",
      cwe: [353],
      place: { path: file.path, layers: [...file.layers], line, column: 1, end_line: line, end_column: 1 },
      fix: { text: "Make the lock file anew with a current version of its tool, against a registry that gives hashes." },
      anchor: "without-hashes",
    },
  ];
}
