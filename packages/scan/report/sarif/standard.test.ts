import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Finding } from "@plastron/contracts";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importSarif } from "../../imports/sarif.ts";
import { hostileText, PAYLOADS, resultSaying } from "../../testing/hostile.ts";
import { findingOf, matchOf, resultOf } from "../../testing/result.ts";
import { render } from "../index.ts";

const SCHEMA = readFileSync(join(import.meta.dirname, "fixtures/sarif-schema-2.1.0.json"), "utf8");
const published = published_();

function published_(): ValidateFunction {
  const { $schema: _, id: __, ...schema } = JSON.parse(SCHEMA) as Record<string, unknown>;
  const ajv = new Ajv({ allErrors: true, strict: false });
  formats.default(ajv);
  return ajv.compile(schema);
}

interface Json {
  readonly [key: string]: Json;
}
const logOf = (findings: readonly Finding[], more: Parameters<typeof resultOf>[1] = {}): Json =>
  JSON.parse(render(resultOf(findings, more), "sarif", { version: "0.1.0" })) as Json;
const faults = (log: unknown) => (published(log) ? [] : (published.errors ?? []).slice(0, 5));
const list = (value: Json | undefined) => (value ?? []) as unknown as readonly Json[];

const { place } = matchOf();
const steps = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ...place,
    line: at + 1,
    end_line: at + 1,
    kind: at === 0 ? ("source" as const) : at === count - 1 ? ("sink" as const) : ("call" as const),
    message: `step ${at}`,
  }));
const exemption = { id: "E", reason: "r", approver: "a", expires: "2026-05-01", status: "accepted" as const, justification: null };
const EVERYTHING: readonly Finding[] = [
  findingOf({ flow: steps(64), fix: { text: "Do.", edits: [{ path: "src/server.js", start: 0, end: 4, text: "x" }] }, references: ["https://a.example/b"] }),
  { ...findingOf({ at: "b.js:1:1" }), state: "exempted", exemption },
  findingOf({ at: "c.js:1:1", place: { ...place, layers: ["a.zip", "base64"] } }),
  findingOf({ at: "d.js:1:1", place: { ...place, snippet: "", end_line: place.line, end_column: place.column } }),
];

