/** Ways from one file to another that real projects take. Each must lead data to the same `exec`. */
import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createCode } from "../create.ts";
import { codeRules } from "../testing/rules.ts";

const analyser = createCode(codeRules("javascript"));
const found = (files: Record<string, string>) =>
  lookAt(
    analyser,
    Object.entries(files).map(([path, text]) => fileOf(path, text)),
  ).matches.filter(({ rule }) => rule === "code/javascript/command-injection");

const RUN = 'import { exec } from "node:child_process"; export function run(text) { exec(text); }';
const CALLS = (from: string, name = "run") => `import { ${name} } from "${from}"; export default function handler(req, res) { ${name}(req.query.x); }`;

describe("modules are found", () => {
  test.each<[string, Record<string, string>]>([
    ["by their path", { "a.ts": CALLS("./lib/run"), "lib/run.ts": RUN }],
    ["with the extension that they will have", { "a.ts": CALLS("./lib/run.js"), "lib/run.ts": RUN }],
    ["as a folder's index", { "a.js": CALLS("./lib"), "lib/index.js": RUN }],
    ["through a re-export by name", { "a.js": CALLS("./lib"), "lib/index.js": 'export { run } from "./run.js";', "lib/run.js": RUN }],
    ["through a re-export by another name", { "a.js": CALLS("./lib", "go"), "lib/index.js": 'export { run as go } from "./run.js";', "lib/run.js": RUN }],
    ["through a re-export of everything", { "a.js": CALLS("./lib"), "lib/index.js": 'export * from "./run.js";', "lib/run.js": RUN }],
    ["as a namespace", { "a.js": 'import * as lib from "./run.js"; export const f = (req, res) => lib.run(req.body.x);', "run.js": RUN }],
    [
      "as a default",
      {
        "a.js": 'import go from "./run.js"; export const f = (req, res) => go(req.body.x);',
        "run.js": 'import { exec } from "child_process"; export default (text) => exec(text);',
      },
    ],
    [
      "by CommonJS",
      {
        "a.js": 'const { run } = require("./run"); module.exports = (req, res) => run(req.body.x);',
        "run.js": 'const cp = require("child_process"); exports.run = (text) => cp.exec(text);',
      },
    ],
    [
      "by CommonJS, as a function",
      {
        "a.js": 'const run = require("./run"); module.exports = (req, res) => run(req.body.x);',
        "run.js": 'const cp = require("child_process"); module.exports = (text) => cp.exec(text);',
      },
    ],
    [
      "by CommonJS, lazily",
      {
        "a.js": 'module.exports = (req, res) => require("./run").run(req.body.x);',
        "run.js": 'const cp = require("child_process"); module.exports = { run(text) { cp.exec(text); } };',
      },
    ],
    [
      "as a package of the same tree",
      {
        "apps/web/a.js": CALLS("@acme/run"),
        "packages/run/package.json": '{"name": "@acme/run", "exports": {".": {"import": "./dist/index.js"}}}',
        "packages/run/src/index.ts": RUN,
      },
    ],
    [
      "by a path of tsconfig",
      {
        "src/a.ts": CALLS("@/run"),
        "tsconfig.json": '{ /* of ours */ "compilerOptions": {"baseUrl": ".", "paths": {"@/*": ["./src/*"]}} }',
        "src/run.ts": RUN,
      },
    ],
  ])("%s", (_, files) => {
    expect(found(files)).toHaveLength(1);
  });

  test("but none that lead out of the tree", () => {
    expect(found({ "a.js": CALLS("../../../run"), "run.js": RUN })).toEqual([]);
  });
});

describe("calls are followed", () => {
  test.each<[string, string]>([
    ["to a class's method", "class A { go(x) { run(x); } } new A().go(req.query.x);"],
    ["through a field of a class", "class A { constructor(x) { this.x = x; } go() { run(this.x); } } new A(req.query.x).go();"],
    ["through what a function gives back", "const wrap = (x) => ({ command: `ls ${x}` }); run(wrap(req.query.x).command);"],
    ["through a callback", "const each = (xs, f) => { for (const x of xs) f(x); }; each(req.body.list, (x) => run(x));"],
    ["through map and join", "run(req.body.list.map((x) => `-${x}`).join(' '));"],
    ["through promises", "Promise.resolve(req.query.x).then((x) => x.trim()).then((x) => run(x));"],
    ["through a rest parameter", "const all = (...xs) => run(xs.join(' ')); all('a', req.query.x);"],
    ["through Object.assign", "const o = Object.assign({}, req.body); run(o.x);"],
    ["through a destructured default", "const { x = 'a', ...rest } = req.query; run(rest.y);"],
    ["through a loop", "let all = ''; for (const k of Object.keys(req.body)) { all = all + k; } run(all);"],
    ["out of try and catch", "let x; try { x = JSON.parse(req.body.x); } catch { x = req.body.y; } run(x.y);"],
    ["through a closure's variable", "let kept; const set = (v) => { kept = v; }; set(req.query.x); run(kept);"],
  ])("%s", (_, body) => {
    expect(found({ "a.js": `import { run } from "./run.js"; export const handler = (req, res) => { ${body} };`, "run.js": RUN })).toHaveLength(1);
  });

  test.each<[string, string]>([
    ["where another field is given", "const o = { a: req.query.x, b: 'ls' }; run(o.b);"],
    ["where it was replaced", "let x = req.query.x; x = 'ls'; run(x);"],
    ["where only its length is", "run('head -n ' + req.query.x.length);"],
    ["where it is compared", "run(req.query.x === 'a' ? 'ls' : 'pwd');"],
    ["where it is looked up", "const commands = { a: 'ls' }; run(commands[req.query.x]);"],
    ["where it is a number", "run('kill ' + (req.query.x | 0));"],
    ["where a check of this project throws", "assertValidName(req.query.x); run(req.query.x);"],
    ["where it is taken from a map of names", "const m = new Map([['a', 'ls']]); run(m.get(req.query.x));"],
    ["in another call of the same function", "const id = (v) => v; const t = id(req.query.x); run(id('ls'));"],
  ])("but nothing is told %s", (_, body) => {
    expect(found({ "a.js": `import { run } from "./run.js"; export const handler = (req, res) => { ${body} };`, "run.js": RUN })).toEqual([]);
  });
});

describe("a package", () => {
  const manifest = (more = "") => `{"name": "x", "main": "index.js"${more}}`;
  const index =
    'const cp = require("child_process"); exports.run = (text) => cp.exec("ls " + text); const own = (t) => cp.exec(t); exports.list = () => own("ls");';

  test("answers for what it exports, lower than for a request", () => {
    const [match] = found({ "package.json": manifest(), "index.js": index });
    expect(match).toMatchObject({ severity: "high", confidence: "medium" });
    expect(match?.flow[0]?.message).toContain("`text` of the exported function `run`");
  });

  test("that is private has no strangers for callers", () => {
    expect(found({ "package.json": manifest(', "private": true'), "index.js": index })).toEqual([]);
  });

  test("does not answer for what lies deep in its settings", () => {
    const text = 'const cp = require("child_process"); exports.build = (config) => cp.exec(config.tools.compiler.command);';
    expect(found({ "package.json": manifest(), "index.js": text })).toEqual([]);
  });

  test("is not asked about its tests", () => {
    expect(found({ "package.json": '{"name": "x", "main": "lib.js"}', "test/index.js": index })).toEqual([]);
  });
});
