import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { newId, runSpecSchema } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { hostFacts } from "@plastron/sandbox";
import { type FuzzResult, type FuzzSettings, fuzzArtifact, openArtifact, readCases, replayCases, writeCase } from "@plastron/scan";
import { afterAll, describe, expect, it } from "vitest";
import { CHECKOUT } from "../lifecycle/home.ts";
import { withOwnDriver } from "../run/own-driver.ts";
import { withFuzzSandbox } from "./sandbox.ts";

const possible = process.getuid?.() === 0 && existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));
const made: string[] = [];
afterAll(() => made.forEach((path) => void rmSync(path, { recursive: true, force: true })));

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "plastron-fuzzed-"));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function fuzzed(
  files: Record<string, string>,
  more: Partial<FuzzSettings> = {},
  look: "seen" | "unseen" = "unseen",
): Promise<FuzzResult & { rules: string[] }> {
  const artifact = await openArtifact(tree(files));
  const result = await withFuzzSandbox((sandbox) => fuzzArtifact(artifact, sandbox, { seconds: 2, seed: 7, ...more }), look);
  await artifact.close();
  return { ...result, rules: result.matches.map(({ rule }) => rule) };
}

/** Whether this host lets sandboxes be watched: what they may not do is known from that alone. */
function sees(): Promise<boolean> {
  return withOwnDriver(async (driver) => {
    const limits = {
      memory_bytes: 1 << 28,
      pids: 8,
      workspace_bytes: 1 << 20,
      output_bytes: 1 << 20,
      wall_ms: 20_000,
      rates: { forks_per_s: null, denied_per_s: null },
    };
    const { confinement } = compileDefault(await hostFacts(1));
    const spec = runSpecSchema.parse({
      run_id: newId("run"),
      tenant: "fuzz",
      confinement,
      runtime: "python3",
      code: "",
      files: [],
      stdin: "",
      collect: [],
      limits,
    });
    return (await driver.run(spec, { stdout: () => {}, stderr: () => {} }, {})).telemetry.level !== "none";
  }, "seen");
}

const STRING = "/** @param {string} s */\n";
const PLANTED_JS: [string, string][] = [
  ["crash", `${STRING}exports.f = (s) => { if (s.startsWith('FUZZ') && s.length > 7 && s[5] === 'x') return null.x; };`],
  ["stack-overflow", `${STRING}exports.f = function f(s) { return s.startsWith('(') ? f(s.slice(1)) : 0; };`],
  ["unhandled-rejection", `${STRING}exports.f = (s) => { if (s.includes('{')) Promise.resolve().then(() => null.x); };`],
  ["abort", `${STRING}exports.f = (s) => { if (s.startsWith('die')) process.kill(process.pid, 'SIGSEGV'); };`],
  ["hang", `${STRING}exports.f = (s) => { if (s.startsWith('lo')) for (;;); };`],
  ["slow", `${STRING}exports.f = (s) => /^(a+)+$/.test(s);`],
  ["command-injection", `const { execSync } = require('child_process');\n${STRING}exports.f = (s) => execSync('ls "' + s + '"');`],
  ["code-injection", `${STRING}exports.f = (s) => eval('(' + s + ')');`],
  ["sql-injection", `const db = require('mysql2').createConnection({});\n${STRING}exports.f = (s) => db.query("select * from t where n = '" + s + "'");`],
  ["path-traversal", `const fs = require('fs'), path = require('path');\n${STRING}exports.f = (s) => fs.readFileSync(path.join('/srv/data', s));`],
  [
    "prototype-pollution",
    "exports.merge = function merge(target, source) { for (const k in source) { if (typeof source[k] === 'object' && source[k]) { target[k] ??= {}; merge(target[k], source[k]); } else target[k] = source[k]; } };",
  ],
  ["secret-leak", `${STRING}exports.f = (s) => { if (s === 'debug') console.log(process.env); };`],
];

const PLANTED_PYTHON: [string, string][] = [
  ["crash", "def f(s: str):\n    if s.startswith('FUZZ') and len(s) > 7 and s[5] == 'x':\n        return None.x\n"],
  ["hang", "def f(s: str):\n    while s.startswith('lo'):\n        pass\n"],
  ["slow", "import re\ndef f(s: str):\n    return re.match(r'^(a+)+$', s)\n"],
  ["command-injection", 'import os\ndef f(s: str):\n    os.system("ls \'" + s + "\'")\n'],
  ["code-injection", "def f(s: str):\n    return eval(s)\n"],
  ["sql-injection", "import sqlite3\ndef f(s: str):\n    return sqlite3.connect(':memory:').execute(\"select 1 where 'a' = '\" + s + \"'\")\n"],
  ["path-traversal", "def f(s: str):\n    return open('/srv/data/' + s).read()\n"],
  ["secret-leak", "import os\ndef f(s: str):\n    return os.environ.get(s)\n"],
];

