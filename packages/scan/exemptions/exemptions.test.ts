import { PlastronError } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findingOf, type matchOf } from "../testing/result.ts";
import { applyExemptions, approvedBy, type Exemption, parseExemptions, samePerson } from "./index.ts";

const TODAY = "2026-03-01";
const entry = (scope: string, more = ""): string => `  - id: EX-1
    scope: ${scope}
    reason: The value is a constant of our own.
    author: ann@shop.example
    approver: bea@shop.example
    created: 2026-02-01
    expires: 2026-04-01
${more}`;
const file = (...entries: string[]): string => `version: 1\nexemptions:\n${entries.join("")}`;
const parsed = (scope: string, more?: string): Exemption => parseExemptions(file(entry(scope, more)))[0] as Exemption;
const faults = (text: string): string[] => {
  try {
    parseExemptions(text);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(PlastronError);
    return ((error as PlastronError).errors ?? []).map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
};

describe("the file", () => {
  test("says each fault with its line and the word that was meant", () => {
    expect(faults(file(entry("{rule: code/javascript/xss}", "    aprover: x\n")))).toEqual([expect.stringMatching(/^10:5 .*"aprover".*"approver"/)]);
    expect(faults("version: 1\nexemptions:\n  - id: a")).not.toEqual([]);
    expect(faults("exemptions: []")).toEqual([expect.stringContaining("must be 1")]);
  });

  test.each<[string, string, string]>([
    ["its author approves", "approver: bea@shop.example", "approver: Ann <ANN+x@shop.example>"],
    ["more than 90 days", "expires: 2026-04-01", "expires: 2026-06-01"],
    ["no day at all", "expires: 2026-04-01", "expires: 2026-02-01"],
    ["no reason", "reason: The value is a constant of our own.", "reason: ok"],
    ["not affected for no reason", "created:", "status: not_affected\n    created:"],
  ])("refuses: %s", (_, from, to) => {
    expect(faults(file(entry("{rule: code/javascript/xss}")).replace(from, to))).toEqual([expect.stringMatching(/^\d+:\d+ /)]);
  });

  test.each([
    "{}",
    "{path: '**'}",
    "{path: src/a.js}",
    "{rule: '**'}",
    "{rule: '*', path: src/a.js}",
    "{rule: '*/x', path: src/a.js}",
    "{rule: 'code/**'}",
    "{rule: 'code/**', path: '**/*.js'}",
    "{dependency: 'npm:*'}",
    "{versions: '*'}",
  ])("refuses a scope that covers everything: %s", (scope) => {
    expect(faults(file(entry(scope)))).not.toEqual([]);
  });

  test("refuses two of one name", () => {
    expect(faults(file(entry("{rule: code/x/y}"), entry("{rule: code/x/z}")))).toEqual([expect.stringMatching(/^10:9 .*EX-1 is taken/)]);
  });

  test("any text is exemptions or faults, nothing else", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => file(entry(JSON.stringify({ rule: text, path: text, fingerprint: text })))),
        ),
        (text) => {
          try {
            parseExemptions(text);
          } catch (error) {
            expect(error).toMatchObject({ code: "invalid_document" });
          }
        },
      ),
    );
  });
});

