import { DEFAULT_LIMITS } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import type { Bench } from "./harness.ts";

/** A first import reads tens of megabytes from a cold disk. */
const LONG = { limits: { ...DEFAULT_LIMITS, wall_ms: 60_000 } };

/** What must simply work inside. Modules that are not installed in the root are skipped by asking the sandbox itself. */
export function describeInterpreters(use: () => Bench): void {
  const prints = async (code: string, expected: string, more = {}) => {
    const ran = await use().python(code, more);
    expect(`${ran.stderr}${ran.stdout}`).toBe(expected);
    expect(ran.status).toBe("completed");
  };

  describe("inside Python", () => {
    it("threads run", () =>
      prints("import threading\nt=[threading.Thread(target=print, args=(i,)) for i in range(8)]\nfor x in t: x.start(); x.join()", "0\n1\n2\n3\n4\n5\n6\n7\n"));
    it("multiprocessing maps over a pool", () =>
      prints(
        "from multiprocessing import Pool\ndef f(x): return x*x\nif __name__=='__main__':\n  with Pool(3) as p: print(p.map(f, range(4)))",
        "[0, 1, 4, 9]\n",
      ));
    it("subprocess runs programs and python itself", () =>
      prints(
        "import subprocess, sys\nprint(subprocess.run(['/bin/echo','hi'],capture_output=True,text=True).stdout + subprocess.check_output([sys.executable,'-c','print(6*7)'],text=True), end='')",
        "hi\n42\n",
      ));
    it("tempfile makes files and directories", () =>
      prints(
        "import tempfile, os\nwith tempfile.NamedTemporaryFile('w+') as f:\n  f.write('x'); f.seek(0); print(f.read())\nwith tempfile.TemporaryDirectory() as d: print(os.path.isdir(d))",
        "x\nTrue\n",
      ));
    it("asyncio runs", () => prints("import asyncio\nasync def f():\n  await asyncio.sleep(0.01); return 'done'\nprint(asyncio.run(f()))", "done\n"));
    it("time zones are known", () =>
      prints("import datetime, zoneinfo\nprint(datetime.datetime(2024,7,1,tzinfo=zoneinfo.ZoneInfo('Europe/Paris')).utcoffset())", "2:00:00\n"));
    it("a forked child is waited for", () =>
      prints("import os\npid=os.fork()\nif pid==0: os._exit(5)\nprint(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))", "5\n"));
    it("the standard formats work", () =>
      prints(
        "import base64, json, hashlib, sqlite3\nprint(base64.b64encode(b'hi').decode(), json.dumps({'a':1}), sqlite3.connect(':memory:').execute('select 2').fetchone()[0])",
        'aGk= {"a": 1} 2\n',
      ));

    for (const name of ["jinja2", "requests", "httpx", "numpy", "pandas"]) {
      it(`${name} can be imported where it is installed`, async ({ skip }) => {
        const there = await use().python(`import importlib.util, sys; sys.exit(importlib.util.find_spec('${name}') is None)`);
        if (there.exit_code === 1) skip(`[needs: ${name}]`);
        await prints(`import ${name}; print('imported')`, "imported\n", LONG);
      });
    }
    it("numpy computes and pandas adds, where installed", async ({ skip }) => {
      const code = "import numpy as n, pandas as p\nprint(int(n.arange(10).sum()), int(p.DataFrame({'a':[1,2]}).a.sum()), n.linalg.det(n.eye(3)))";
      const ran = await use().python(code, LONG);
      if (ran.stderr.includes("ModuleNotFoundError")) skip("[needs: numpy and pandas]");
      expect(ran).toMatchObject({ status: "completed", stdout: "45 3 1.0\n" });
    });
    it("jinja2 renders, as Dify's template node asks", async ({ skip }) => {
      const ran = await use().python("import jinja2\nprint(jinja2.Template('{{ a }} {{ b|upper }}').render(a=1, b='x'))");
      if (ran.stderr.includes("ModuleNotFoundError")) skip("[needs: jinja2]");
      expect(ran.stdout).toBe("1 X\n");
    });
  });

  describe("inside Node", () => {
    const shows = async (code: string, expected: string) => expect(await use().node(code)).toMatchObject({ stdout: expected, stderr: "", status: "completed" });
    it("child_process runs programs and node itself", () =>
      shows(
        "const c=require('child_process');process.stdout.write(c.execFileSync('/bin/echo',['hi']).toString()+c.execFileSync(process.execPath,['-p','6*7']).toString())",
        "hi\n42\n",
      ));
    it("worker_threads talk", () =>
      shows(
        "const {Worker}=require('worker_threads');new Worker('require(\"worker_threads\").parentPort.postMessage(21*2)',{eval:true}).on('message',m=>console.log(m))",
        "42\n",
      ));
    it("timers, promises and fetch's absence of a network are ordinary", () =>
      shows("setTimeout(async()=>{try{await fetch('http://127.0.0.1:9/')}catch{console.log('refused')}},10)", "refused\n"));
    it("files are written and read", () =>
      shows(
        "const fs=require('fs');fs.writeFileSync('a.txt','x');console.log(fs.readFileSync('a.txt','utf8'), fs.mkdtempSync(require('os').tmpdir()+'/t').length>4)",
        "x true\n",
      ));
    it("a program may redeclare what a runner could rely on", () =>
      shows("var parseInt=()=>666;function require2(){};JSON.parse=()=>0;console.log(parseInt('1'))", "666\n"));
  });

  describe("inside bash", () => {
    it("pipes, substitutions and arrays work", async () => {
      const ran = await use().bash(
        "declare -A m=([k]=v); set -- c b a; printf '%s\\n' \"$@\" | sort | tr -d '\\n'; echo \" $(( 6*7 )) $(wc -c < <(echo hey))\"",
      );
      expect(ran).toMatchObject({ stdout: "abc 42 4\n", status: "completed" });
    });
    it("python3 and node are at hand", async () => {
      expect((await use().bash("python3 -c 'print(1)'; node -p 2")).stdout).toBe("1\n2\n");
    });
  });
}