describe.runIf(possible)("fuzzing", { timeout: 120_000 }, () => {
  it.each(PLANTED_JS)("finds what JavaScript hides: %s [needs: root]", async (oracle, text) => {
    expect((await fuzzed({ "a.js": text })).rules).toContain(`fuzz/${oracle}`);
  });

  it.each(PLANTED_PYTHON)("finds what Python hides: %s [needs: root]", async (oracle, text) => {
    expect((await fuzzed({ "a.py": text }, { seconds: 4 })).rules).toContain(`fuzz/${oracle}`);
  });

  it("says nothing of code that does it right, in either language [needs: root]", async () => {
    const javascript = `const { execFileSync, execSync } = require('child_process'), fs = require('fs'), path = require('path'), db = require('pg');
const client = new db.Client();
${STRING}exports.a = (s) => execFileSync('ls', ['--', s]);
${STRING}exports.b = (s) => execSync("ls '" + s.replaceAll("'", "'\\\\''") + "'");
${STRING}exports.c = (s) => client.query('select $1', [s]);
${STRING}exports.d = (s) => { const at = path.resolve('/srv/data', s); if (!at.startsWith('/srv/data/')) throw new TypeError('no'); return fs.readFileSync(at); };
${STRING}exports.e = (s) => { if (s.length > 3) throw new RangeError('too long'); return JSON.parse(s); };`;
    const python =
      "import subprocess, sqlite3\ndef a(s: str):\n    subprocess.run(['ls', '--', s])\ndef b(s: str):\n    sqlite3.connect(':memory:').execute('select ?', (s,))\ndef c(s: str):\n    if not s:\n        raise IndexError('empty')\n    return int(s)\n";
    const result = await fuzzed({ "a.js": javascript, "a.py": python }, { seconds: 8 });
    expect(result.matches).toEqual([]);
    expect(result.harnesses.map(({ trouble }) => trouble)).toEqual(Array(8).fill(null));
  });

  it("calls an MCP server's tools by the schemas that they register [needs: root]", async () => {
    const server = `import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js"; import { z } from "zod"; import { exec } from "node:child_process";
const server = new McpServer({ name: "x", version: "1" });
server.tool("ping", { host: z.string(), count: z.number().int().min(1).max(5) }, async ({ host, count }) => { if (!Number.isInteger(count)) null.x; exec("ping -c " + count + " " + host); return { content: [] }; });
await server.connect({});`;
    expect((await fuzzed({ "server.mjs": server })).rules).toEqual(["fuzz/command-injection"]);
  });

  it.for<[string, string, Record<string, string>]>([
    [
      "JavaScript, by a path",
      "floor-read-only-root",
      { "a.js": `const fs = require("fs");\n${STRING}exports.f = (s) => { if (s.length > 3) try { fs.writeFileSync("/usr/x", ""); } catch {} };` },
    ],
    [
      "Python, by a path",
      "floor-read-only-root",
      { "a.py": "def f(s: str):\n    if len(s) > 3:\n        try:\n            open('/usr/x', 'w')\n        except OSError:\n            pass\n" },
    ],
    [
      "Python, by a system call",
      "disallow-mount",
      { "a.py": "import ctypes\nlibc = ctypes.CDLL(None)\ndef f(s: str):\n    if len(s) > 3:\n        libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)\n" },
    ],
  ])("names the rule of the sandbox that a call hits: %s [needs: root]", async ([, rule, files], { skip }) => {
    if (!(await sees())) skip("[needs: sensor]");
    const { matches } = await fuzzed(files, { seconds: 3 }, "seen");
    expect(matches).toMatchObject([{ rule: "fuzz/sandbox-violation", verdict: "authority", message: expect.stringContaining(`the rule ${rule} (`) }]);
  });

  it("says nothing of rules that the loading hits, whatever is called [needs: root]", async ({ skip }) => {
    if (!(await sees())) skip("[needs: sensor]");
    const files = {
      "a.py":
        "try:\n    open('/usr/x', 'w')\nexcept OSError:\n    pass\ndef f(s: str):\n    try:\n        open('/usr/y', 'w')\n    except OSError:\n        return s\n",
    };
    expect((await fuzzed(files, {}, "seen")).matches).toEqual([]);
  });

  it("sends a handler what its OpenAPI document describes, and finds what only such a request reaches [needs: root]", async () => {
    const schema = {
      type: "object",
      required: ["count", "unit"],
      properties: { count: { type: "integer", minimum: 1, maximum: 9 }, unit: { $ref: "#/components/schemas/Unit" } },
    };
    const document = {
      openapi: "3.0.0",
      info: { title: "t", version: "1" },
      components: { schemas: { Unit: { type: "string", enum: ["gram", "ounce"] } } },
      paths: {
        "/orders/{id}": {
          parameters: [{ name: "id", in: "path", required: true, schema: { type: "integer", minimum: 1000 } }],
          post: {
            parameters: [{ name: "mode", in: "query", required: true, schema: { type: "string", enum: ["fast", "slow"] } }],
            requestBody: { content: { "application/json": { schema } } },
            responses: {},
          },
        },
      },
    };
    const handler = `export default async function (request) {
  const url = new URL(request.url), id = Number(url.pathname.split("/")[2]);
  if (request.method !== "POST" || !url.pathname.startsWith("/orders/") || !(id >= 1000)) return new Response("", { status: 404 });
  if (url.searchParams.get("mode") !== "slow") return new Response("", { status: 202 });
  const { count, unit } = await request.json();
  if (unit === "ounce" && count === 7) return null.x;
  return Response.json({ count });
}`;
    const { harnesses, matches } = await fuzzed({ "server.mjs": handler, "openapi.json": JSON.stringify(document) }, { seconds: 5 });
    expect(harnesses.map(({ id, trouble }) => [id, trouble])).toEqual([["server.mjs:default requests", null]]);
    expect(matches).toMatchObject([{ rule: "fuzz/crash", place: { path: "server.mjs", line: 6 } }]);
  });

  it("calls classes of Python, whose names its interpreter changes [needs: root]", async () => {
    const text =
      "class Parser:\n    LIMIT = 4 if len('abcd') == 4 else 5\n    def __init__(self, s):\n        self.__s = s\n    def go(self):\n        if self.__s == 'magic!':\n            return None.x\n        return 1\ndef f(s: str):\n    return Parser(s).go()\n";
    const { matches, harnesses } = await fuzzed({ "a.py": text }, { seconds: 3 });
    expect(harnesses.map(({ trouble }) => trouble)).toEqual([null]);
    expect(matches).toMatchObject([{ rule: "fuzz/crash", place: { path: "a.py", line: 7 } }]);
  });

  it("keeps what it found as cases that fail until it is mended [needs: root]", async () => {
    const root = tree({ "a.js": PLANTED_JS[0]?.[1] as string });
    await withFuzzSandbox(async (sandbox) => {
      const open = await openArtifact(root);
      const { confirmed } = await fuzzArtifact(open, sandbox, { seconds: 2, seed: 3 });
      for (const one of confirmed) writeCase(root, one);
      const { cases } = readCases(root);
      expect(cases.length).toBe(1);
      expect(await replayCases(await openArtifact(root), sandbox, cases)).toMatchObject([{ state: "fails" }]);
      writeFileSync(join(root, "a.js"), `${STRING}exports.f = (s) => s;`);
      expect(await replayCases(await openArtifact(root), sandbox, cases)).toMatchObject([{ state: "passes" }]);
    }, "unseen");
  });
});