describe("the schema that OASIS publishes", () => {
  test("is what we hold our logs against, unchanged, and refuses what is none", () => {
    expect(
      createHash("sha256")
        .update(JSON.stringify(JSON.parse(SCHEMA)))
        .digest("hex"),
    ).toBe("2c14c20b8877bbd7b26f7b7d3e74f5e750f7e3edd33288b9d3043812ed52ad9a");
    const log = logOf(EVERYTHING);
    expect(faults({ ...log, version: "2.0.0" })).not.toEqual([]);
    expect(faults({ ...log, runs: [{ ...list(log.runs)[0], results: [{}] }] })).not.toEqual([]);
    expect(faults({ ...log, surprise: 1 })).not.toEqual([]);
  });

  test("takes a log with flows, suppressions, fixes, archives and nothing", () => {
    expect(faults(logOf(EVERYTHING))).toEqual([]);
    expect(faults(logOf([]))).toEqual([]);
    const gap = { kind: "failed" as const, analyser: "intake" as const, path: "a b", reason: "bomb", detail: "", matters: true };
    expect(faults(logOf([], { status: "incomplete", coverage: { ...resultOf([]).coverage, gaps: [gap], gaps_total: 5000, notes: ["old"] } }))).toEqual([]);
  });

  test("takes it whatever the artifact calls its files and writes into them", () => {
    for (const text of PAYLOADS) expect(faults(JSON.parse(render(resultSaying(text), "sarif"))), JSON.stringify(text)).toEqual([]);
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(faults(JSON.parse(render(resultSaying(text), "sarif")))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("and we read back what we wrote", () => {
    const { matches, gaps } = importSarif(JSON.stringify(logOf(EVERYTHING)), "plastron.sarif");
    expect(gaps).toEqual([]);
    expect(matches.length).toBe(EVERYTHING.filter(({ state }) => state === "open").length);
  });
});

/** https://docs.github.com/en/code-security/code-scanning/troubleshooting-sarif-uploads/results-exceed-limit and "SARIF support for code scanning". */
describe("what GitHub takes", () => {
  const big = "x".repeat(1500);
  const [short, long] = [findingOf(), findingOf({ flow: steps(20) })];
  const many = Array.from({ length: 25_100 }, (_, at) => ({
    ...(at < 5100 ? long : short),
    rule: `code/javascript/rule-${at}`,
    fingerprint: at.toString(16).padStart(32, "0"),
    message: `${big} ${at}`,
    cwe: Array.from({ length: 40 }, (_, cwe) => cwe + 1),
  }));
  const run = list(logOf(many).runs)[0] as Json;

  test("at most 25,000 results and as many rules, of one run, in 10 MB compressed", () => {
    const text = JSON.stringify(logOf(many));
    expect(list(run.results)).toHaveLength(25_000);
    expect(list(run.tool?.driver?.rules).length).toBeLessThanOrEqual(25_000);
    expect(gzipSync(text, { level: 1 }).length).toBeLessThan(10 * 1000 * 1000);
  });

  test("of each rule what it asks for, no longer than it shows, with at most 20 tags", () => {
    for (const rule of list(run.tool?.driver?.rules)) {
      for (const field of ["shortDescription", "fullDescription"])
        expect(String(rule[field]?.text).length, field).toSatisfy((length: number) => length > 0 && length <= 1024);
      expect(String(rule.help?.text)).not.toBe("");
      expect(String(rule.name).length).toBeLessThanOrEqual(255);
      expect(list(rule.properties?.tags).length).toBeLessThanOrEqual(20);
      expect(String(rule.properties?.["security-severity"])).toMatch(/^(10|\d)\.\d$/);
    }
  });

  test("of each result a message, one place in the repository, fingerprints, and at most 10,000 steps of its flow", () => {
    const ids = list(run.tool?.driver?.rules).map(({ id }) => id);
    for (const result of list(run.results).slice(0, 7000)) {
      expect(ids[Number(result.ruleIndex)]).toBe(result.ruleId);
      expect(String(result.message?.text)).not.toBe("");
      expect(list(result.locations).length).toBe(1);
      expect(String(list(result.locations)[0]?.physicalLocation?.artifactLocation?.uri)).not.toMatch(/^(\/|[a-z]+:|\.\.)/i);
      expect(Object.keys(result.partialFingerprints ?? {})).toContain("primaryLocationLineHash");
      for (const { threadFlows } of list(result.codeFlows)) expect(list(list(threadFlows)[0]?.locations).length).toBeLessThanOrEqual(10_000);
    }
    expect(list(run.results).filter(({ codeFlows }) => codeFlows !== undefined).length).toBe(5000);
  });

  test("whatever text the artifact holds: what nothing compresses is left out before it is too much", () => {
    const noise = randomBytes(3_000_000).toString("base64");
    const at = (from: number) => noise.slice((from * 65_537) % 3_900_000).slice(0, 2000);
    const noisy = Array.from({ length: 2500 }, (_, index) => {
      const flow = [0, 1, 2].map((step) => ({ ...place, snippet: at(index * 4 + step), kind: "step" as const, message: "m" }));
      return { ...short, fingerprint: index.toString(16).padStart(32, "0"), place: { ...place, snippet: at(index * 4 + 3) }, flow };
    });
    const size = (value: unknown) => gzipSync(JSON.stringify(value), { level: 1 }).length;
    expect(size(noisy)).toBeGreaterThan(10_000_000);
    expect(size(logOf(noisy))).toBeLessThan(10_000_000);
    expect(list(list(logOf(noisy).runs)[0]?.results)).toHaveLength(2500);
  });

  test("and the whole is still what the standard calls a log", () => {
    expect(faults({ ...logOf(many.slice(0, 1000)) })).toEqual([]);
  });
});