describe("what is covered", () => {
  const state = (scope: string, more: Parameters<typeof matchOf>[0] = {}) =>
    applyExemptions([findingOf(more)], [parsed(scope)], { today: TODAY }).findings[0]?.state;
  const { fingerprint } = findingOf();
  const affected = {
    ...{ purl: "pkg:npm/%40shop/cart@1.4.0", ecosystem: "npm", name: "@shop/cart", version: "1.4.0", path: ["a", "b", "@shop/cart"], direct: false },
    ...{ development: false, fixed: [], reachability: "unknown" as const, kev: false, epss: null },
  };
  const dependency = { rule: "dependencies/advisory", analyser: "dependencies" as const, package: affected, aliases: ["CVE-2026-1"] };

  test.each([
    ["{rule: code/javascript/command-injection}", "exempted"],
    ["{rule: code/javascript/*, path: src/**}", "exempted"],
    ["{rule: code/javascript/*, path: lib/**}", "open"],
    ["{rule: code/javascript/xss}", "open"],
    [`{fingerprint: "${fingerprint}"}`, "exempted"],
    [`{fingerprint: "${fingerprint}", path: lib/*}`, "open"],
    [`{fingerprint: "${"0".repeat(32)}"}`, "open"],
    ["{dependency: npm:lodash}", "open"],
  ])("code by %s is %s", (scope, expected) => {
    expect(state(scope)).toBe(expected);
  });

  test.each([
    ["{rule: dependencies/advisory}", "open"],
    ["{rule: dependencies/advisory, path: src/server.js}", "open"],
    ["{dependency: 'npm:@shop/cart'}", "exempted"],
    ["{dependency: 'pkg:npm/%40shop/cart'}", "exempted"],
    ["{dependency: 'npm:@shop/cart', versions: '>=1.0.0 <1.5.0'}", "exempted"],
    ["{dependency: 'npm:@shop/cart', versions: '>=2'}", "open"],
    ["{dependency: 'npm:@shop/cart', versions: 'junk('}", "open"],
    ["{dependency: 'npm:@shop/cart', through: [a, '@shop/cart']}", "exempted"],
    ["{dependency: 'npm:@shop/cart', through: [b, a]}", "open"],
    ["{advisory: cve-2026-1}", "exempted"],
    ["{advisory: CVE-2026-2}", "open"],
  ])("a dependency by %s is %s", (scope, expected) => {
    expect(state(scope, dependency)).toBe(expected);
  });

  test("malice and live secrets by nothing but their own fingerprint", () => {
    const live = { detector: "x", provider: "X", redacted: "x…", digest: "d", state: "live" as const };
    for (const more of [{ verdict: "malice" as const }, { verdict: "secret" as const, analyser: "secrets" as const, secret: live }]) {
      const grave = findingOf(more);
      const broad = applyExemptions([grave], [parsed("{rule: code/javascript/command-injection}")], { today: TODAY });
      expect(broad).toMatchObject({ findings: [{ state: "open" }], notes: [expect.stringContaining(grave.fingerprint)] });
      const exact = parsed(`{fingerprint: "${grave.fingerprint}"}`);
      expect(applyExemptions([grave], [exact], { today: TODAY }).findings[0]?.state).toBe("exempted");
      const followed = parsed(`{fingerprint: "${"1".repeat(32)}"}`);
      const known = new Map([[grave.fingerprint, "1".repeat(32)]]);
      expect(applyExemptions([grave], [followed], { today: TODAY, known }).findings[0]?.state).toBe("open");
    }
  });

  test("a finding that moved, where it is known again", () => {
    const known = new Map([[fingerprint, "1".repeat(32)]]);
    expect(applyExemptions([findingOf()], [parsed(`{fingerprint: "${"1".repeat(32)}"}`)], { today: TODAY, known }).findings[0]?.state).toBe("exempted");
  });
});

describe("what does not count is told", () => {
  const exemption = parsed("{rule: code/javascript/command-injection}");
  const applied = (today: string, authors: string[] = [], findings = [findingOf()]) => applyExemptions(findings, [exemption], { today, authors });

  test("it holds on its last day, and reopens on the next", () => {
    expect(applied("2026-04-01")).toMatchObject({ findings: [{ state: "exempted", exemption: { id: "EX-1", approver: "bea@shop.example" } }], notes: [] });
    expect(applied("2026-04-04")).toMatchObject({
      findings: [{ state: "open", exemption: null }],
      notes: ["exemption EX-1 expired 3 days ago: 1 finding is open again"],
    });
  });

  test("it does not begin before its day", () => {
    expect(applied("2026-01-31").findings[0]?.state).toBe("open");
  });

  test("its approver wrote the code", () => {
    expect(applied(TODAY, ["Bea B. <Bea@Shop.example>"])).toMatchObject({ findings: [{ state: "open" }], notes: [expect.stringContaining("wrote the code")] });
  });

  test("it covers nothing any more", () => {
    expect(applied(TODAY, [], []).notes).toEqual(["exemption EX-1 covers nothing (any more): delete it"]);
  });
});

describe("a change that brings its own exemption", () => {
  const base = [parsed("{rule: code/javascript/xss}")];
  const brought = { ...(base[0] as Exemption), id: "EX-2" };
  const judged = (head: Exemption[], approvals: string[] = [], authors = ["ann@shop.example"]) => approvedBy(base, head, { authors, approvals });

  test("does not pass by it", () => {
    expect(judged([...base, brought])).toMatchObject({ counted: base, pending: [{ exemption: brought }] });
  });

  test("does not pass by one that it widens, lengthens or says to be somebody else's", () => {
    const [stood] = base as [Exemption];
    for (const more of [
      { scope: { rule: "code/javascript/sql" } },
      { expires: "2026-04-02" },
      { approver: "cy@shop.example" },
      { status: "false_positive" as const },
    ]) {
      expect(judged([{ ...stood, ...more }]).counted).toEqual([]);
    }
    expect(judged([{ ...stood, expires: "2026-03-15" }]).pending).toEqual([]);
  });

  test("passes where its approver approved, unless that is an author of the change", () => {
    expect(judged([brought], ["Bea <bea@shop.example>"]).counted).toEqual([brought]);
    expect(judged([brought], ["bea@shop.example"], ["ann@shop.example", "BEA@shop.example"]).counted).toEqual([]);
    expect(judged([brought], ["cy@shop.example"]).counted).toEqual([]);
  });

  test("what it deletes does not count", () => {
    expect(judged([])).toEqual({ counted: [], pending: [] });
  });
});

test("one person is one in every way to write them", () => {
  expect(samePerson("Ann <ann+ci@Shop.example>", "ANN@shop.example")).toBe(true);
  expect(samePerson("@ann", "Ann")).toBe(true);
  expect(samePerson("ａｎｎ", "ann")).toBe(true);
  expect(samePerson("ann@shop.example", "bea@shop.example")).toBe(false);
});
