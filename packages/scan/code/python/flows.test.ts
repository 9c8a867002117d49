import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fileOf, lookThrough } from "../../rules/index.ts";
import { createCode } from "../create.ts";
import type { FileFacts } from "../engine/facts.ts";
import { readCodeRules } from "../spec.ts";

const root = join(import.meta.dirname, "../../../../rules/code/python");
const documents = readdirSync(root, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => parse(readFileSync(join(root, name), "utf8")));
const analyser = createCode(readCodeRules(documents));

/** `rule:line` of what is told of these files. */
function told(files: Record<string, string>): string[] {
  const { matches } = lookThrough(
    analyser,
    Object.entries(files).map(([path, text]) => fileOf(path, text)),
  );
  return matches.map(({ rule, place }) => `${rule.slice("code/python/".length)}:${place.line}`).sort();
}
const inOne = (text: string) => told({ "v.py": text });
const HEAD = "from flask import request\nimport os\n";

describe("data is followed", () => {
  test.each<[string, string, string[]]>([
    [
      "through f-strings, format and percent",
      'def h():\n  a = request.args["a"]\n  os.system(f"x {a}")\n  os.system("x {}".format(a))\n  os.system("x %s" % a)\n  os.system("%(k)s" % {"k": a})\n',
      ["command-injection:5", "command-injection:6", "command-injection:7", "command-injection:8"],
    ],
    [
      "not through numbers",
      'def h():\n  n = request.args.get("n", type=int)\n  os.system("x %s" % n)\n  os.system("x %d" % request.args["m"])\n  os.system(f"{int(request.args[\'k\'])}")\n',
      [],
    ],
    [
      "into fields of objects, and to one of them only",
      'class V:\n  def __init__(self, x):\n    self.x = x\n    self.y = "a"\n  def go(self):\n    os.system(self.x)\n    os.system(self.y)\ndef h():\n  V(request.args["a"]).go()\n',
      ["command-injection:8"],
    ],
    [
      "through lists, comprehensions and joins",
      'def h():\n  names = [n.strip() for n in request.args["a"].split(",")]\n  for n in names:\n    os.system("x " + n)\n  os.system(" ".join(names))\n',
      ["command-injection:6", "command-injection:7"],
    ],
    ["by key of a dict", 'def h():\n  d = {"a": request.args["a"], "b": "c"}\n  os.system(d["a"])\n  os.system(d["b"])\n', ["command-injection:5"]],
    ["through globals", 'CUR = ""\ndef a():\n  global CUR\n  CUR = request.args["a"]\ndef b():\n  os.system(CUR)\n', ["command-injection:8"]],
    [
      "through := and match",
      'def h():\n  if (x := request.args.get("a")):\n    os.system(x)\n  match request.json:\n    case {"cmd": c}:\n      os.system(c)\n',
      ["command-injection:5", "command-injection:8"],
    ],
    [
      "through *args, **kwargs and keywords",
      'def f(**kw): os.system(kw["c"])\ndef g(*a): os.system(a[0])\ndef k(x, cmd=None): os.system(cmd)\ndef h():\n  f(c=request.args["c"])\n  g(request.args["d"])\n  k(1, cmd=request.args["e"])\n',
      ["command-injection:3", "command-injection:4", "command-injection:5"],
    ],
    [
      "through try, with and or",
      'def h():\n  try:\n    x = request.args["a"]\n  except KeyError:\n    x = ""\n  with open("a") as f:\n    os.system(x or "ls")\n',
      ["command-injection:9"],
    ],
    [
      "not past a list of what is allowed",
      'OK = ["a", "b"]\ndef h():\n  x = request.args["a"]\n  if x in OK:\n    os.system(x)\n  assert x in OK\n  os.system(x)\n',
      [],
    ],
    ["not past a pattern that is matched as a whole", 'import re\ndef h():\n  x = request.args["a"]\n  if re.fullmatch("[a-z]+", x):\n    os.system(x)\n', []],
    ["past a pattern that is not", 'import re\ndef h():\n  x = request.args["a"]\n  if re.match("[a-z]+", x):\n    os.system(x)\n', ["command-injection:7"]],
    [
      "through other names of a function",
      'from os import system as go\nimport os as o\ndef h():\n  go(request.args["a"])\n  o.popen(request.args["b"])\n  __import__("os").system(request.args["c"])\n',
      ["command-injection:6", "command-injection:7", "command-injection:8"],
    ],
  ])("%s", (_, text, expected) => expect(inOne(HEAD + text)).toEqual(expected));

  test("over files: relative, absolute and renamed imports", () => {
    const files = {
      "src/pkg/__init__.py": "",
      "src/pkg/a.py":
        "from flask import request\nfrom . import b\nfrom .sub.c import go as run\nimport pkg.d\ndef h():\n  b.go(request.args['x'])\n  run(request.args['y'])\n  pkg.d.go(request.args['z'])\n",
      "src/pkg/b.py": "import os\ndef go(x): os.system(x)\n",
      "src/pkg/sub/__init__.py": "",
      "src/pkg/sub/c.py": "import os\n\ndef go(x): os.system(x)\n",
      "src/pkg/d.py": "import os\n\n\ndef go(x): os.system(x)\n",
    };
    expect(told(files)).toEqual(["command-injection:2", "command-injection:3", "command-injection:4"]);
  });
});

