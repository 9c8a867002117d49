import { generateKeyPairSync, sign } from "node:crypto";
import { type Finding, SEVERITIES } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findingNamed, scanOf } from "../../../test/fixtures/findings.ts";
import { decide, type GateInput } from "./decide.ts";
import { attestPentest } from "./pentest.ts";
import { DEFAULT_GATE, type GatePolicy, parseGatePolicy, policyFor } from "./policy.ts";

const NOW = new Date("2026-01-10T00:00:00Z");
const decided = (findings: Finding[], more: Partial<GateInput> = {}) =>
  decide({ policy: DEFAULT_GATE, head: scanOf(findings), known: new Set(), pentests: [], now: NOW, ...more });
const id = (letter: string) => letter.padStart(32, "0");
const secret = (state: "live" | "dead" | "unverified") => ({ detector: "x", provider: "X", redacted: "x…", digest: "0", state });

describe("a change", () => {
  test("without findings passes", () => {
    expect(decided([])).toEqual({ decision: "pass", reasons: [], counted: [], exempted: 0, known: 0 });
  });

  test("is denied for what is new, and not for what stood there before", () => {
    const findings = [findingNamed({ fingerprint: "a" }), findingNamed({ fingerprint: "b" })];
    expect(decided(findings)).toMatchObject({ decision: "deny", counted: [id("a"), id("b")], known: 0 });
    expect(decided(findings, { known: new Set([id("a")]) })).toMatchObject({ decision: "deny", counted: [id("b")], known: 1 });
    expect(decided(findings, { known: new Set([id("a"), id("b")]) })).toMatchObject({ decision: "pass", known: 2 });
  });

  test.each(["malice", "live secret"])("is denied for %s that stood there before, too, unless it is exempted", (what) => {
    const grave = what === "malice" ? { verdict: "malice" as const, severity: "low" as const } : { verdict: "secret" as const, secret: secret("live") };
    const finding = findingNamed({ fingerprint: "a", ...grave });
    expect(decided([finding], { known: new Set([id("a")]) })).toMatchObject({ decision: "deny", counted: [id("a")] });
    const exemption = { id: "e", reason: "a reason", approver: "b", expires: "2026-02-01", status: "accepted", justification: null } as const;
    expect(decided([{ ...finding, state: "exempted", exemption }])).toMatchObject({ decision: "pass", exempted: 1 });
  });

  test("counts a secret that does not work any more like any finding", () => {
    const finding = findingNamed({ fingerprint: "a", verdict: "secret", severity: "low", secret: secret("dead") });
    expect(decided([finding]).decision).toBe("pass");
  });

  test("passes with what is below the threshold, unsure, or mere authority", () => {
    for (const more of [{ severity: "medium" }, { confidence: "low" }, { verdict: "authority", severity: "critical" }] as const) {
      expect(decided([findingNamed({ fingerprint: "a", ...more })]).decision).toBe("pass");
    }
  });

  test("never passes with more of one severity than the policy allows in all", () => {
    const policy = parseGatePolicy("version: 1\ntotal: {high: 1}\n");
    const findings = [findingNamed({ fingerprint: "a" }), findingNamed({ fingerprint: "b" })];
    expect(decided(findings, { policy, known: new Set([id("a"), id("b")]) })).toMatchObject({ decision: "deny", reasons: [{ rule: "total.high" }] });
    expect(decided(findings.slice(1), { policy, known: new Set([id("b")]) }).decision).toBe("pass");
  });

  test("overrides decide by rule and path, the first that fits", () => {
    const text =
      "version: 1\noverrides:\n  - {path: 'test/**', severity: none, reason: tests are not shipped}\n  - {rule: 'code/**', severity: medium, reason: we are strict with code}\n";
    const policy = parseGatePolicy(text);
    const at = (path: string) => findingNamed({ fingerprint: "a", severity: "medium", place: { ...findingNamed({ fingerprint: "a" }).place, path } });
    expect(decided([at("test/x/a.js")], { policy }).decision).toBe("pass");
    expect(decided([at("src/test/a.js")], { policy }).decision).toBe("deny");
    expect(decided([{ ...at("test/a.js"), verdict: "malice" }], { policy }).decision).toBe("deny");
  });
});

