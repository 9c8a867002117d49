import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findingsOf } from "../findings/index.ts";
import { render } from "../report/index.ts";
import { findingOf, matchOf, resultOf } from "../testing/result.ts";
import { importSarif } from "./sarif.ts";

const log = (...results: object[]) =>
  JSON.stringify({
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "Other Tool",
            rules: [
              {
                id: "X1",
                shortDescription: { text: "Bad thing" },
                properties: { tags: ["external/cwe/cwe-079"], precision: "high", "security-severity": "9.1" },
              },
            ],
          },
        },
        results,
      },
    ],
  });
const result = (uri: string, more: object = {}) => ({
  ...{ ruleId: "X1", ruleIndex: 0, message: { text: "It is bad." } },
  locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: 3, startColumn: 2, endColumn: 9 } } }],
  ...more,
});

describe("a log of another tool", () => {
  test("becomes matches of ours", () => {
    const { matches, gaps } = importSarif(log(result("src/a%20b.js")), "x.sarif");
    expect(gaps).toEqual([]);
    expect(matches).toMatchObject([
      {
        rule: "code/other-tool/x1",
        title: "Bad thing",
        message: "It is bad. (Other Tool)",
        severity: "critical",
        confidence: "high",
        cwe: [79],
        place: { path: "src/a b.js", line: 3, column: 2 },
      },
    ]);
    expect(findingsOf(matches).findings).toHaveLength(1);
  });

  test("of our own comes back with its flow", () => {
    const { place } = matchOf();
    const flow = [
      { ...place, line: 3, end_line: 3, kind: "source" as const, message: "a query parameter" },
      { ...place, kind: "sink" as const, message: "runs in a shell" },
    ];
    const { matches } = importSarif(render(resultOf([findingOf({ flow })]), "sarif"), "x.sarif");
    expect(matches[0]?.flow.map(({ kind, line, message }) => [kind, line, message])).toEqual([
      ["source", 3, "a query parameter"],
      ["sink", 12, "runs in a shell"],
    ]);
  });

  test("what its users suppressed is passed over, what they only proposed to is not", () => {
    const suppressed = (status: string) => result("a.js", { suppressions: [{ kind: "external", status }] });
    expect(importSarif(log(suppressed("accepted"), suppressed("underReview")), "x").matches).toHaveLength(1);
  });

  test("that did not finish degrades the scan", () => {
    const text = log(result("a.js")).replace('"results"', '"invocations":[{"executionSuccessful":false}],"results"');
    expect(importSarif(text, "x")).toMatchObject({ matches: [{}], gaps: [{ reason: "incomplete", matters: true }] });
  });
});

describe("what is broken", () => {
  test.each([
    ["", "syntax_error"],
    ["{", "syntax_error"],
    ["[]", "format"],
    ["null", "format"],
    ['{"version":"1.0.0","runs":[]}', "format"],
    [log({}), "format"],
    [log(result("../../etc/passwd"), result("%2e%2e/x"), result("file:///etc/passwd"), result("/etc/passwd"), result("%ff")), "format"],
    ["[".repeat(200_000), "syntax_error"],
  ])("is a gap with its reason: %#", (text, reason) => {
    expect(importSarif(text, "x.sarif")).toMatchObject({ matches: [], gaps: [{ path: "x.sarif", kind: "degraded", reason, matters: true }] });
  });

  test("never throws, and what it gives is valid", () => {
    const json = fc.json({ maxDepth: 5 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          json,
          json.map((text) => log(JSON.parse(text) as object)),
        ),
        (text) => void findingsOf(importSarif(text, "x").matches),
      ),
    );
    const value = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.constant([]), fc.constant({}), fc.constant(-1), fc.constant(1e300));
    const region = fc.record({ startLine: value, startColumn: value, endLine: value, endColumn: value, snippet: fc.oneof(value, fc.record({ text: value })) });
    fc.assert(
      fc.property(
        region,
        value,
        (region, id) =>
          void importSarif(log({ ...result("a.js"), ruleId: id, locations: [{ physicalLocation: { artifactLocation: { uri: "a.js" }, region } }] }), "x"),
      ),
    );
  });

  test("a flood is cut, and told", () => {
    const { matches, gaps } = importSarif(log(...Array.from({ length: 25_010 }, () => result("a.js"))), "x");
    expect([matches.length, gaps]).toEqual([25_000, [expect.objectContaining({ reason: "too_many", detail: expect.stringContaining("10 results") })]]);
  });
});
