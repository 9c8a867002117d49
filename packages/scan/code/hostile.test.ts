/** What a file can be made of to break whoever reads it: each is looked at, or refused with its reason, in bounded time. */
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../testing/look.ts";
import { createCode } from "./create.ts";
import { codeRules } from "./testing/rules.ts";

const analyser = createCode(codeRules());
const MANY = 100_000;

const look = (text: string, path = "a.js") => {
  const before = process.cpuUsage().user;
  const { matches, gaps } = lookAt(analyser, [fileOf(path, text)]);
  return { matches, reasons: gaps.map(({ reason }) => reason), seconds: (process.cpuUsage().user - before) / 1e6 };
};

describe("nesting", () => {
  const deep: readonly (readonly [string, string])[] = [
    ["parentheses", "(".repeat(MANY) + ")".repeat(MANY)],
    ["brackets", "[".repeat(MANY) + "]".repeat(MANY)],
    ["functions", "function f(a){".repeat(5000) + "}".repeat(5000)],
    ["arrows", `x = ${"a=>".repeat(MANY)}1`],
    ["negations", `${"!".repeat(MANY)}1`],
    ["conditions", `x = ${"a?b:".repeat(MANY)}c`],
    ["else", `if(a){b}${"else if(a){b}".repeat(MANY)}`],
    ["sums", `x = a${"+a".repeat(MANY)}`],
    ["members", `x = a${".b".repeat(MANY)}`],
    ["calls", `x = a${".b()".repeat(MANY)}`],
    ["templates", "`${".repeat(MANY) + "}`".repeat(MANY)],
    ["await", `async function f(){${"await ".repeat(MANY)}x}`],
    ["new", `x = ${"new ".repeat(MANY)}a`],
    ["blocks", "{".repeat(MANY) + "}".repeat(MANY)],
    ["markup", "<a>".repeat(MANY) + "</a>".repeat(MANY)],
  ];
  test.each(deep)("of %s is refused by its name", (_, text) => {
    const { reasons, seconds } = look(text);
    expect(reasons.filter((reason) => reason !== "generated")).toEqual(["depth"]);
    expect(seconds).toBeLessThan(10);
  });

  test("of an ordinary depth is read", () => {
    const text = `app.get("/", (req, res) => { ${"if (a) { ".repeat(60)} eval(req.query.x) ${"}".repeat(60)} });`;
    expect(look(text).matches).toHaveLength(1);
  });
});

describe("size", () => {
  test("of a hundred megabytes is refused", () => {
    expect(look("x=1;".repeat(25_000_000)).reasons).toEqual(["too_large"]);
  });

  test.each([
    ["functions", Array.from({ length: 30_000 }, (_, i) => `function f${i}(a){return f${(i * 7) % 30_000}(a)}`).join("\n")],
    ["statements on one line", "x=1;".repeat(300_000)],
    ["guards", `function f(a){${Array.from({ length: 10_000 }, (_, i) => `if(!ok.includes(a.x${i}))return;h(a.y${i});`).join("")}}`],
    ["fields", `var o={};${Array.from({ length: 20_000 }, (_, i) => `o.k${i}=o.k${(i * 13) % 20_000};`).join("")}`],
    ["loops", `function f(a){${"for(const x of a){".repeat(90)}a=x${"}".repeat(90)}}`],
  ])("in %s is looked at", (_, text) => {
    const { reasons, seconds } = look(text);
    expect(reasons.filter((reason) => !["generated", "budget"].includes(reason))).toEqual([]);
    expect(seconds).toBeLessThan(25);
  });
});

describe("names", () => {
  test("of what all objects share harm nobody", () => {
    look(`const o = {__proto__: null, constructor: x}; class __proto__ { get __proto__(){} toString(){} }
      exports.__proto__ = function __proto__(__proto__){ return require("__proto__").__proto__(__proto__) };
      app.get("/", (req, res) => res.send(req.__proto__.constructor.prototype));`);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("that lead in circles end", () => {
    const files = {
      "a.js": 'module.exports = require("./b"); exports.x = require("./b").x;',
      "b.js": 'module.exports = require("./a"); exports.x = require("./a").x;',
    };
    const { gaps } = lookAt(
      analyser,
      Object.entries({ ...files, "c.js": 'const a = require("./a"); app.get("/", (req, res) => a.x(req.query.q));' }).map(([path, text]) => fileOf(path, text)),
    );
    expect(gaps).toEqual([]);
  });

  test("of functions that call one another in circles end", () => {
    const ring = Array.from({ length: 500 }, (_, i) => `function f${i}(a){return f${(i + 1) % 500}(a)+f${(i + 2) % 500}(a)}`).join("\n");
    const { matches, seconds } = look(`${ring}\napp.get("/", (req, res) => { eval(f0(req.query.x)); eval(req.query.y); });`);
    expect(matches.map(({ place }) => place.line)).toContain(501);
    expect(seconds).toBeLessThan(20);
  });
});

describe("broken code", () => {
  test("is read around what is broken, and says so", () => {
    const text = `app.get("/", (req, res) => { eval(req.query.x) });\nfunction broken( {{{\nconst ok = 1;\napp.get("/b", (req, res) => { eval(req.query.y) });`;
    const { matches, reasons } = look(text);
    expect(matches.map(({ place }) => place.line)).toEqual([1, 4]);
    expect(reasons).toEqual(["syntax_error"]);
  });

  test("that is a template of code is no broken code, and is read as far as it goes", () => {
    const { matches, reasons } = look(`{% autoescape off %}\napp.get("/", (req, res) => { eval(req.query.x) });\n{% endautoescape %}\n`);
    expect(reasons).toEqual(["template"]);
    expect(matches.map(({ place }) => place.line)).toEqual([2]);
  });

  test("that is no code says so", () => {
    expect(look(String.fromCharCode(...Array.from({ length: 5000 }, (_, i) => (i * 7919) % 55_000))).reasons).toContain("syntax_error");
  });

  test("a manifest that is none is passed over", () => {
    for (const text of ["", "[", "null", '{"exports": {".": {".": {}}}}', '{"main": 1, "bin": [1]}', `{"exports": ${"[".repeat(5000)}`])
      expect(lookAt(analyser, [fileOf("package.json", text), fileOf("index.js", "exports.a = 1")]).gaps).toEqual([]);
  });
});
