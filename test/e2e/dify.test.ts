/** Dify's client against the real platform: what its nodes send, what it makes of the answers, and upstream's own tests by their names. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../fixtures/markdown.ts";

const KEY = "dify-sandbox"; // what Dify's own compose file presets
const base64 = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");

let home: string;
let url: string;
let env: NodeJS.ProcessEnv;
const plastron = async (...args: string[]) => (await promisify(execFile)(process.execPath, [join(root, "packages/cli/main.ts"), ...args], { env })).stdout;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "plastron-dify-"));
  env = { ...process.env, PLASTRON_HOME: join(home, "home"), PLASTRON_PORT: "0", API_KEY: KEY, WORKER_TIMEOUT: "2" };
  url = JSON.parse(await plastron("up", "--detach", "--json")).url;
}, 60_000);
afterAll(async () => {
  await plastron("down");
  rmSync(home, { recursive: true, force: true });
});

interface Data {
  stdout: string;
  stderr: string;
  error: string;
  exit_code: number;
}
async function post(body: object, key = KEY) {
  const headers = { "X-Api-Key": key, "Content-Type": "application/json" };
  const response = await fetch(`${url}/v1/sandbox/run`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}
async function run(language: "python3" | "nodejs", code: string, more: object = {}): Promise<Data> {
  const { status, text } = await post({ language, code, preload: "", enable_network: true, ...more });
  expect(status, text).toBe(200);
  const reply = JSON.parse(text) as { code: number; message: string; data: Data };
  expect(reply).toMatchObject({ code: 0, message: "success" });
  return reply.data;
}
const clean = (stdout: string): Data => ({ stdout, stderr: "", error: "", exit_code: 0 });

/** What the client reads out of a node's output. */
async function resultOf(data: Promise<Data>): Promise<unknown> {
  const { error, stdout } = await data;
  expect(error).toBe("");
  return /<<RESULT>>([\s\S]*)<<RESULT>>/.exec(stdout)?.[1];
}