describe("what cannot be said", () => {
  const gap = { kind: "failed", analyser: "code", path: "a.js", reason: "timeout", detail: "it took longer than 10 s", matters: true } as const;

  test("holds, and names what was not seen", () => {
    const { coverage } = scanOf([]);
    const head = scanOf([], { status: "incomplete", coverage: { ...coverage, gaps: [gap], gaps_total: 1 } });
    expect(decided([], { head })).toMatchObject({
      decision: "hold",
      reasons: [{ rule: "complete", message: expect.stringContaining("a.js: it took longer") }],
    });
  });

  test("does not hold for an analyser that the policy does not ask for, unless not all gaps are told", () => {
    const policy = parseGatePolicy("version: 1\nrequired: [secrets]\n");
    const { coverage } = scanOf([]);
    const head = (more: object) => scanOf([], { status: "incomplete", coverage: { ...coverage, gaps: [gap], gaps_total: 1, ...more } });
    expect(decided([], { policy, head: head({}) }).decision).toBe("pass");
    expect(decided([], { policy, head: head({ gaps_total: 2 }) }).decision).toBe("hold");
    expect(decided([], { policy, head: head({ gaps: [{ ...gap, analyser: "intake" }] }) }).decision).toBe("hold");
  });

  test("holds where an analyser that is required did not run", () => {
    const { coverage } = scanOf([]);
    const { secrets: _, ...analysers } = coverage.analysers;
    expect(decided([], { head: scanOf([], { coverage: { ...coverage, analysers } }) })).toMatchObject({ decision: "hold", reasons: [{ rule: "required" }] });
  });

  test("is denied all the same where something that was seen is enough", () => {
    const { coverage } = scanOf([]);
    const head = scanOf([findingNamed({ fingerprint: "a" })], { status: "incomplete", coverage: { ...coverage, gaps: [gap], gaps_total: 1 } });
    expect(decided([], { head }).decision).toBe("deny");
  });

  test("holds where advisories are missing, too old, or but a seed where that is not enough", () => {
    const advised = (advisories: { as_of: string; seed: boolean } | null) => scanOf([], { coverage: { ...scanOf([]).coverage, advisories } });
    expect(decided([], { head: advised(null) }).decision).toBe("hold");
    expect(decided([], { head: advised({ as_of: "2025-11-01T00:00:00.000Z", seed: false }) }).reasons).toMatchObject([{ rule: "advisories.max_age_days" }]);
    expect(decided([], { head: advised({ as_of: "2025-12-20T00:00:00.000Z", seed: false }) }).decision).toBe("pass");
    const policy = parseGatePolicy("version: 1\nadvisories: {seed: hold}\n");
    expect(decided([], { policy }).reasons).toMatchObject([{ rule: "advisories.seed" }]);
  });
});

