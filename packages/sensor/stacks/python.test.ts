import { readFileSync } from "node:fs";
import { stackSchema } from "@plastron/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { readStack } from "./index.ts";
import { pythons, Stage, short, untilStopped } from "./testing/stopped.ts";

const stage = new Stage();
afterAll(() => stage.clear());

/** `stop` tells what Python says of its callers itself, innermost first, and stops the process. A program's own lines begin at 9. */
const STOP = `import os, signal, sys, threading, ctypes, asyncio, json
def stop():
    frame, seen = sys._getframe(1), []
    while frame:
        seen.append([frame.f_code.co_qualname, frame.f_lineno])
        frame = frame.f_back
    print(json.dumps(seen), flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
`;
const STOPPED = "stop:8";

async function read(python: string, code: string, options?: Parameters<typeof readStack>[2]) {
  const child = stage.start(python, [stage.write(`p${Math.random().toString(36).slice(2)}.py`, STOP + code)]);
  let said = "";
  child.stdout?.on("data", (data) => {
    said += data;
  });
  const pid = child.pid as number;
  await untilStopped(pid, () => child.exitCode);
  while (!said.includes("\n")) await new Promise((resolve) => setTimeout(resolve, 5));
  const stack = stackSchema.parse(readStack(pid, pid, options));
  const callers = (JSON.parse(said) as [string, number][]).map(([name, line]) => `${name}:${line}`);
  return { pid, stack, frames: short(stack, "python"), callers };
}

const PADDING = Array.from({ length: 400 }, (_, i) => `    x${i} = ${i} if len(sys.argv) else None`).join("\n");
const PROGRAMS = {
  generators: "def gen():\n    yield 1\n    stop()\n\nf = lambda: list(map(lambda g: [*g], [gen()]))\nsorted([1, 2], key=lambda x: f())\n",
  coroutines: "async def inner():\n    await asyncio.sleep(0)\n    stop()\nasync def outer():\n    await inner()\nasyncio.run(outer())\n",
  "calls over many lines, big functions and code from text": `def big():\n${PADDING}\n    (\n        stop\n    )(\n    )\nexec(compile("\\n\\n\\nbig()", "made up", "exec"))\n`,
  "with, try, match and comprehensions": `class C:\n    def __enter__(self): return self\n    def __exit__(self, *a):\n\n        stop()\n    @property\n    def p(self):\n        try:\n            1 / 0\n        except ZeroDivisionError:\n            match [1, 2]:\n                case [a, b] if [\n                    (lambda: self.q())()\n                    for _ in range(1)\n                ]: pass\n    def q(self):\n        with self: pass\nC().p\n`,
  "decorators, metaclasses and callbacks of C": `class Meta(type):\n    def __new__(m, n, b, d):\n        return next(filter(lambda v: stop() or True, [super().__new__(m, n, b, d)]))\nclass X(metaclass=Meta):\n    pass\n`,
  destructors: "class D:\n    def __del__(self):\n        stop()\ndef f():\n    d = D()\n    del d\nf()\n",
};

