import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Analyser } from "../analyser.ts";
import { packVersion, type RuleKind, readPack, readRule, slowRegex, tryExamples } from "./index.ts";

const KIND: RuleKind = {
  name: "word",
  key: "word",
  expressions: "backtracking",
  fields: { word: z.string() },
  check: ({ word }) => (word === "" ? [{ path: "word", message: "is empty" }] : []),
};

const RULE = `id: code/x/no-debug
title: Debugging is on
message: It is on.
severity: high
confidence: high
cwe: [489]
fix: Turn it off.
languages: [python]
word: debug=True
bad:
  - run(debug=True)
ok:
  - run(debug=False)
`;
const read = (text: string, file = "code/x/no-debug.yaml") => readRule(file, text, [KIND]);
const faultsOf = (text: string, file?: string) => {
  try {
    read(text, file);
  } catch (error) {
    return (error as { errors: { path: string; message: string; line?: number }[] }).errors;
  }
  return [];
};

describe("a rule's file", () => {
  test("gives its head and, apart from it, what its kind looks for", () => {
    expect(read(RULE)).toMatchObject({ id: "code/x/no-debug", verdict: "weakness", kind: "word", file: "code/x/no-debug.yaml", body: { word: "debug=True" } });
  });

  test("is told the line, and the field or word that was meant", () => {
    expect(faultsOf(RULE.replace("severity", "severty"))).toEqual(
      expect.arrayContaining([expect.objectContaining({ line: 4, message: expect.stringContaining('Did you mean "severity"?') })]),
    );
    expect(faultsOf(RULE.replace("word:", "wrd:"))).toMatchObject([{ message: expect.stringContaining('Did you mean "word"?') }]);
    expect(faultsOf(RULE.replace("python", "pyton"))).toMatchObject([{ line: 8 }]);
  });

  test.each([
    ["an id that is not its file's name", RULE.replace("no-debug", "other"), "id"],
    ["no bad example", RULE.replace("bad:\n  - run(debug=True)\n", "bad: []\n"), "bad"],
    ["no ok example", RULE.replace("  - run(debug=False)", "  []"), "ok"],
    ["an example on both sides", RULE.replace("debug=False", "debug=True"), "ok[0]"],
    ["what its kind's own check refuses", RULE.replace("word: debug=True", 'word: ""'), "word"],
    ["a path of an example that leaves its root", RULE.replace("- run(debug=False)", '- files: { "../x.py": "1" }'), "ok[0]"],
  ])("is refused with %s", (_, text, path) => {
    expect(faultsOf(text)).toMatchObject([{ path, line: expect.any(Number) }]);
  });

  test.each(["", "- 1", "word: x\nword: y", "[".repeat(5000), "__proto__: {word: 1}", "a: &a [*a, *a]"])("that is no rule is refused as such: %#", (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "invalid_rule" }));
  });
});

describe("a pack", () => {
  test("tells all that is wrong, with the file", () => {
    const { pack, faults } = readPack(
      "mine",
      new Map([
        ["code/x/no-debug.yaml", RULE],
        ["code/x/b.yaml", RULE],
        ["c.yaml", "{"],
        ["README.md", "no rule"],
      ]),
      [KIND],
    );
    expect(pack.rules.map(({ id }) => id)).toEqual(["code/x/no-debug"]);
    expect(faults.map(({ file }) => file)).toEqual(["c.yaml", "code/x/b.yaml"]);
  });

  test("has another version when a file, its name or a border between files changes", () => {
    const version = (...files: [string, string][]) => packVersion(new Map(files));
    const all = [version(["a", "bc"]), version(["ab", "c"]), version(["a", "bcd"]), version(["a", "bc"], ["d", ""]), version()];
    expect(new Set(all).size).toBe(all.length);
    expect(version(["a", "1"], ["b", "2"])).toBe(version(["b", "2"], ["a", "1"]));
  });
});

describe("examples", () => {
  const finder = (word: string): Analyser => ({
    name: "code",
    version: "1",
    wants: () => true,
    file: (file) => ({
      facts: null,
      gaps: file.text?.includes("broken") ? [{ kind: "degraded", reason: "syntax_error", detail: "line 1", matters: true }] : [],
      matches: file.text?.includes(word)
        ? [
            {
              rule: "code/x/no-debug",
              analyser: "code",
              verdict: "weakness",
              title: "t",
              message: "m",
              severity: "low",
              confidence: "low",
              anchor: "a",
              fix: { text: "f" },
              place: { path: file.path, line: 1, column: 1, end_line: 1, end_column: 2 },
            },
          ]
        : [],
    }),
  });

  test("pass where each side is right", () => expect(tryExamples(read(RULE), finder("debug=True"))).toEqual([]));
  test("fail where a bad one is not found", () =>
    expect(tryExamples(read(RULE), finder("zzz"))).toMatchObject([{ example: "bad[0]", message: "is not found" }]));
  test("fail where an ok one is found", () => expect(tryExamples(read(RULE), finder("debug"))).toMatchObject([{ example: "ok[0]" }]));
  test("fail where one was not understood whole: it proves nothing", () => {
    expect(tryExamples(read(RULE.replace("run(debug=False)", "broken")), finder("debug=True"))).toMatchObject([
      { message: expect.stringContaining("syntax_error") },
    ]);
  });
});

describe("a regular expression", () => {
  test.each(["^(a+)+$", "(x+x+)+y", "(.*)*b", "(?i)(a|a)*$", "\\s+$"])("%s is refused, as hostile text could make it slow", (source) => {
    const text = "a".repeat(30_000);
    expect(text.length).toBeGreaterThan(0);
    expect(slowRegex(source)).toMatch(/time on hostile text/);
  });
  test.each(["^foo$", "(?i)^requests\\.(get|post)$", "^[a-z]{1,20}=True$"])("%s is taken", (source) => expect(slowRegex(source)).toBeNull());
  test("that is none is refused", () => expect(slowRegex("((")).toMatch(/not a regular expression/));
});
