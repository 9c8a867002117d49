/** How the seed is written down: one line a weakness. `osvOf` makes a document of OSV of it. */
export interface SeedLine {
  readonly id: string;
  readonly alias?: readonly string[];
  readonly package: readonly [ecosystem: string, name: string];
  /** `[introduced, fixed]`; `=X` instead of a fix: X is the last affected one. */
  readonly ranges?: readonly (readonly [string, string | null])[];
  readonly versions?: readonly string[];
  readonly summary: string;
  readonly cvss?: string;
  readonly severity?: "LOW" | "MODERATE" | "HIGH" | "CRITICAL";
  readonly cwe?: readonly number[];
  readonly functions?: readonly string[];
}

export function osvOf(line: SeedLine): unknown {
  const [ecosystem, name] = line.package;
  const version = line.cvss?.startsWith("CVSS:4") ? "CVSS_V4" : "CVSS_V3";
  const range = (line.ranges ?? []).map(([introduced, end]) => ({
    type: ecosystem === "npm" || ecosystem === "crates.io" || ecosystem === "Go" ? "SEMVER" : "ECOSYSTEM",
    events: [{ introduced }, ...(end === null ? [] : end.startsWith("=") ? [{ last_affected: end.slice(1) }] : [{ fixed: end }])],
  }));
  return {
    schema_version: "1.6.0",
    id: line.id,
    modified: "2026-01-01T00:00:00Z",
    aliases: line.alias ?? [],
    summary: line.summary,
    severity: line.cvss === undefined ? [] : [{ type: version, score: line.cvss }],
    affected: [
      {
        package: { ecosystem, name },
        ranges: range,
        versions: line.versions ?? [],
        ...(line.functions ? { ecosystem_specific: { affected_functions: line.functions } } : {}),
      },
    ],
    references: [line.id, ...(line.alias ?? [])].flatMap((id) =>
      id.startsWith("GHSA-")
        ? [{ type: "ADVISORY", url: `https://github.com/advisories/${id}` }]
        : id.startsWith("CVE-")
          ? [{ type: "ADVISORY", url: `https://nvd.nist.gov/vuln/detail/${id}` }]
          : [],
    ),
    database_specific: { ...(line.severity ? { severity: line.severity } : {}), cwe_ids: (line.cwe ?? []).map((number) => `CWE-${number}`) },
  };
}
