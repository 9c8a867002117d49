import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { bare, type Given, Worker, Workspace } from "./worker-process.ts";

const workspace = new Workspace();
afterAll(() => workspace.remove());

/** Each runs in a worker and under `python3 main.py`; everything that a caller can see must be equal, byte for byte. */
const SAME: Record<string, Given> = {
  prints: { code: "print('grüße', 1)" },
  "its names, arguments and variables": {
    code: "import sys, os\nprint(sorted(globals()), __name__, __file__, __spec__, __loader__.__class__)\nprint(sys.argv, sys.path, os.environ.get('A'), sorted(os.environ), os.getcwd())\nprint([m for m in ('worker','control','ending','session','zygote','readline','sitecustomize') if m in sys.modules and m != 'sitecustomize'])",
    argv: ["a b", "", "ü'\""],
    env: { A: "1 '2'\n3" },
  },
  "__main__ is real": { code: "import sys, __main__\nassert sys.modules['__main__'].__dict__ is globals()\nprint(__main__.__file__ == __file__)" },
  "no frame under the program": { code: "import sys, traceback, inspect\ntraceback.print_stack()\nprint(len(inspect.stack()), sys._getframe().f_back)" },
  "an uncaught exception": { code: "def f(x):\n    return 1 / x\n\nprint('before')\nf(0)" },
  "chained exceptions": {
    code: "try:\n    {}['a']\nexcept KeyError as e:\n    try:\n        int('x')\n    except ValueError:\n        raise RuntimeError('third') from e",
  },
  "an exception group": { code: "raise ExceptionGroup('several', [ValueError(1), TypeError('two')])" },
  "a syntax error": { code: "x = 1\nif x:\n  y = (1,\nprint(x" },
  "bad indentation": { code: "if True:\nprint(1)" },
  "bytes that are not UTF-8 are told apart": { code: "# coding: latin-1\nprint('ä')" },
  "endless recursion": { code: "def f(n): return f(n + 1)\nf(0)" },
  "exit without a code": { code: "import sys; print(1); sys.exit()" },
  "exit with a number": { code: "raise SystemExit(3)" },
  "exit with a negative number": { code: "raise SystemExit(-1)" },
  "exit with a huge number": { code: "raise SystemExit(2**80)" },
  "exit with text": { code: "import sys; sys.exit('bye ü')" },
  "exit with an object": { code: "raise SystemExit([1, 2])" },
  "quit()": { code: "quit(4)" },
  "exit from a function with finally": { code: "import sys\ndef f():\n    try:\n        sys.exit(5)\n    finally:\n        print('finally')\nf()" },
  "os._exit": { code: "import os; print('x', flush=True); os._exit(9)" },
  "a signal": { code: "import os, signal; os.kill(os.getpid(), signal.SIGTERM)" },
  abort: { code: "import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.abort()" },
  KeyboardInterrupt: { code: "raise KeyboardInterrupt" },
  "atexit in reverse, after threads": {
    code: "import atexit, threading, time, sys\natexit.register(print, 'first')\natexit.register(print, 'second')\nthreading.Thread(target=lambda: (time.sleep(0.05), print('thread'))).start()\nsys.exit(2)",
  },
  "a failing atexit": { code: "import atexit\n@atexit.register\ndef f(): 1/0\nprint('x')" },
  "sys.exit in atexit": { code: "import atexit, sys\natexit.register(print, 'other')\natexit.register(sys.exit, 3)" },
  "emptied atexit": { code: "import atexit, sys\natexit.register(print, 'gone')\natexit._clear()\nprint('x')\nsys.exit(6)" },
  "daemon threads do not hold it": { code: "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint('end')" },
  "an exception in a thread": {
    code: "import threading\ndef f(): raise ValueError('in thread')\nt = threading.Thread(target=f, name='T'); t.start(); t.join()",
  },
  excepthook: { code: "import sys\nsys.excepthook = lambda t, v, b: print('hook', t.__name__, v)\nraise ValueError('x')" },
  "excepthook is not for exit": { code: "import sys\nsys.excepthook = lambda *a: print('hook', a)\nsys.exit(3)" },
  "excepthook that fails": { code: "import sys\ndef hook(t, v, b):\n    raise KeyError('in hook')\nsys.excepthook = hook\nraise ValueError('x')" },
  "excepthook that exits": { code: "import sys\nsys.excepthook = lambda *a: sys.exit(42)\nraise ValueError('x')" },
  "an audit event by hand, and a hook of its own": {
    code: "import sys\nsys.addaudithook(lambda e, a: print(e) if e == 'sys.excepthook' else None)\nsys.audit('sys.excepthook', 1, 2, 3, 4)\nprint('x')",
  },
  "an exit from within a shown exception": { code: "import sys, traceback\ntry: 1/0\nexcept Exception: sys.excepthook(*sys.exc_info())\nsys.exit(4)" },
  "no excepthook": { code: "import sys\ndel sys.excepthook\nraise ValueError('x')" },
  "destructors and forgotten files": {
    code: "class A:\n    def __init__(self, n): self.n = n\n    def __del__(self): print('del', self.n)\n_a = A('private'); a = A('public')\nf = open('left-open.txt', 'w'); f.write('kept')\nkeep = [f]",
  },
  "a cycle with a destructor": { code: "class A:\n    def __del__(self): print('del')\na = A(); a.me = a\nimport sys; sys.exit(1)" },
  "standard input": { code: "print(input('? '))\nimport sys\nprint(repr(sys.stdin.read()))", stdin: "line ü\nrest\n\nend" },
  "end of standard input": { code: "input()" },
  "304,487 bytes at once": { code: "print('x' * 304486)" },
  "output without a newline": { code: "import sys; sys.stdout.write('abc'); sys.stderr.write('def')" },
  "closed stdout": { code: "import sys; sys.stdout.close()" },
  surrogates: {
    code: "import sys; sys.stdout.buffer.write(sys.argv[1].encode('utf-8', 'surrogateescape') + b'\\n'); print('\\udcff'.encode('utf-8', 'surrogateescape'), sys.stdin.errors, sys.stdout.errors, sys.stdout.encoding)",
    argv: ["ü"],
  },
  "pickle of its own classes": { code: "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)" },
  "multiprocessing in every way": {
    code: "import multiprocessing as mp\ndef f(x): return x * 2\nif __name__ == '__main__':\n    for m in ('fork', 'spawn', 'forkserver'):\n        with mp.get_context(m).Pool(2) as pool:\n            print(m, pool.map(f, range(3)))",
  },
  "a fork that exits": { code: "import os, sys\nif os.fork() == 0:\n    sys.exit(7)\nprint(os.waitstatus_to_exitcode(os.wait()[1]))" },
  "a fork that fails": { code: "import os\nif os.fork() == 0:\n    1/0\nprint(os.waitstatus_to_exitcode(os.wait()[1]))" },
  "subprocess python": {
    code: "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import sys, os; print(sys.flags.inspect, sorted(os.environ)); sys.exit(3)'], capture_output=True, text=True))",
  },
  asyncio: { code: "import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n    print('x')\n    raise ValueError('async')\nasyncio.run(main())" },
  "signal handlers": {
    code: "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *a: print('usr1'))\nos.kill(os.getpid(), signal.SIGUSR1)\nprint(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE))",
  },
  "descriptor 3 is free, and children inherit nothing": {
    code: "import os, subprocess\ntry: os.write(3, b'x')\nexcept OSError as e: print(e)\nprint(subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True, close_fds=False).stdout.split())",
  },
  "time zone": { code: "import time; print(time.tzname, time.localtime(0).tm_hour)", env: { TZ: "Asia/Tokyo" } },
  "modules of the workspace, though ours have that name": { code: "import control, sys\nprint(control.__file__)", env: {} },
  "warnings show the right line": { code: "import warnings\nwarnings.warn('careful', stacklevel=1)\nwarnings.warn('deep', stacklevel=9)" },
  "doctest and unittest": {
    code: "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)\nif __name__ == '__main__':\n    unittest.main(argv=['x'], verbosity=0, exit=True)",
  },
};