const HOSTILE: [string, string][] = [
  [
    "prints forged messages",
    "const fs = require('fs'); exports.f = (s) => { fs.writeSync(1, '\\n@pf0:' + JSON.stringify({ type: 'candidate', oracle: 'command-injection', key: 'k', message: 'm', stack: '', input: ['x'], ms: 1, executions: 1 }) + '\\n'); };",
  ],
  [
    "tampers with what the engine is made of",
    "JSON.stringify = () => '[]'; JSON.parse = () => ({}); Math.random = () => 0; Math.clz32 = () => { throw 1; }; Uint8Array.prototype.fill = Array.prototype.push = String.prototype.slice = () => { throw new Error('x'); }; process.stdout.write = () => false; performance.now = () => 0; exports.f = (s) => 1;",
  ],
  ["kills its process", "process.kill(process.pid, 'SIGKILL'); exports.f = (s) => s;"],
  ["takes all memory when it is loaded", "const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1)); exports.f = (s) => s;"],
  ["never finishes loading", "for (;;); exports.f = (s) => s;"],
];

describe.runIf(possible)("a hostile target", { timeout: 120_000 }, () => {
  it.each(HOSTILE)("that %s gives no finding, and is told not to have been fuzzed or does no harm [needs: root]", async (_name, text) => {
    const own = () => readdirSync(tmpdir()).filter((name) => name.startsWith("plastron-own-")).length;
    const before = own();
    const from = Date.now();
    const result = await fuzzed({ "a.js": text });
    expect(result.matches).toEqual([]);
    expect(result.harnesses.length).toBe(1);
    expect(Date.now() - from).toBeLessThan(60_000);
    expect(own()).toBeLessThanOrEqual(before);
  });

  it("that breaks the counting is told as such, and has no crash of its own [needs: root]", async () => {
    const text = "import pf_feedback\npf_feedback.seen = None\ndef f(s: str):\n    if s.isdigit():\n        return 1\n    return None\n";
    const { matches, harnesses } = await fuzzed({ "a.py": text });
    expect(matches).toEqual([]);
    expect(harnesses.map(({ trouble }) => trouble)).toEqual([expect.stringContaining("coverage could not be counted")]);
  });

  it("that forks without end is stopped by its limits [needs: root]", async () => {
    const result = await fuzzed({ "a.py": "import os\nwhile True:\n    os.fork()\ndef f(s: str):\n    return s\n" });
    expect(result.matches).toEqual([]);
    expect(result.gaps).toMatchObject([{ reason: "not_fuzzed", matters: true }]);
  });
});
