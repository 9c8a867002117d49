import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { stackSchema } from "@plastron/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { readStack } from "./index.ts";
import { Stage, short, untilStopped } from "./testing/stopped.ts";

const stage = new Stage();
afterAll(() => stage.clear());

/** The one that the tests run on, and another that the system has. */
const nodes = [process.execPath, "/usr/bin/node"].filter((path, index, all) => all.indexOf(path) === index && existsSync(path) && majorOf(path) >= 20);

function majorOf(node: string): number {
  return Number(execFileSync(node, ["-p", "process.versions.node.split('.')[0]"], { encoding: "utf8" }));
}

/** On the program's first line. */
const STOP = "const stop = () => process.kill(process.pid, 'SIGSTOP');";

describe.each(nodes)("the stack of Node, %s", { timeout: 60_000 }, (node) => {
  async function read(code: string, name = "p.js", flags: string[] = []) {
    const pid = await stage.stopped(node, [...flags, stage.write(name, `${STOP}\n${code}`)]);
    const stack = stackSchema.parse(readStack(pid, pid));
    return { stack, frames: short(stack, "javascript") };
  }

  it("names functions, files and lines of CommonJS, innermost first", async () => {
    const { stack, frames } = await read("function a() {\n  b();\n}\nconst b = () => {\n  c.d();\n};\nconst c = {\n  d() {\n    stop();\n  },\n};\na();\n");
    expect(frames).toEqual(["stop:1", "d:10", "b:6", "a:3", ":13"]);
    expect(stack.frames[0]).toMatchObject({ language: "native", function: "kill" });
    expect(stack.frames[1]?.file).toMatch(/^\/.*plastron-stacks-.*p\.js$/);
    expect(stack).toMatchObject({ truncated: false, incomplete: null });
  });

  it("follows modules", async () => {
    const { stack, frames } = await read(
      "export default function outer() {\n  inner(() =>\n    stop());\n}\nconst inner = (f) => [1].map(f);\nawait null;\nouter();\n",
      "p.mjs",
    );
    expect(frames).toEqual(["stop:1", ":4", "inner:6", "outer:3", ":8"]);
    expect(stack.frames[1]?.file).toMatch(/^\/.*p\.mjs$/);
  });

  it("follows classes, getters, private methods and async functions", async () => {
    const code =
      "class T {\n  constructor() { this.run(); }\n  run() { [1].forEach(() =>\n    this.#p()); }\n  #p() { stop(); }\n  get g() { return new T(); }\n}\nasync function later() {\n  await null;\n  Object.create(T.prototype).g;\n}\nlater();\n";
    expect((await read(code)).frames).toEqual(["stop:1", "#p:6", ":5", "run:4", "T:3", "get g:7", "later:11"]);
  });

  it("follows code from text, and C++ that calls back", async () => {
    const code = "eval('(function evaluated() {\\n\\n  stop();\\n})()'.replace('stop', 'JSON.parse(\"[1]\", stop)'));\n";
    const { stack, frames } = await read(code);
    expect(frames).toEqual(["stop:1", "evaluated:3", ":4", ":2"]);
    expect(stack.frames[2]?.file).toBe("<eval>");
    expect((await read("new Function('f', '\\n\\n f()')(() =>\n  stop());\n")).frames).toEqual(["stop:1", ":3", ":5", ":2"]);
    expect(
      (
        await read(
          "require('vm').runInThisContext('\\n\\nf()', { filename: 'made up', lineOffset: 10 });\nfunction f() { stop(); }\n"
            .replace("f()'", "globalThis.f()'")
            .replace("function f()", "globalThis.f = function f()")
            .split("\n")
            .reverse()
            .join("\n"),
        )
      ).frames,
    ).toEqual(["stop:1", "f:3", ":13", ":4"]);
  });

  it("keeps names and lines of what was compiled, or says what is missing", async () => {
    const hot =
      "function inner(x) { if (x === LAST) stop(); return x; }\nfunction middle(x) { return inner(x) + 1; }\nfunction outer() { for (let i = 0; i < 6e6; i++) middle(i); }\nouter();\n";
    const baseline = await read(hot.replace("LAST", "3000"), "p.js", ["--no-opt", ...(majorOf(node) >= 22 ? ["--no-maglev"] : [])]);
    expect(baseline.frames.map((frame) => frame.split(":")[0])).toEqual(["stop", "inner", "middle", "outer", ""]);
    const optimized = await read(hot.replace("LAST", "5000000"));
    expect(optimized.frames.at(-1)).toBe(":5");
    const names = optimized.frames.map((frame) => frame.split(":")[0]);
    expect(names).toContain("outer");
    if (!names.includes("inner")) expect(optimized.stack.incomplete).toBe("functions that V8 compiled into their callers are missing");
  });

  it("is there for a loop that calls nothing", async () => {
    const code = "function spin() {\n  for (let x = 0; ; x++) if (x < 0) stop();\n}\nrequire('fs').writeSync(1, 'begins');\nspin();\n";
    const child = stage.start(node, [stage.write("spin.js", `${STOP}\n${code}`)]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    const pid = child.pid as number;
    for (let tries = 0; tries < 5; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      process.kill(pid, "SIGSTOP");
      await untilStopped(pid);
      const frames = short(readStack(pid, pid), "javascript");
      process.kill(pid, "SIGCONT");
      expect(frames.map((frame) => frame.split(":")[0])).toEqual(["spin", ""]);
      expect(frames.at(-1)).toBe(":6");
    }
  });

  it("is that of a worker thread", async () => {
    const code =
      "const { Worker, isMainThread, workerData } = require('worker_threads');\nif (isMainThread) new Worker(__filename);\nelse work();\nfunction work() {\n  stop();\n  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);\n}\n";
    const pid = await stage.stopped(node, [stage.write("worker.js", `${STOP}\n${code}`)]);
    const found = readdirSync(`/proc/${pid}/task`).map((tid) => short(readStack(pid, Number(tid)), "javascript"));
    const own = found.filter((frames) => frames.length > 0);
    // The signal is for the process: the thread may have gone on for a while.
    expect([
      ["work:7", ":4"],
      ["stop:1", "work:6", ":4"],
    ]).toContainEqual(own[0]);
    expect(own).toHaveLength(1);
  });

  it("has native frames alone where no JavaScript runs", async () => {
    const child = stage.start(node, [stage.write("idle.js", "setTimeout(() => {}, 1e6);\nsetTimeout(() => require('fs').writeSync(1, 'soon'), 100);\n")]);
    await new Promise((resolve) => child.stdout?.once("data", resolve));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pid = child.pid as number;
    process.kill(pid, "SIGSTOP");
    await untilStopped(pid);
    const stack = readStack(pid, pid);
    expect(short(stack, "javascript")).toEqual([]);
    expect(short(stack, "native")).toContain("uv_run");
  });

  it("goes on beyond the handler of a signal", async () => {
    const code =
      "require('child_process').spawn('sh', ['-c', 'sleep 0.7; kill -STOP $0', String(process.pid)]);\nfunction spin() {\n  for (let x = 0; ; x++) if (x < 0) stop();\n}\nspin();\n";
    const { frames } = await read(code);
    expect(frames.at(-1)).toBe(":6");
  });

  it("shows names in any script, and nothing that a terminal would obey", async () => {
    const { stack } = await read(
      "const größe = () => { stop(); };\nObject.assign(globalThis, { größe });\nconst o = { ['\\x1b[2J\\u202e😀\\ud800'.slice(0)]() {} };\n(0, eval)('(function 函数() { größe(); })()\\n//# sourceURL=\\x1b]0;x\\x07\\u202e😀');\n",
    );
    expect(stack.frames.slice(2, 4).map((frame) => frame.function)).toEqual(["größe", "函数"]);
    for (const frame of stack.frames) expect(`${frame.function}${frame.file}`).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });

  it("cuts deep recursions and long names", async () => {
    const { stack } = await read(
      "function deep(n) { if (n) deep(n - 1); else (0, eval)(`(function ${'é'.repeat(5000)}() { globalThis.s(); })()`); }\nglobalThis.s = stop;\ndeep(3000);\n",
    );
    expect(stack.frames).toHaveLength(64);
    expect(stack.truncated).toBe(true);
    expect(stack.frames[2]?.function).toBe(`${"é".repeat(255)}…`);
  });
});
