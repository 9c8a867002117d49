import { type Match, matchSchema } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchOf } from "../testing/result.ts";
import { findingsOf } from "./index.ts";

const fingerprints = (...matches: Match[]) => findingsOf(matches).findings.map(({ fingerprint }) => fingerprint);

describe("a fingerprint", () => {
  test("stays when lines move, and differs by rule, path and anchor", () => {
    const [here] = fingerprints(matchOf());
    expect(fingerprints(matchOf({ at: "src/server.js:99:7" }))).toEqual([here]);
    for (const other of [{ rule: "code/javascript/x" }, { at: "src/other.js:12:3" }, { anchor: "other" }])
      expect(fingerprints(matchOf(other))).not.toEqual([here]);
  });

  test("tells equal weaknesses of one file apart by their order", () => {
    const two = fingerprints(matchOf(), matchOf({ at: "src/server.js:40:3" }));
    expect(new Set(two).size).toBe(2);
    expect(two).toContain(fingerprints(matchOf())[0]);
  });

  test("is the same for a secret of the tree and of the history", () => {
    const secret = { detector: "github", provider: "GitHub", redacted: "ghp_…", digest: "d", state: "unverified" } as const;
    const tree = matchOf({ rule: "secrets/github", analyser: "secrets", verdict: "secret", secret, cwe: [798] });
    const past = { ...tree, place: { ...tree.place, line: 3, layers: [`commit:${"a".repeat(40)}`] } };
    expect(fingerprints(tree, past)).toEqual(fingerprints(tree));
    expect(fingerprints(past)).toEqual(fingerprints(tree));
    expect(findingsOf([past, tree]).findings[0]?.place.layers).toEqual([]);
  });

  test("of an advisory is its CVE's, whoever told of it, and an update that repairs nothing keeps it", () => {
    const told = (rule: string, aliases: string[], version = "4.17.20") => dependency({ rule, aliases, anchor: rule }, { version });
    const one = fingerprints(told("dependencies/ghsa", ["GHSA-aaaa-bbbb-cccc", "CVE-2021-1"]));
    expect(fingerprints(told("dependencies/osv", ["CVE-2021-1"]))).toEqual(one);
    expect(fingerprints(told("dependencies/osv", ["CVE-2021-1"], "4.17.21"))).toEqual(one);
    expect(fingerprints(told("dependencies/osv", ["CVE-2021-2"]))).not.toEqual(one);
  });
});

describe("joining", () => {
  test("two detectors over one secret: the named provider speaks", () => {
    const secret = (rule: string, detector: string) =>
      matchOf({
        rule,
        analyser: "secrets",
        verdict: "secret",
        cwe: [798],
        anchor: rule,
        secret: { detector, provider: detector, redacted: "…", digest: detector, state: "unverified" },
      });
    const { findings } = findingsOf([secret("secrets/a-generic", "generic-key"), secret("secrets/stripe", "stripe")]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ rule: "secrets/stripe", also: [{ rule: "secrets/a-generic", analyser: "secrets" }] });
  });

  test("an advisory under CVE, GHSA and PYSEC is one, also where two of them share no name", () => {
    const { findings } = findingsOf([
      dependency({ rule: "dependencies/a", aliases: ["PYSEC-2021-1", "CVE-2021-1"], anchor: "a" }),
      dependency({ rule: "dependencies/b", aliases: ["cve-2021-1", "GHSA-x"], anchor: "b" }, { kev: true, epss: 0.4 }),
      dependency({ rule: "dependencies/c", aliases: ["GHSA-X"], anchor: "c" }),
    ]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ package: { kev: true, epss: 0.4 } });
    expect(findings[0]?.aliases.map((name) => name.toUpperCase())).toEqual(["CVE-2021-1", "GHSA-X", "PYSEC-2021-1"]);
  });

  test("two versions of one package stay two", () => {
    const two = findingsOf([dependency({ aliases: ["CVE-1"] }), dependency({ aliases: ["CVE-1"] }, { version: "3.0.0" })]).findings;
    expect(two).toHaveLength(2);
    expect(new Set(two.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });

  test("a flow and a structural rule on one sink: the flow speaks, the gravest severity counts", () => {
    const taint = matchOf({ severity: "medium", flow: flow() });
    const structural = matchOf({ rule: "code/structural/exec", severity: "critical", anchor: "exec", at: "src/server.js:12:3" });
    const { findings } = findingsOf([structural, taint]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ rule: taint.rule, severity: "critical", also: [{ rule: "code/structural/exec" }] });
    expect(findings[0]?.flow).toHaveLength(2);
  });

  test("different weaknesses of one line stay two, and so do two calls of one rule in it", () => {
    expect(findingsOf([matchOf(), matchOf({ rule: "code/javascript/xss", cwe: [79] })]).findings).toHaveLength(2);
    expect(findingsOf([matchOf(), matchOf({ at: "src/server.js:12:10" })]).findings).toHaveLength(2);
  });

  test("a wide match swallows one of the places in it at most", () => {
    const wide = matchOf({ rule: "code/structural/handler", anchor: "w", at: "src/server.js:10:1" });
    const around = { ...wide, place: { ...wide.place, end_line: 18 } };
    const { findings } = findingsOf([around, matchOf({ flow: flow() }), matchOf({ at: "src/server.js:14:3", flow: flow() })]);
    expect(findings.filter(({ rule }) => rule === "code/javascript/command-injection")).toHaveLength(2);
  });

  test("malice is never hidden behind a weakness of the same place", () => {
    const malice = matchOf({ rule: "agentware/stealer", analyser: "agentware", verdict: "malice", severity: "critical", confidence: "low", anchor: "m" });
    const { findings } = findingsOf([matchOf({ flow: flow() }), malice]);
    expect(findings.map(({ verdict }) => verdict)).toContain("malice");
  });
});