const UNDER = ["the built-in default", "the policy dify-sandbox"] as const;
describe.each(UNDER)("under %s", (policy) => {
  beforeAll(async () => {
    if (policy !== UNDER[0]) await plastron("policy", "put", "dify-sandbox", join(root, "policies/dify-sandbox.yaml"));
  });

  it("a code node in Python gets its inputs and gives its outputs", async () => {
    const inputs = base64({ name: "Zoë", list: [1, 2] });
    const code = `import json, base64
def main(name, list): return {"text": name, "sum": sum(list)}
print("<<RESULT>>" + json.dumps(main(**json.loads(base64.b64decode("${inputs}")))) + "<<RESULT>>")`;
    expect(JSON.parse(String(await resultOf(run("python3", code))))).toEqual({ text: "Zoë", sum: 3 });
  });

  it("a template node gets Jinja, and its preload is accepted without effect", async () => {
    const code = `import jinja2, json, base64
inputs = json.loads(base64.b64decode("${base64({ who: "Ann" })}"))
print("<<RESULT>>" + jinja2.Template(base64.b64decode("${base64("Hi {{ who }}{% if x is defined %} preloaded{% endif %}")}").decode()).render(**inputs, **({"x": x} if "x" in globals() else {})) + "<<RESULT>>")`;
    expect(await resultOf(run("python3", code, { preload: "import jinja2\nx = 1\nopen('/tmp/preloaded', 'w')" }))).toBe("Hi Ann");
    expect(await run("python3", "import os; print(os.path.exists('/tmp/preloaded'))", { preload: "open('/tmp/preloaded', 'w')" })).toEqual(clean("False\n"));
  });

  it("BasicTemplate (Node): a code node in JavaScript does the same", async () => {
    const code = `const inputs = JSON.parse(Buffer.from("${base64({ a: "ü" })}", "base64").toString("utf-8"));
function main({ a }) { return { b: a }; }
console.log(\`<<RESULT>>\${JSON.stringify(main(inputs))}<<RESULT>>\`);`;
    expect(JSON.parse(String(await resultOf(run("nodejs", code))))).toEqual({ b: "ü" });
  });

  it.each<[string, "python3" | "nodejs", string, string]>([
    ["Base64", "python3", "import base64; print(base64.b64decode(base64.b64encode(b'hello world')).decode())", "hello world\n"],
    ["JSON", "python3", "import json; print(json.dumps({'hello': 'world'}))", '{"hello": "world"}\n'],
    [
      "Timezone",
      "python3",
      "from datetime import datetime; from zoneinfo import ZoneInfo; print(datetime(2024, 7, 1, tzinfo=ZoneInfo('Asia/Tokyo')).utcoffset())",
      "9:00:00\n",
    ],
    ["Fd3", "python3", "import os\ntry: os.write(3, b'x')\nexcept OSError as e: print(e.errno == 9)", "True\n"],
    ["LargeOutput", "python3", "print('x' * 304486)", `${"x".repeat(304_486)}\n`],
    ["Exec", "python3", "import os; os.execl('/bin/echo', 'echo', 'replaced')", "replaced\n"],
    ["RunCommand", "python3", "import subprocess; print(subprocess.run(['cat', '/etc/shadow'], capture_output=True).returncode)", "1\n"],
    ["RunCommand (Node)", "nodejs", "require('child_process').execFile('cat', ['/etc/shadow'], (e) => console.log(e.code))", "1\n"],
    [
      "RedeclareFunction (Node)",
      "nodejs",
      "function parseInt() { console.log('called'); return 0 }\nvar data; console.log({ result: data })",
      "{ result: undefined }\n",
    ],
  ])("%s", async (_name, language, code, stdout) => {
    expect(await run(language, code)).toEqual(clean(stdout));
  });

  it("LoggingStaysInStderr, and ConsoleError (Node): a line of a logger fails no node", async () => {
    expect(await run("python3", "import logging; logging.warning('careful'); print(1)")).toEqual({ ...clean("1\n"), stderr: "WARNING:root:careful\n" });
    expect(await run("nodejs", "console.error('careful'); console.log(1)")).toEqual({ ...clean("1\n"), stderr: "careful\n" });
  });

  it("ExceptionPopulatesErrorAndStderr, and Throw (Node): the node fails and says where", async () => {
    for (const [language, code] of [
      ["python3", "print('before')\nraise ValueError('no good')"],
      ["nodejs", "console.log('before')\nthrow new Error('no good')"],
    ] as const) {
      const data = await run(language, code);
      expect(data).toMatchObject({ stdout: "before\n", stderr: expect.stringContaining("no good"), exit_code: 1 });
      expect(data.error).toBe(`process exited with code 1\nerror: exit status 1\n${data.stderr}`);
    }
  });

  it("ReadEtcPasswd: it is the sandbox's own, and tells nothing of the host's users", async () => {
    const host = readFileSync("/etc/passwd", "utf8").trim().split("\n");
    const { stdout, error } = await run("python3", "print(open('/etc/passwd').read())");
    expect(error).toBe("");
    expect(host.length).toBeGreaterThan(5);
    expect(stdout.trim().split("\n").length).toBeLessThan(5);
  });
});

it("tells a program that took too long, and one that wanted the network, by what happened", async () => {
  const [slow, network] = await Promise.all([
    run("python3", "while True: pass"),
    run("python3", "import socket\ntry: socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError as e: print(e.strerror)"),
  ]);
  expect(slow.error).toContain("error: timeout");
  expect(network).toEqual(clean("Network is unreachable\n"));
});

it("turns away what upstream turns away, in the same form", async () => {
  expect(await post({ language: "python3", code: "1" }, "wrong")).toEqual({ status: 401, text: "" });
  expect(await post({ language: "ruby", code: "1" })).toEqual({ status: 400, text: '{"code":-400,"message":"unsupported language","data":null}' });
  expect((await post({ language: "python3" })).status).toBe(400);
  expect(await (await fetch(`${url}/health`)).text()).toBe('"ok"');
});

it("lists what Python can import, which Dify shows", async () => {
  const response = await fetch(`${url}/v1/sandbox/dependencies?language=python3`, { headers: { "X-Api-Key": KEY } });
  const { data } = (await response.json()) as { data: { dependencies: { name: string; version: string }[] } };
  expect(data.dependencies.map(({ name }) => name.toLowerCase())).toEqual(expect.arrayContaining(["jinja2", "requests", "httpx"]));
});