describe("a pentest that is asked for", () => {
  const tester = generateKeyPairSync("ed25519");
  const other = generateKeyPairSync("ed25519");
  const key = Buffer.from(tester.publicKey.export({ format: "jwk" }).x as string, "base64url").toString("base64");
  const policy = policyFor(
    parseGatePolicy(`version: 1\nproject: shop\nenvironments:\n  production:\n    pentest: {max_age_days: 90, keys: {ann: ${key}}}\n`),
    "production",
  );
  const told = (more: object = {}, by = tester) => {
    const what = { project: "shop", commit: "c0ffee", result: "passed" as const, finished_at: "2026-01-01T00:00:00Z", tester: "ann", ...more };
    return { where: "pentest.json", text: attestPentest(what, (bytes) => sign(null, bytes, by.privateKey)) };
  };
  const because = (...pentests: { where: string; text: string }[]) => decided([], { policy, pentests }).reasons[0]?.message ?? "passes";

  test("lets pass where it is signed, passed, of this project and recent", () => {
    expect(because(told())).toBe("passes");
    expect(decided([], { pentests: [] }).decision).toBe("pass"); // the policy asks for none outside of production
  });

  test.each([
    ["none", [], "no pentest of this project is known"],
    ["one that failed", [told({ result: "failed" })], "failed"],
    ["one that failed after another was passed", [told(), told({ result: "failed", finished_at: "2026-01-05T00:00:00Z" })], "failed"],
    ["an old one", [told({ finished_at: "2025-10-01T00:00:00Z" })], "101 days old"],
    ["one of tomorrow", [told({ finished_at: "2026-02-01T00:00:00Z" })], "yet to come"],
    ["one of another project", [told({ project: "blog" })], "about another project"],
    ["one that somebody else signed", [told({}, other)], "signed by none"],
    ["no envelope", [{ where: "x", text: "{}" }], "not a signed statement"],
    ["junk", [{ where: "x", text: "\0" }], "not a signed statement"],
  ])("%s is not enough", (_, pentests, why) => {
    expect(because(...pentests)).toContain(why);
  });

  test("cannot be changed after it was signed", () => {
    const envelope = JSON.parse(told({ result: "failed" }).text);
    const payload = Buffer.from(Buffer.from(envelope.payload, "base64").toString().replace("failed", "passed")).toString("base64");
    expect(because({ where: "x", text: JSON.stringify({ ...envelope, payload }) })).toContain("signed by none");
  });
});

describe("a gate policy", () => {
  test.each([
    ["version: 1\nnwe: {}\n", 'there is no field "nwe". Did you mean "new"?', 2],
    ["version: 2\n", "version", 1],
    ["version: 1\nnew: {severity: hihg}\n", "new.severity", 2],
    ["version: 1\nprotected: ['!main']\n", "protected[0]", 2],
    ["version: 1\noverrides:\n  - {rule: 'a', severity: none}\n", "overrides[0].reason", 3],
    ["version: 1\nenvironments:\n  production: {pentest: {max_age_days: 9, keys: {}}}\n", "pentest.keys", 3],
    ["version: 1\nversion: 1\n", "unique", 2],
  ])("%j is refused with its line", (text, message, line) => {
    const errors = (() => {
      try {
        parseGatePolicy(text);
        return [];
      } catch (error) {
        return (error as { errors: { path: string; message: string; line: number }[] }).errors;
      }
    })();
    expect(errors[0]?.message + (errors[0]?.path ?? "")).toContain(message);
    expect(errors[0]?.line).toBe(line);
  });

  test("has no environment that it does not name", () => {
    for (const name of ["prod", "constructor", "__proto__"]) expect(() => policyFor(DEFAULT_GATE, name)).toThrow(/no environment/);
  });
});

test("whatever is found: a graver policy never lets pass what a milder one denies, and the reasons name what counted", () => {
  const finding = fc
    .record({
      severity: fc.constantFrom(...SEVERITIES),
      confidence: fc.constantFrom("high", "medium", "low"),
      verdict: fc.constantFrom("weakness", "malice", "authority"),
    })
    .map((more) => more as Partial<Finding>);
  fc.assert(
    fc.property(fc.array(finding, { maxLength: 12 }), fc.integer({ min: 0, max: 3 }), (some, which) => {
      const findings = some.map((more, i) => findingNamed({ fingerprint: i.toString(16), ...more }));
      const at = (severity: GatePolicy["new"]["severity"]) => decided(findings, { policy: { ...DEFAULT_GATE, new: { severity, confidence: "low" } } });
      const [mild, grave] = [at(SEVERITIES[which] as never), at(SEVERITIES[which + 1] as never)];
      if (mild.decision === "deny") expect(grave.decision).toBe("deny");
      expect(new Set(grave.counted)).toEqual(new Set(grave.reasons.flatMap(({ fingerprints }) => fingerprints)));
    }),
  );
});
