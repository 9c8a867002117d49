import type { Runtime } from "@plastron/contracts";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Worker, Workspace } from "./worker-process.ts";

const workspace = new Workspace();
afterAll(() => workspace.remove());

let worker: Worker;
let turns = 0;
const open = (runtime: Runtime) => async () => {
  worker = await new Worker(workspace, runtime, "session").ready();
};
const turn = (code: string, more: { argv?: string[]; env?: Record<string, string>; display?: boolean } = {}) =>
  worker.turn({ code, display: true, entry: `.run-${++turns}`, ...more });
const file = (back = 0) => `${workspace.path}/.run-${turns - back}`;

describe("a Python session", () => {
  beforeEach(open("python3"));
  afterEach(() => worker.kill());

  it("keeps names, shows a last expression, and takes variables of a run away", async () => {
    expect(await turn("x = 40\nclass A: pass\ndef f(): return x + 2")).toEqual({ stdout: "", stderr: "", done: 0 });
    expect(await turn("f()")).toMatchObject({ stdout: "42\n", done: 0 });
    expect(await turn("f()", { display: false })).toMatchObject({ stdout: "", done: 0 });
    expect(await turn("None")).toMatchObject({ stdout: "" });
    expect(await turn("import pickle, __main__; type(pickle.loads(pickle.dumps(A()))) is A and __main__.x")).toMatchObject({ stdout: "40\n" });
    expect((await turn("import sys, os; sys.argv[1:], os.environ['K']", { argv: ["q"], env: { K: "v" } })).stdout).toBe("(['q'], 'v')\n");
    expect((await turn("'K' in os.environ")).stdout).toBe("False\n");
  });

  it("shows each traceback with the lines of its run, and goes on", async () => {
    await turn("def f(x):\n    return 1 / x");
    expect(await turn("f(0)")).toMatchObject({
      stderr: `Traceback (most recent call last):\n  File "${file()}", line 1, in <module>\n    f(0)\n  File "${file(1)}", line 2, in f\n    return 1 / x\n           ~~^~~\nZeroDivisionError: division by zero\n`,
      done: 1,
    });
    expect(await turn("x = (")).toMatchObject({ stderr: `  File "${file()}", line 1\n    x = (\n        ^\nSyntaxError: '(' was never closed\n`, done: 1 });
    expect(await turn("1 + 1")).toMatchObject({ stdout: "2\n", done: 0 });
  });

  it("ends a run, not itself, on exit and on interrupt", async () => {
    expect(await turn("import sys; sys.exit(3)")).toMatchObject({ done: 3 });
    expect(await turn("sys.exit('bye')")).toMatchObject({ stderr: "bye\n", done: 1 });
    expect(await turn("raise KeyboardInterrupt")).toMatchObject({ done: 130 });
    expect(await turn("import sys; sys.excepthook = lambda *a: print('hook')\n1/0")).toMatchObject({ stdout: "hook\n", stderr: "", done: 1 });
    expect(await worker.end()).toBe(0);
  });
});

