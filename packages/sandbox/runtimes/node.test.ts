import { afterAll, describe, expect, it } from "vitest";
import { bare, type Given, Worker, Workspace } from "./worker-process.ts";

const workspace = new Workspace();
afterAll(() => workspace.remove());

/** Each runs in a worker and under `node main.js`; everything that a caller can see must be equal, byte for byte. */
const SAME: Record<string, Given> = {
  prints: { code: "console.log('grüße', 1, { a: [1, new Map([[1, 2]])] }); console.error('err')" },
  "arguments, variables, paths": {
    code: "console.log(process.argv, process.execArgv, process.env, module.paths, require.main === module, Object.keys(require.cache), __filename, __dirname)",
    argv: ["a b", "", "ü'\""],
    env: { A: "1 '2'\n3" },
  },
  globals: { code: "console.log(Object.getOwnPropertyNames(globalThis).sort().join(), Object.keys(process).sort().join(), process.listenerCount('exit'))" },
  "an uncaught exception": { code: "function f() {\n  throw new TypeError('x')\n}\nf()" },
  "something that is no error": { code: "throw { a: 1 }" },
  "an error with a cause": { code: "throw new Error('outer', { cause: new RangeError('inner') })" },
  "a syntax error": { code: "let a = 1\nlet b = = 2" },
  "an unhandled rejection": { code: "Promise.reject(new Error('rejected')); setTimeout(() => console.log('never'), 50)" },
  "an ES module": { code: "import { sep } from 'node:path'; import fs from 'fs'; console.log(sep, typeof fs.readFileSync, import.meta.url, typeof require)" },
  "top-level await": { code: "const x = await new Promise(r => setTimeout(r, 20, 5)); console.log(x)" },
  "an error in an ES module": { code: "import 'fs';\nawait 1;\nthrow new Error('esm')" },
  "a module that never settles": { code: "await new Promise(() => {})" },
  "import() in CommonJS": { code: "import('node:os').then(os => console.log(typeof os.cpus, typeof require))" },
  "a missing module": { code: "require('./not-there')" },
  "types are stripped": { code: "const x: number = 5; console.log(x)", entry: "main.ts" },
  "an .mjs entry": { code: "import { sep } from 'node:path'; console.log(sep, import.meta.url, process.argv.slice(1))", entry: "main.mjs", argv: ["q"] },
  "process.exit": { code: "console.log(1); process.exit(3)" },
  exitCode: { code: "process.exitCode = 4; setTimeout(() => console.log('t'), 10)" },
  "exit listeners": { code: "process.on('exit', c => { console.log('one', c); process.exitCode = 9 }); process.on('exit', c => console.log('two', c))" },
  "exit from an exit listener": { code: "process.on('exit', () => process.exit(8))" },
  "an exit listener that throws": { code: "process.on('exit', () => { throw new Error('late') })" },
  "an exit event by hand": { code: "process.emit('exit', 5); console.log('goes on')" },
  beforeExit: { code: "let n = 0; process.on('beforeExit', () => { console.log('before', n); if (n++ < 2) setTimeout(() => {}, 1) })" },
  "a handled exception": {
    code: "process.on('uncaughtException', e => console.log('caught', e.message)); setTimeout(() => console.log('later'), 10); throw new Error('q')",
  },
  "a captured exception": {
    code: "process.setUncaughtExceptionCaptureCallback(e => console.log('captured', e.message)); setTimeout(() => console.log('later'), 10); throw new Error('q')",
  },
  "a handler that throws": { code: "process.on('uncaughtException', () => { throw new Error('in handler') }); throw new Error('q')" },
  "a signal": { code: "process.kill(process.pid, 'SIGTERM'); setTimeout(() => {}, 1000)" },
  "a signal handler": {
    code: "process.on('SIGUSR1', () => { console.log('usr1'); clearInterval(i) }); const i = setInterval(() => {}, 1000); process.kill(process.pid, 'SIGUSR1')",
  },
  "standard input": { code: "let s = ''; process.stdin.on('data', d => s += d).on('end', () => console.log(JSON.stringify(s)))", stdin: "ü\nline" },
  "standard input at once": { code: "console.log(require('fs').readFileSync(0, 'utf8').length)", stdin: "x".repeat(200_000) },
  "a child that inherits stdout": { code: "require('child_process').spawnSync('head', ['-c', '3000000', '/dev/zero'], { stdio: 'inherit' })" },
  "child processes": {
    code: "const { execFileSync, fork } = require('child_process'); console.log(execFileSync(process.execPath, ['-p', 'process.execArgv.length']).toString()); if (process.argv[2] !== 'child') fork(__filename, ['child']).on('exit', c => console.log('child', c)); else process.exit(6)",
  },
  "worker threads": {
    code: "const { Worker, isMainThread } = require('worker_threads'); if (isMainThread) new Worker(__filename).on('message', m => console.log(m)).on('exit', c => console.log('exit', c)); else { require('worker_threads').parentPort.postMessage(process.listenerCount('exit')); process.exit(2) }",
  },
  "timers, streams, crypto": {
    code: "const { pipeline } = require('stream/promises'), z = require('zlib'); (async () => { await pipeline(require('stream').Readable.from(['a']), z.createGzip(), z.createGunzip(), process.stdout); console.log(require('crypto').createHash('sha256').update('a').digest('hex')) })()",
  },
  "fetch from loopback": {
    code: "const s = require('http').createServer((q, r) => r.end('hello')).listen(0, '127.0.0.1', async () => { console.log(await (await fetch('http://127.0.0.1:' + s.address().port)).text()); s.close() })",
  },
  "a warning": { code: "process.emitWarning('careful'); new (require('events'))().setMaxListeners(1)" },
  "ten exit listeners make no warning": { code: "for (let i = 0; i < 10; i++) process.on('exit', () => {})" },
};
const WITHOUT_DONE = [
  "an uncaught exception",
  "something that is no error",
  "an error with a cause",
  "a syntax error",
  "an unhandled rejection",
  "an error in an ES module",
  "a missing module",
  "exit from an exit listener",
  "an exit listener that throws",
  "a handler that throws",
  "a signal",
];

