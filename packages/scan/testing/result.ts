import { type Finding, type Match, type MatchInput, matchSchema, type ScanResult, scanResultSchema } from "@plastron/contracts";
import { findingsOf } from "../findings/index.ts";

/** A match as a test writes it down: a command injection, but for what is said otherwise. */
export function matchOf(more: Partial<MatchInput> & { at?: string } = {}): Match {
  const { at = "src/server.js:12:3", ...rest } = more;
  const [path, line, column] = at.split(":") as [string, string, string];
  const snippet = rest.place?.snippet ?? '  exec("ls " + dir);';
  const place = { path, line: Number(line), column: Number(column), end_line: Number(line), end_column: Number(column) + 15, snippet, snippet_column: 1 };
  return matchSchema.parse({
    rule: "code/javascript/command-injection",
    analyser: "code",
    verdict: "weakness",
    title: "Command injection",
    message: "Text from outside becomes part of a shell command: whoever sends it runs commands here.",
    severity: "high",
    confidence: "high",
    cwe: [78],
    place,
    fix: { text: "Call execFile with a list of arguments." },
    anchor: "list|exec(ls+dir)",
    ...rest,
  } satisfies MatchInput);
}

export function findingOf(more: Parameters<typeof matchOf>[0] = {}): Finding {
  return findingsOf([matchOf(more)]).findings[0] as Finding;
}

/** A result of these findings, complete but for what is said otherwise. */
export function resultOf(findings: readonly Finding[], more: Partial<ScanResult> = {}): ScanResult {
  return scanResultSchema.parse({
    version: 1,
    artifact: { kind: "tree", digest: "ab".repeat(32), name: "./shop", revision: null },
    status: "complete",
    started_at: "2026-03-01T10:00:00.000Z",
    ms: 1234,
    findings,
    coverage: {
      files: 48,
      bytes: 912_345,
      analysers: {
        secrets: { files: 48, bytes: 912_345, cached: 0, ms: 40, version: "1" },
        code: { files: 31, bytes: 640_000, cached: 12, ms: 420, version: "1" },
      },
      gaps: [],
      gaps_total: 0,
      notes: [],
    },
    sbom: null,
    ...more,
  });
}