describe("a warm Python shows what a bare one shows", () => {
  workspace.write("control.py", "");
  it.each(Object.entries(SAME))("%s", async (name, given) => {
    const { done, ...seen } = await (await new Worker(workspace, "python3", "run").ready()).toTheEnd(given);
    const expected = bare(workspace, "python3", given);
    const timing = (text: string) => text.replace(/in \d\.\d+s/, "").replace(/0x[0-9a-f]+/g, "");
    expect({ ...seen, stderr: timing(seen.stderr) }).toEqual({ ...expected, stderr: timing(expected.stderr) });
    if (done !== null) expect(done).toBe(expected.code);
    else expect(["os._exit", "a signal", "abort", "KeyboardInterrupt", "emptied atexit"]).toContain(name);
    if (name.includes("forgotten files")) expect(readFileSync(join(workspace.path, "left-open.txt"), "utf8")).toBe("kept");
  });
});

describe("a warm Python by itself", () => {
  it("gives the right code to a program that redefines what the worker uses", async () => {
    const code =
      "import os, sys, struct, io, gc, atexit, json, signal\nfor m in (os, struct, json):\n    for n in ('write', '_exit', 'pack', 'getpid', 'loads'):\n        if hasattr(m, n): setattr(m, n, None)\ngc.collect = sys.exc_info = None\nprint('x')\nraise SystemExit(11)";
    const worker = await new Worker(workspace, "python3", "run").ready();
    expect(await worker.toTheEnd({ code })).toMatchObject({ stdout: "x\n", code: 11, done: 11 });
  });

  it("shows output as it comes, so that a kill does not lose it", async () => {
    const worker = await new Worker(workspace, "python3", "run").ready();
    worker.begin({ code: "print('seen')\nimport time; time.sleep(60)" });
    while (!worker.stdout.includes("seen")) await new Promise((resolve) => setTimeout(resolve, 5));
    worker.kill();
    await worker.frame();
    expect(worker.stdout).toBe("seen\n");
  });

  it("imports ahead, and says which import failed", async () => {
    const worker = await new Worker(workspace, "python3", "run", { imports: ["decimal", "xml.dom"] }).ready();
    expect(
      (await worker.toTheEnd({ code: "import sys, os; print('decimal' in sys.modules, 'xml.dom' in sys.modules, 'OPENBLAS_NUM_THREADS' in os.environ)" }))
        .stdout,
    ).toBe("True True False\n");
    const broken = new Worker(workspace, "python3", "run", { imports: ["no_such_module"] });
    const frame = await broken.frame();
    expect(frame?.type).toBe("N");
    expect(Buffer.from(frame?.payload ?? "").toString()).toContain("No module named 'no_such_module'");
    await broken.frame();
    expect(broken.child.exitCode).toBe(97);
  });

  it("leaves when nobody will ask", async () => {
    expect(await (await new Worker(workspace, "python3", "run").ready()).end()).toBe(0);
  });

  const others = ["3.12.1", "3.13.0"].map((version) => join(process.env.HOME ?? "", ".pyenv/versions", version, "bin/python3")).filter(existsSync);
  it.runIf(others.length > 0)(
    "does the same in other versions [needs: Python 3.12 or 3.13 under ~/.pyenv]",
    async () => {
      for (const interpreter of others) {
        for (const name of [
          "an uncaught exception",
          "exit with text",
          "excepthook that fails",
          "atexit in reverse, after threads",
          "its names, arguments and variables",
          "destructors and forgotten files",
          "KeyboardInterrupt",
        ]) {
          const given = SAME[name] as Given;
          const { done, ...seen } = await (await new Worker(workspace, "python3", "run", { interpreter }).ready()).toTheEnd(given);
          expect(seen, `${interpreter}: ${name}`).toEqual(bare(workspace, "python3", given, interpreter));
        }
      }
    },
    30_000,
  );
});
