import { gzipSync } from "node:zlib";
import { Ajv } from "ajv";
import formats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hostileText, resultSaying } from "../../testing/hostile.ts";
import { findingOf, matchOf, resultOf } from "../../testing/result.ts";
import { SARIF_SHAPE } from "../../testing/sarif-shape.ts";
import { render } from "../index.ts";
import { uriOf } from "./places.ts";

const ajv = new Ajv({ allErrors: true });
formats.default(ajv);
const validate = ajv.compile(SARIF_SHAPE);
interface Json {
  readonly [key: string]: Json;
}
const runOf = (...findings: Parameters<typeof resultOf>[0]): Json =>
  (JSON.parse(render(resultOf(findings), "sarif", { version: "0.1.0" })) as Json).runs?.[0] as Json;

describe("a SARIF log", () => {
  test("has the standard's shape, whatever stands in the artifact", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        validate(JSON.parse(render(resultSaying(text), "sarif")));
        expect(validate.errors).toBeNull();
      }),
      { numRuns: 120 },
    );
  });

  test("tells GitHub which alert it is by our fingerprint, and how grave it is by its score", () => {
    const finding = findingOf({ cvss: [{ version: "3.1", vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", score: 0 }] });
    const run = runOf(finding);
    expect(run.results?.[0]?.partialFingerprints).toEqual({ "plastron/v1": finding.fingerprint, primaryLocationLineHash: `${finding.fingerprint}:1` });
    expect(run.tool?.driver?.rules?.[0]).toMatchObject({
      id: finding.rule,
      name: "CommandInjection",
      properties: { "security-severity": "9.8", precision: "high", tags: ["security", "code", "weakness", "external/cwe/cwe-078"] },
    });
  });

  test("has the flow from source to sink, and where it begins beside it", () => {
    const { place } = matchOf();
    const flow = [
      { ...place, line: 3, end_line: 3, kind: "source" as const, message: "a query parameter" },
      { ...place, kind: "sink" as const, message: "runs in a shell" },
    ];
    const [result] = runOf(findingOf({ flow })).results as unknown as [Json];
    const steps = result.codeFlows?.[0]?.threadFlows?.[0]?.locations as unknown as Json[];
    expect(steps.map((step) => [step.kinds?.[0], step.location?.physicalLocation?.region?.startLine])).toEqual([
      ["source", 3],
      ["sink", 12],
    ]);
    expect(result.relatedLocations?.[0]).toMatchObject({ id: 1, message: { text: "a query parameter" } });
  });

  test("says that an exempted finding is suppressed, by whom, until when and why", () => {
    const exemption = { id: "EX-1", reason: "A constant.", approver: "bea", expires: "2026-05-01", status: "accepted" as const, justification: null };
    const [result] = runOf({ ...findingOf(), state: "exempted", exemption }).results as unknown as [Json];
    expect(result.suppressions).toEqual([
      { kind: "external", status: "accepted", justification: "A constant. (exemption EX-1, approved by bea, until 2026-05-01)" },
    ]);
    expect(runOf(findingOf()).results?.[0]?.suppressions).toEqual([]);
  });

  test("says what was not looked at, and that it did not succeed", () => {
    const gaps = [{ kind: "failed" as const, analyser: "code" as const, path: "a b.js", reason: "timeout", detail: "took too long", matters: true }];
    const log = JSON.parse(render(resultOf([], { status: "incomplete", coverage: { ...resultOf([]).coverage, gaps, gaps_total: 1 } }), "sarif")) as Json;
    expect(log.runs?.[0]?.invocations?.[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [
        { level: "error", descriptor: { id: "code/timeout" }, locations: [{ physicalLocation: { artifactLocation: { uri: "a%20b.js" } } }] },
      ],
    });
  });

  test("puts what lies in an archive at the archive, as a repository has no other file", () => {
    const { place } = matchOf();
    const [result] = runOf(findingOf({ place: { ...place, layers: ["vendor/x.zip"] } })).results as unknown as [Json];
    expect(result.locations?.[0]).toMatchObject({
      physicalLocation: { artifactLocation: { uri: "vendor/x.zip" }, region: { startLine: 1 } },
      logicalLocations: [{ fullyQualifiedName: "vendor/x.zip!/src/server.js:12:3" }],
    });
  });

  test("gives edits as a fix", () => {
    const [result] = runOf(findingOf({ fix: { text: "Use execFile.", edits: [{ path: "src/server.js", start: 4, end: 8, text: "execFile" }] } }))
      .results as unknown as [Json];
    expect(result.fixes?.[0]?.artifactChanges?.[0]?.replacements?.[0]).toEqual({
      deletedRegion: { charOffset: 4, charLength: 4 },
      insertedContent: { text: "execFile" },
    });
  });

  test("keeps within what GitHub takes: 25,000 results, 10 MB compressed; the most urgent stay, and the rest is told", () => {
    const { place } = matchOf();
    const flow = Array.from({ length: 20 }, (_, at) => ({ ...place, line: at + 1, end_line: at + 1, kind: "step" as const, message: `step ${at} of many` }));
    const one = findingOf({ flow });
    const findings = Array.from({ length: 26_000 }, (_, at) => ({
      ...one,
      fingerprint: at.toString(16).padStart(32, "0"),
      place: { ...place, line: at + 1, end_line: at + 1 },
    }));
    const text = render(resultOf(findings), "sarif");
    const log = JSON.parse(text) as Json;
    expect(log.runs?.[0]?.results).toHaveLength(25_000);
    expect(log.runs?.[0]?.invocations?.[0]?.toolExecutionNotifications?.[0]?.message?.text).toContain("1,000 findings");
    expect(gzipSync(text, { level: 1 }).length).toBeLessThan(10e6);
  });
});

test.each([
  ["src/a b.js", "src/a%20b.js"],
  ["a#b?c%d.js", "a%23b%3Fc%25d.js"],
  ["../../etc/passwd", "etc/passwd"],
  ["/etc/passwd", "etc/passwd"],
  ["http://x/y", "http%3A/x/y"],
  ["ümlaut/漢.js", "%C3%BCmlaut/%E6%BC%A2.js"],
  ["a\\b", "a%5Cb"],
  ["\ud800", "%EF%BF%BD"],
  ["..", "%20"],
])("the path %s is %s", (path, uri) => {
  expect(uriOf(path)).toBe(uri);
});