test("findings are the same in whatever order the matches come, and none is lost", () => {
  const some = fc.record({
    rule: fc.constantFrom("code/a", "code/b", "agentware/c"),
    line: fc.integer({ min: 1, max: 4 }),
    column: fc.integer({ min: 1, max: 9 }),
    cwe: fc.subarray([78, 79]),
    verdict: fc.constantFrom("weakness", "malice", "authority"),
    severity: fc.constantFrom("high", "low"),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 12 }), fc.integer(), (list, seed) => {
      const matches = list.map(({ rule, line, column, cwe, verdict, severity }) =>
        matchSchema.parse({ ...matchOf({ at: `a.js:${line}:${column}` }), rule, cwe, verdict, severity, anchor: rule }),
      );
      const mixed = matches.map((match, at) => [Math.sin(seed + at), match] as const).toSorted(([a], [b]) => a - b);
      const one = findingsOf(matches);
      expect(findingsOf(mixed.map(([, match]) => match))).toEqual(one);
      expect(new Set(one.findings.map(({ fingerprint }) => fingerprint)).size).toBe(one.findings.length);
      for (const match of matches) {
        const told = one.findings.some(
          ({ rule, also, place }) => [rule, ...also.map((each) => each.rule)].includes(match.rule) && Math.abs(place.line - match.place.line) < 10,
        );
        expect(told).toBe(true);
      }
    }),
  );
});

test("every finding says what to do", () => {
  for (const verdict of ["weakness", "secret", "malice", "authority"] as const) {
    expect(findingsOf([matchOf({ verdict, fix: { text: "  " } })]).findings[0]?.fix.text.length).toBeGreaterThan(20);
  }
  expect(findingsOf([dependency({ fix: { text: "" } })]).findings[0]?.fix.text).toBe("Update lodash, which webpack brings, from 4.17.20 to 4.17.21 or later.");
});

function flow(): Match["flow"] {
  const place = { path: "src/server.js", column: 1, end_column: 9, snippet: "", layers: [] };
  return [
    { ...place, line: 3, end_line: 3, kind: "source", message: "a query parameter of the HTTP request" },
    { ...place, line: 12, end_line: 12, kind: "sink", message: "runs in a shell" },
  ];
}

function dependency(more: Parameters<typeof matchOf>[0], affected: Partial<NonNullable<Match["package"]>> = {}): Match {
  return matchOf({
    rule: "dependencies/advisory",
    analyser: "dependencies",
    at: "package-lock.json:1:1",
    anchor: "lodash",
    ...more,
    package: {
      ...{ purl: "pkg:npm/lodash@4.17.20", ecosystem: "npm", name: "lodash", version: "4.17.20", path: ["webpack", "lodash"], direct: false },
      ...{ development: false, fixed: ["4.17.21"], reachability: "imported" as const, kev: false, epss: null, ...affected },
    },
  });
}