describe("where data comes in", () => {
  test.each<[string, string, string[]]>([
    [
      "Flask, the app from another file",
      'from .app import app\nimport os\n@app.route("/x/<name>")\ndef f(name):\n  os.system("a " + name)\n',
      ["command-injection:5"],
    ],
    [
      "Flask, below another decorator",
      "from flask import Flask\nimport os\napp = Flask(__name__)\n@app.route('/a/<n>')\n@login\ndef h(n):\n  os.system(n)\n",
      ["command-injection:7"],
    ],
    [
      "FastAPI, but not what it hands in",
      'from fastapi import FastAPI, Depends\nimport os\napp = FastAPI()\n@app.get("/x")\ndef f(name: str, n: int, db = Depends(get)):\n  os.system(name)\n  os.system(n)\n  os.system(db.url)\n',
      ["command-injection:6"],
    ],
    [
      "FastAPI's Request: the parts of it that come from outside",
      'from fastapi import FastAPI, Request\nimport os\napp = FastAPI()\n@app.get("/x")\nasync def f(request: Request):\n  os.system(request.app.state.cmd)\n  os.system(request.query_params["x"])\n  d = await request.json()\n  os.system(d["x"])\n',
      ["command-injection:7", "command-injection:9"],
    ],
    [
      "Django's views",
      "from django.views import View\nimport os\nclass V(View):\n  def get(self, request, name):\n    os.system(request.GET.get('a'))\n    os.system(name)\n",
      ["command-injection:5", "command-injection:6"],
    ],
    [
      "aiohttp",
      "import os\nasync def h(request):\n  d = await request.json()\n  os.system(d['x'])\n  os.system(request.match_info['n'])\n",
      ["command-injection:4", "command-injection:5"],
    ],
    [
      "MCP's low-level server",
      "from mcp.server import Server\nimport os\nserver = Server('x')\n@server.call_tool()\nasync def call(name, arguments):\n  os.system(arguments['cmd'])\n",
      ["command-injection:6"],
    ],
    [
      "LangChain's tools",
      "from langchain_core.tools import tool\nimport os\n@tool\ndef sh(cmd: str) -> str:\n  return os.popen(cmd).read()\n",
      ["command-injection:5"],
    ],
    [
      "Dify's tools",
      "from dify_plugin import Tool\nimport os\nclass T(Tool):\n  def _invoke(self, tool_parameters):\n    os.system(tool_parameters['x'])\n",
      ["command-injection:5"],
    ],
    ["not a client's request", "import os\nclass Adapter:\n  def send(self, request: PreparedRequest):\n    os.system(request.body)\n", []],
  ])("%s", (_, text, expected) => expect(inOne(text)).toEqual(expected));
});

test("the outline says what is imported, used and done", () => {
  const { facts } = analyser.file(
    fileOf(
      "a.py",
      "import os\nimport requests as r\nfrom subprocess import run\n\ndef f():\n  run(['ls'])\n  r.get('https://example.com/x')\n  open('/etc/passwd').read()\n  os.environ['KEY']\n",
    ),
  );
  const { imports, uses, abilities } = (facts as FileFacts).outline;
  expect(imports.map(({ module }) => module)).toEqual(expect.arrayContaining(["os", "requests", "subprocess"]));
  expect(uses).toEqual(expect.arrayContaining([expect.objectContaining({ module: "requests", member: "get" })]));
  expect(abilities.map(({ kind, target, line }) => `${kind} ${target} ${line}`)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^exec .*6$/),
      "network https://example.com/x 7",
      "read_file /etc/passwd 8",
      expect.stringMatching(/^environment .*9$/),
    ]),
  );
});