for (const version of ["3.11", "3.12", "3.13"]) {
  const installed = pythons(version);
  describe.skipIf(installed.length === 0)(`the stack of Python ${version} [needs: python${version}]`, { timeout: 60_000 }, () => {
    describe.each(installed)("%s", (python) => {
      it("names functions with their classes, files and lines, innermost first", async () => {
        const { stack, frames, callers } = await read(
          python,
          "class A:\n    def m(self, n):\n        if n:\n            return self.m(n - 1)\n        stop()\n\nA().m(2)\n",
        );
        expect(frames).toEqual([STOPPED, "A.m:13", "A.m:12", "A.m:12", "<module>:15"]);
        expect(frames).toEqual([STOPPED, ...callers]);
        expect(stack.frames[0]).toMatchObject({ language: "native", function: "kill" });
        expect(stack.frames[1]?.file).toMatch(/plastron-stacks-.*\.py$/);
        expect(stack).toMatchObject({ truncated: false, incomplete: null });
      });

      it.each(Object.entries(PROGRAMS))("is what Python itself says of %s", async (_, code) => {
        const { stack, frames, callers } = await read(python, code);
        expect(frames).toEqual([STOPPED, ...callers]);
        expect(stack.incomplete).toBeNull();
      });

      it("shows names in any script, and nothing that a terminal would obey", async () => {
        const hostile = "\\x1b[2J\\x00\\u202egnp.exe\\U0001F600\\r\\n\\u200b\\udc80";
        const code =
          `def größe():\n    stop()\ndef 函数():\n    größe()\n函数.__code__ = 函数.__code__.replace(co_filename="${hostile}", co_qualname="${hostile}")\nprint('"', end='') or 函数()\n`.replace(
            "print('\"', end='') or ",
            "",
          );
        const { stack } = await read(python, code);
        const [, , named, shown] = stack.frames;
        expect(named?.function).toBe("größe");
        expect(shown?.function).toBe("\ufffd[2J\ufffd\ufffdgnp.exe😀\ufffd\ufffd\ufffd\ufffd");
        expect(shown?.file).toBe(shown?.function);
      });

      it("cuts long names and deep recursions", async () => {
        const deep = "def deep(n):\n    if n: deep(n - 1)\n    else: stop()\n";
        const code = `sys.setrecursionlimit(20000)\n${deep}deep.__code__ = deep.__code__.replace(co_qualname='é' * 100000, co_filename='f' * 100000)\ndef stop():\n    print('[]', flush=True)\n    os.kill(os.getpid(), signal.SIGSTOP)\ndeep(10000)\n`;
        const { stack } = await read(python, code);
        expect(stack.frames).toHaveLength(64);
        expect(stack.truncated).toBe(true);
        expect(stack.frames[5]?.function).toBe(`${"é".repeat(255)}…`);
        expect(stack.frames[5]?.file).toBe(`${"f".repeat(1023)}…`);
      });

      it("is that of the thread that was asked for", async () => {
        const code =
          "go = threading.Event()\nready = threading.Event()\ndef waits():\n    ready.set()\n    go.wait()\nt = threading.Thread(target=waits); t.start()\nready.wait()\nprint(t.native_id, flush=True)\nstop()\n";
        const child = stage.start(python, [stage.write("threads.py", STOP + code)]);
        const pid = child.pid as number;
        const tid = Number.parseInt(String(await new Promise((resolve) => child.stdout?.once("data", resolve))), 10);
        while (!/^State:\tT/m.test(readFileSync(`/proc/${pid}/task/${tid}/status`, "utf8"))) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(short(readStack(pid, pid), "python")).toEqual([STOPPED, "<module>:17"]);
        const other = short(readStack(pid, tid), "python");
        expect(other).toContain("waits:13");
        expect(other.at(-1)).toMatch(/^Thread\._bootstrap:/);
      });

      it("is a child's own after fork", async () => {
        const code =
          "def child():\n    os.kill(os.getpid(), signal.SIGSTOP)\npid = os.fork()\nif pid == 0:\n    child()\n    os._exit(0)\nprint(pid, flush=True)\nos.waitpid(pid, 0)\n";
        const parent = stage.start(python, [stage.write("fork.py", STOP + code)]);
        const pid = Number.parseInt(String(await new Promise((resolve) => parent.stdout?.once("data", resolve))), 10);
        while (!/^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))) await new Promise((resolve) => setTimeout(resolve, 5));
        const frames = short(readStack(pid, pid), "python");
        process.kill(pid, "SIGKILL");
        expect(frames).toEqual(["child:10", "<module>:13"]);
      });

      it("leaves the platform's own frames out", async () => {
        const code = "exec(compile('def hook(): stop()', '/opt/plastron/runtimes/python/worker.py', 'exec'))\ndef user(): hook()\nuser()\n";
        expect((await read(python, code)).frames).toEqual([STOPPED, "user:10", "<module>:11"]);
        expect((await read(python, code, { platform: [] })).frames).toEqual([STOPPED, "hook:1", "user:10", "<module>:11"]);
      });
    });
  });
}

const STOP_ONLY = "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n";
const older = pythons("3.10");
it.skipIf(older.length === 0)("says of an older Python that it cannot be read [needs: python3.10]", async () => {
  const pid = await stage.stopped(older[0] as string, [stage.write("older.py", STOP_ONLY)]);
  const stack = readStack(pid, pid);
  expect(short(stack, "python")).toEqual([]);
  expect(stack.incomplete).toBe("Python before 3.11 keeps its frames in a way that is not read");
});
