import { describe, expect, it } from "vitest";
import { JUDGEMENTS } from "./judgements.ts";
import { PACKAGES } from "./packages.ts";
import { printPrecision } from "./print.ts";

describe("the set that precision is measured on", () => {
  it("holds at least forty packages at exact versions, each once, of npm, PyPI and MCP", () => {
    expect(PACKAGES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(PACKAGES.map(({ what }) => what)).size).toBe(PACKAGES.length);
    for (const { what } of PACKAGES) expect(what).toMatch(/^(npm:(@[\w.-]+\/)?[\w.-]+@\d+(\.\d+)+|pypi:[\w.-]+==\d+(\.\d+)+)$/);
    for (const kind of ["npm:", "pypi:"]) expect(PACKAGES.filter(({ what }) => what.startsWith(kind)).length).toBeGreaterThanOrEqual(15);
    expect(PACKAGES.filter(({ sort }) => sort === "mcp").length).toBeGreaterThanOrEqual(10);
  });

  it("is judged by the package, the rule and the line, with a sentence each", () => {
    const known = new Set(PACKAGES.map(({ what }) => what));
    for (const { what, line, why } of JUDGEMENTS) {
      expect(known).toContain(what);
      expect(line.trim().length).toBeGreaterThan(3);
      expect(why).toMatch(/^.{20,}\.$/);
    }
    const keys = JUDGEMENTS.map(({ what, rule, path, line }) => `${what}|${rule}|${path}|${line}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("printing precision", () => {
  const finding = {
    fingerprint: "f",
    rule: "code/x",
    severity: "high",
    verdict: "weakness",
    place: "a.js:1",
    line: "x\u001b[2J",
    message: "m",
    flow: [],
    why: "",
  };
  const row = {
    what: "npm:x@1.0.0",
    sort: "library",
    status: "complete",
    files: 1,
    bytes: 10,
    seconds: 1,
    severities: { high: 1 },
    verdicts: { weakness: 1 },
    gaps: [],
  };
  const report = (judged: "false" | "not yet", false_per_ten: number) => ({
    ...{ bench: "precision" as const, started_at: "2026-01-01T00:00:00.000Z", settings: { quick: false }, stale: [] },
    packages: [{ ...row, grave: [{ ...finding, judged }] }],
    totals: { packages: 1, incomplete: 0, malice: 0, grave: 1, judged: { [judged]: 1 }, false_per_ten },
  });

  it("is missed while a finding is not judged, or too many are false", () => {
    expect(printPrecision(report("not yet", 0)).at(-1)).toContain("MISSED");
    expect(printPrecision(report("false", 10)).at(-1)).toContain("MISSED");
    expect(printPrecision(report("false", 1)).at(-1)).toContain("met");
  });

  it("lets no text of a package into the terminal", () => {
    expect(printPrecision(report("false", 1)).join("\n")).not.toContain("\u001b");
  });
});