describe("a warm Node shows what a bare one shows", () => {
  it.each(Object.entries(SAME))("%s", async (name, given) => {
    const { done, ...seen } = await (await new Worker(workspace, "nodejs", "run").ready()).toTheEnd(given);
    const expected = bare(workspace, "nodejs", given);
    // One frame of ours can be seen: below an exit listener that throws.
    const numbers = (text: string) => text.replace(/\(node:\d+\)/, "(node:0)").replace(/^ +at process.emitAndLeave .*\n/m, "");
    expect({ ...seen, stderr: numbers(seen.stderr) }).toEqual({ ...expected, stderr: numbers(expected.stderr) });
    expect(done).toBe(WITHOUT_DONE.includes(name) ? null : expected.code);
  });
});

describe("a warm Node by itself", () => {
  it("gives the right code to a program that redefines everything (CVE-2025-3466)", async () => {
    const code = `
      globalThis.parseInt = globalThis.JSON = globalThis.Uint8Array = null;
      process.reallyExit = process.resourceUsage = require("fs").writeSync = () => { throw 1 };
      require("util").getCallSites = Reflect.apply = Function.prototype.call = Function.prototype.apply = Buffer.from = () => { throw 2 };
      for (const p of [Object.prototype, Array.prototype])
        for (const k of ["length", "0", "5", "get", "set", "offset", "position"])
          try { Object.defineProperty(p, k, { get() { throw 3 }, set() { throw 4 }, configurable: true }) } catch {}
      Array.prototype[Symbol.iterator] = null;
      process.exitCode = 6;`;
    const worker = await new Worker(workspace, "nodejs", "run").ready();
    expect(await worker.toTheEnd({ code })).toMatchObject({ code: 6, done: 6 });
  });

  it("writes four megabytes to a pipe before process.exit, where a bare Node cuts it", async () => {
    const given = { code: "process.stdout.write('x'.repeat(1 << 22)); process.exit(0)" };
    const { stdout } = await (await new Worker(workspace, "nodejs", "run").ready()).toTheEnd(given);
    expect(stdout.length).toBe(1 << 22);
  });

  it("does not pass control on to children", async () => {
    const worker = await new Worker(workspace, "nodejs", "run").ready();
    const code =
      "console.log(require('child_process').execSync('readlink /proc/self/fd/* | grep -c socket || true', { stdio: ['ignore', 'pipe', 'ignore'] }).toString())";
    expect((await worker.toTheEnd({ code })).stdout).toBe("0\n\n");
  });

  it("leaves when nobody will ask", async () => {
    expect(await (await new Worker(workspace, "nodejs", "run").ready()).end()).toBe(0);
  });
});
