import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { harnessesOf } from "./harnesses.ts";
import { instrument } from "./instrument.ts";
import type { Node } from "./tree.ts";

const programOf = (text: string, lang: "js" | "ts" = "js") =>
  parseSync(`a.${lang}`, text, { lang, sourceType: "unambiguous", preserveParens: true }).program as unknown as Node;
const instrumented = (text: string) => instrument(text, programOf(text), { blocks: 1, comparisons: 0 });

/** What the target's own comparisons would give, without an ear at them. */
const PLAIN = `const __pfc = new Uint8Array(999), __pf = { e: (a, b) => a === b, n: (a, b) => a !== b, q: (a, b) => a == b, u: (a, b) => a != b, l: (a, b) => a < b,
  m: (a, b) => a <= b, g: (a, b) => a > b, h: (a, b) => a >= b, a: (x) => x, t: (x) => x, v: (x) => x };`;
const runnable = (text: string): unknown => new Function(`${text}\nreturn f;`)();

describe("an instrumented source", () => {
  it.each([
    ["nested arms and arrows", "const f = (a) => a < 2 ? (b) => b === a ? {} : [b] : a > 5 ? (a, 'x') : ({ y: a >= 3 && a !== 4 || null });"],
    [
      "statements without braces",
      "function f(a) { if (a > 3) for (const x of [1, 2]) if (x == a) return 1; else continue; else if (a < 2) return 'low'; while (a-- > 0) if (a === 2) break; return a; }",
    ],
    [
      "directives, switches and throws",
      "function f(a) { 'use strict'; switch (a) { case 1: return 'one'; case 2: try { throw new TypeError('two'); } catch (e) { return e.message; } default: } return this === undefined; }",
    ],
    ["comparisons over lines with comments", "const f = (a) => ((a)\n  /* why */ ===\n  (3)) || a\n <\n 2;"],
    [
      "classes, generators and defaults",
      "const f = (a) => { class A { #p = a; get p() { return this.#p > 2 ? 'big' : 'small'; } static has(o) { return #p in o; } } function* g(n = a ?? 1) { while (n > 0) yield n--; } return [new A().p, A.has(new A()), ...g()]; };",
    ],
  ])("does what it did before, on the same lines: %s", (_name, text) => {
    const changed = instrumented(text);
    expect(changed).toContain("__pfc[");
    expect(changed.split("\n").length).toBe(text.split("\n").length);
    const before = runnable(text) as (a: number) => unknown;
    const after = runnable(PLAIN + changed) as (a: number) => unknown;
    for (const a of [0, 1, 2, 3, 4, 5, 6]) expect(JSON.stringify(after(a))).toBe(JSON.stringify(before(a)));
  });
});

describe("harnesses", () => {
  const of = (text: string, lang: "js" | "ts" = "js") =>
    harnessesOf("a.js", text, programOf(text, lang)).map(({ export: name, kind, name: tool, params, types }) => ({ name: name || tool, kind, params, types }));

  it("are what ES modules and CommonJS export, with types where they are written", () => {
    expect(
      of(
        "interface O { a: string; b?: number }\nexport function f(s: string, o: O, n: unknown) { return n; }\nfunction hidden(x: string) {}\nexport default (xs: string[]) => xs;",
        "ts",
      ),
    ).toMatchObject([
      { name: "f", types: "inferred", params: [{ type: "string" }, { type: "object", required: ["a"], properties: { b: { type: "number" } } }, {}] },
      { name: "default", types: "declared", params: [{ type: "array", items: { type: "string" } }] },
    ]);
    expect(
      of("/** @param {number} n */\nexports.g = (n) => n;\nmodule.exports.h = function (s) { return s.split(','); };").map(({ name, params }) => [
        name,
        params,
      ]),
    ).toEqual([
      ["g", [{ type: "number" }]],
      ["h", [{ type: "string" }]],
    ]);
    expect(of("class P { feed(s) { return s.trim(); } static no(s) {} }\nmodule.exports = { P };").map(({ name }) => name)).toEqual(["P#feed"]);
  });

  it("are the tools that an MCP server registers", () => {
    expect(of('server.tool("search", { q: z.string() }, async ({ q }) => q); server.setRequestHandler(CallToolRequestSchema, (r) => r);')).toMatchObject([
      { kind: "tool", name: "search" },
      { kind: "tool", name: "tools/call" },
    ]);
  });
});