describe("a Node session", () => {
  beforeEach(open("nodejs"));
  afterEach(() => worker.kill());

  it("keeps names, lets them be declared again, and shows a last expression", async () => {
    expect(await turn("const a = 1; let b = [1]; class C {}; function f() { return a }; var v = 5")).toEqual({ stdout: "", stderr: "", done: 0 });
    expect(await turn("const a = 2; let b = 3; class C {}; function f() { return a + b + v }; f()")).toMatchObject({ stdout: "10\n", done: 0 });
    expect(await turn("const t = await new Promise(r => setTimeout(r, 5, { x: 1n, m: new Map([[1, 2]]) })); t")).toMatchObject({
      stdout: "{ x: 1n, m: Map(1) { 1 => 2 } }\n",
    });
    expect(await turn("t", { display: false })).toMatchObject({ stdout: "" });
    expect(await turn("[process.argv.slice(2), process.env.K, __filename]", { argv: ["q"], env: { K: "v" } })).toMatchObject({
      stdout: `[ [ 'q' ], 'v', '${file()}' ]\n`,
    });
    expect((await turn("process.env.K")).stdout).toBe("");
  });

  it("has require, import() and import declarations", async () => {
    workspace.write("mod.mjs", "export default 7; export const named = 8;");
    expect(
      await turn(
        "import seven, { named as n } from './mod.mjs';\nimport * as os from 'node:os'\nimport fs from 'fs'\n[seven, n, typeof os.cpus, typeof fs.readFileSync]",
      ),
    ).toMatchObject({
      stdout: "[ 7, 8, 'function', 'function' ]\n",
      stderr: "",
    });
    expect((await turn("[(await import('node:path')).sep, require('path').sep, `import('x') ${'import'}`, /import ('x')/.source]")).stdout).toBe(
      "[ '/', '/', \"import('x') import\", \"import ('x')\" ]\n",
    );
  });

  it("shows errors, and goes on", async () => {
    expect(await turn("1;\nthrow new TypeError('x')")).toMatchObject({
      stderr: `${file()}:2\nthrow new TypeError('x')\n      ^\n\nTypeError: x\n    at ${file()}:2:7\n`,
      done: 1,
    });
    expect((await turn("let a = = 2")).stderr).toContain("SyntaxError: Unexpected token '='");
    expect(await turn("throw 5")).toMatchObject({ done: 1 });
    expect(await turn("Promise.reject(new Error('rejected')); 0")).toMatchObject({ stderr: expect.stringContaining("Error: rejected"), done: 1 });
    expect(await turn("setTimeout(() => { throw new Error('later') }, 0); await new Promise(r => setTimeout(r, 20))")).toMatchObject({
      stderr: expect.stringContaining("Error: later"),
      done: 1,
    });
    expect(await turn("1 + 1")).toMatchObject({ stdout: "2\n", done: 0 });
  });

  it("ends a run, not itself, on process.exit, and lets servers live on", async () => {
    expect(await turn("process.exit(7); console.log('never')")).toMatchObject({ stdout: "", done: 7 });
    expect(await turn("try { process.exit(3) } catch {}; 1")).toMatchObject({ done: 3 });
    expect(await turn("process.exitCode = 5; undefined")).toMatchObject({ done: 5 });
    expect(
      await turn(
        "const s = require('http').createServer((q, r) => r.end('up')).listen(0, '127.0.0.1'); await require('events').once(s, 'listening'); undefined",
      ),
    ).toMatchObject({ done: 0 });
    expect(await turn("await (await fetch('http://127.0.0.1:' + s.address().port)).text()")).toMatchObject({ stdout: "'up'\n" });
    expect(await turn("globalThis.JSON = Promise.race = null; Array.prototype.push = null; 3")).toMatchObject({ done: 0 });
    expect(await worker.end()).toBe(0);
  });
});

describe("a bash session", () => {
  beforeEach(open("bash"));
  afterEach(() => worker.kill());

  it("keeps variables, functions, options and the directory", async () => {
    await turn("x=5; f() { echo \"f $x $1\"; }; a=(1 '2 3'); declare -A m=([k]=v); export E=1; mkdir -p sub; cd sub; shopt -s extglob");
    const all = 'f "$1"; echo "${a[1]} ${m[k]} ${PWD##*/} $0"; env | grep -c ^E=; [[ a == @(a|b) ]] && echo ext; echo "${K-unset}"';
    const seen = `f 5 q\n2 3 v sub ${"%"}\n1\next\n`;
    expect((await turn(all, { argv: ["q"], env: { K: "v w" } })).stdout).toBe(`${seen.replace("%", file())}v w\n`);
    expect(await turn("exit 3")).toMatchObject({ done: 3 });
    expect((await turn(all, { argv: ["q"] })).stdout).toBe(`${seen.replace("%", file())}unset\n`);
  });

  it("goes on after whatever ends a shell, with the code of the run", async () => {
    expect(await turn("nope")).toMatchObject({ stderr: `${file()}: line 1: nope: command not found\n`, done: 127 });
    expect(await turn("set -e; false; echo no")).toMatchObject({ stdout: "", done: 1 });
    expect(await turn("set -u; x=1; echo $nothing")).toMatchObject({ done: 1 });
    expect(await turn("echo ${zz:?bad}")).toMatchObject({ done: 1 });
    expect(await turn("if")).toMatchObject({ done: 2 });
    expect(await turn("return 9")).toMatchObject({ done: 9 });
    expect(await turn("readonly R=3; exit 1")).toMatchObject({ done: 1 });
    expect(await turn("echo $R $x")).toMatchObject({ stdout: "3 1\n", stderr: "", done: 0 });
    expect(await turn("(exit 4)")).toMatchObject({ done: 4 });
  });

  it("ends with the code where a script took the EXIT trap", async () => {
    worker.begin({ code: "trap 'echo bye' EXIT; exit 6" });
    expect(await worker.frame()).toBeNull();
    expect([worker.stdout, worker.child.exitCode]).toEqual(["bye\n", 6]);
  });
});
