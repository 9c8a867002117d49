import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createCode } from "../create.ts";
import { codeRules } from "../testing/rules.ts";

const analyser = createCode(codeRules());
const look = (files: Record<string, string>) =>
  lookAt(
    analyser,
    Object.entries(files).map(([path, text]) => fileOf(path, text)),
  );
const found = (files: Record<string, string>) => [...new Set(look(files).matches.map(({ place }) => place.path))];

const HANDLER =
  'const { exec } = require("child_process"); const express = require("express"); const app = express(); app.get("/", (req, res) => exec("ping " + req.query.host));';
const VIEW =
  "import os\nfrom flask import Flask, request\napp = Flask(__name__)\n@app.route('/')\ndef ping():\n    os.system('ping ' + request.args['host'])\n";
const manifest = (more: object) => JSON.stringify({ name: "x", version: "1.0.0", ...more });

describe("weak code among tests and examples", () => {
  test("is not told, and the coverage says of how many files", () => {
    const { matches, gaps } = look({ "package.json": manifest({ main: "lib.js" }), "lib.js": "", "examples/a.js": HANDLER, "test/b.js": HANDLER });
    expect(matches).toEqual([]);
    expect(gaps).toEqual([
      expect.objectContaining({ reason: "quiet", matters: false, detail: expect.stringMatching(/^2 files lie among tests and examples/) }),
    ]);
  });

  test.each<[string, Record<string, string>]>([
    ["main", { "package.json": manifest({ main: "./examples/a.js" }), "examples/a.js": HANDLER }],
    ["main without its extension", { "package.json": manifest({ main: "examples/a" }), "examples/a.js": HANDLER }],
    ["module", { "package.json": manifest({ main: "lib.js", module: "examples/a.js" }), "lib.js": "", "examples/a.js": HANDLER }],
    ["bin", { "package.json": manifest({ bin: { x: "docs/a.js" } }), "docs/a.js": HANDLER }],
    ["exports", { "package.json": manifest({ exports: { ".": "./lib.js", "./b": { import: "./test/a.js" } } }), "lib.js": "", "test/a.js": HANDLER }],
    ["an install hook", { "package.json": manifest({ scripts: { postinstall: "node ./test/a.js || true" } }), "test/a.js": HANDLER }],
    ["an install hook without an extension", { "package.json": manifest({ scripts: { install: "node test/a" } }), "test/a.js": HANDLER }],
    ["code that requires it", { "index.js": 'require("./tests/a")', "tests/a.js": HANDLER }],
    [
      "code that leads to it by way of others",
      { "index.js": 'import "./tests/b.js"', "tests/b.js": 'export * from "./more/a.js"', "tests/more/a.js": HANDLER },
    ],
    ["a package of the same tree", { "p/package.json": manifest({ name: "p", main: "demo/a.js" }), "index.js": 'require("p")', "p/demo/a.js": HANDLER }],
    ["pyproject", { "pyproject.toml": '[project]\nname = "x"\n[project.scripts]\nx = "demo.app:main"\n', "demo/app.py": VIEW }],
    ["pyproject, in one line", { "pyproject.toml": '[project]\nname = "x"\nscripts = {x = "demo.app:main"}\n', "src/demo/app.py": VIEW }],
    ["Poetry", { "pyproject.toml": '[tool.poetry.scripts]\nx = { reference = "demo.app:main", type = "console" }\n', "demo/app.py": VIEW }],
    ["setup.cfg", { "setup.cfg": "[options.entry_points]\nconsole_scripts =\n    x = demo.app:main\n", "demo/app.py": VIEW }],
    ["a wheel's entry points", { "x-1.dist-info/entry_points.txt": "[console_scripts]\nx = demo.app:main\n", "demo/app.py": VIEW }],
    ["Python that imports it", { "x/main.py": "from x.samples import app\n", "x/samples/__init__.py": "", "x/samples/app.py": VIEW }],
    ["Python that imports it from beside", { "x/main.py": "from .samples.app import app\n", "x/samples/app.py": VIEW }],
  ])("is told where it is seen to run: %s", (_, files) => {
    expect(found(files)).toEqual([Object.keys(files).at(-1)]);
  });

  test.each<[string, Record<string, string>]>([
    ["a test that imports it", { "test/a.test.js": 'require("./a")', "test/a.js": HANDLER }],
    ["a fixture's own manifest", { "test/fixture/package.json": manifest({ main: "a.js" }), "test/fixture/a.js": HANDLER }],
    ["the settings of a test runner", { "vitest.config.ts": 'import "./test/a.js"', "test/a.js": HANDLER }],
    [
      "a command that is for developers",
      { "package.json": manifest({ main: "lib.js", scripts: { test: "node test/a.js" } }), "lib.js": "", "test/a.js": HANDLER },
    ],
    ["a module of whose name it has the end", { "src/main.py": "import app\n", "tests/app.py": VIEW }],
    ["a list of dependencies", { "pyproject.toml": '[project]\ndependencies = ["demo"]\n[tool.x]\ny = "demo.app:main"\n', "demo/app.py": VIEW }],
  ])("is not woken by %s", (_, files) => {
    expect(found(files)).toEqual([]);
  });

  test("is told of all that is weak by itself as well, and no link leads out of the tree or round in it for ever", () => {
    const weak = 'const crypto = require("crypto"); const https = require("https");\nhttps.get({ host: "a.example", rejectUnauthorized: false });\n';
    expect(found({ "test/a.js": weak })).toEqual([]);
    expect(found({ "a.js": weak })).toEqual(["a.js"]);
    expect(found({ "index.js": 'require("./test/a.js")', "test/a.js": weak })).toEqual(["test/a.js"]);
    expect(found({ "index.js": 'require("../../test/a.js")', "test/a.js": 'require("./b.js")', "test/b.js": 'require("./a.js")' })).toEqual([]);
  });
});
