import { type Finding, findingSchema, type ScanResult, scanResultSchema } from "@plastron/contracts";

/** A finding as a test writes it down: what it does not name is some weakness in JavaScript. */
export function findingNamed(more: Partial<Finding> & { fingerprint: string }): Finding {
  const place = { path: "src/a.js", line: 1, column: 1, end_line: 1, end_column: 2 };
  return findingSchema.parse({
    ...{ rule: "code/javascript/command-injection", analyser: "code", verdict: "weakness", title: "Command injection", message: "…" },
    ...{ severity: "high", confidence: "high", place, fix: { text: "Do not." }, priority: { level: "now", score: 90, words: "" } },
    ...{ state: "open", exemption: null, also: [] },
    ...more,
    fingerprint: more.fingerprint.padStart(32, "0"),
  });
}

/** A complete scan of these findings by every analyser. */
export function scanOf(findings: readonly Finding[], more: Partial<ScanResult> & { coverage?: Partial<ScanResult["coverage"]> } = {}): ScanResult {
  const seen = { files: 1, bytes: 1, cached: 0, ms: 1, version: "1" };
  const analysers = { secrets: seen, code: seen, dependencies: seen, agentware: seen };
  const advisories = { as_of: "2026-01-01T00:00:00.000Z", seed: true };
  return scanResultSchema.parse({
    ...{ version: 1, artifact: { kind: "tree", digest: "0".repeat(64), name: ".", revision: null }, status: "complete" },
    ...{ started_at: "2026-01-01T00:00:00.000Z", ms: 1, findings, sbom: null, ...more },
    coverage: { files: 1, bytes: 1, analysers, gaps: [], gaps_total: 0, notes: [], advisories, ...more.coverage },
  });
}
