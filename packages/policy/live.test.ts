import { accessSync, chownSync, constants, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostFacts, TYPICAL_HOST } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { compileDefault } from "./default.ts";
import { parsePolicy } from "./parse/parse.ts";
import { RULES } from "./rules/registry.ts";
import { selfTestsOf } from "./rules/rule.ts";
import { NOBODY, PYTHON, runFiltered, untriable } from "./testing/filtered.ts";
import { policyOf } from "./testing/policies.ts";
import { weakConfinement } from "./weak.ts";

/** Filters are tried alone: nobody is there to whom calls could be handed over. */
const host: HostFacts = { ...TYPICAL_HOST, notify: false, arch: process.arch === "arm64" ? "aarch64" : "x86_64" };
const DIFY = readFileSync(join(import.meta.dirname, "../../policies/dify-sandbox.yaml"), "utf8");
const weak = weakConfinement({}).seccomp;

describe.skipIf(untriable() !== null)("filters in the kernel", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "plastron-filter-"));
    if (process.getuid?.() === 0) chownSync(folder, NOBODY, NOBODY);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const python = (filter: string, code: string) => runFiltered(filter, [PYTHON, "-c", code], folder);

  describe("honest programs run under the default policy", () => {
    const { seccomp } = compileDefault(host).confinement;
    test.each([
      [
        "threads, processes and pipes",
        "import threading, subprocess, multiprocessing as m\nt = threading.Thread(target=print); t.start(); t.join()\nassert m.get_context('fork').Pool(2).map(abs, [-1, -2]) == [1, 2]\nassert subprocess.run(['ls', '/'], capture_output=True, check=True).stdout",
      ],
      [
        "temporary files and modes",
        "import tempfile, os, shutil\nwith tempfile.TemporaryDirectory() as d:\n    p = os.path.join(d, 'x'); open(p, 'w').write('x'); os.chmod(p, 0o755); shutil.copy2(p, p + '2'); shutil.copytree(d, os.path.join(d, 'y'), dirs_exist_ok=False, ignore=lambda *a: ['y'])",
      ],
      [
        "asyncio with subprocesses and sockets",
        "import asyncio\nasync def main():\n    p = await asyncio.create_subprocess_exec('true'); assert await p.wait() == 0\n    s = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)\n    r, w = await asyncio.open_connection(*s.sockets[0].getsockname()); await r.read(); w.close(); s.close()\nasyncio.run(main())",
      ],
      ["names and addresses", "import socket, getpass, os\nsocket.getaddrinfo('127.0.0.1', 80); socket.gethostname(); os.cpu_count(); os.getloadavg()"],
    ])("Python: %s", async (_, code) => {
      expect(await python(seccomp, code)).toMatchObject({ exit_code: 0, stderr: "" });
    });

    test("numpy and pandas, where they are installed", async () => {
      const code =
        "import importlib.util as u\nif u.find_spec('numpy') and u.find_spec('pandas'):\n    import numpy as n, pandas as p\n    assert (n.ones((300, 300)) @ n.ones((300, 300))).sum() == 300 ** 3 and p.DataFrame({'a': [1, 2]}).sum()['a'] == 3";
      expect(await python(seccomp, code)).toMatchObject({ exit_code: 0, stderr: "" });
    });

    test("bash and the usual tools", async () => {
      const script =
        "set -e; mkdir d; echo x > d/a; cp -a d e; mv e/a e/b; ln -s b e/c; chmod 755 e/b; tar cf - d | tar tf - | sort | tail -1; find . -name b | xargs wc -c; rm -r d e; (sleep 0.01 & wait); diff <(echo 1) <(echo 1)";
      expect(await runFiltered(seccomp, ["bash", "-c", script], folder)).toMatchObject({ exit_code: 0, stdout: "d/a\n2 ./e/b\n", stderr: "" });
    });
  });

  test.each([
    ["the default policy", compileDefault(host)],
    ["the policy for Dify", compilePolicy(parsePolicy(DIFY), host)],
  ])("Node's workers, child processes, files and HTTP run under %s", async (_, { confinement: { seccomp } }) => {
    const code = `
        const { Worker } = require("node:worker_threads"), http = require("node:http"), fs = require("node:fs/promises");
        (async () => {
          await new Promise((done) => new Worker("1", { eval: true }).on("exit", done));
          const { stdout } = await require("node:util").promisify(require("node:child_process").execFile)("echo", ["hi"]);
          await fs.writeFile("node-note", stdout); await fs.unlink("node-note");
          const server = http.createServer((_, reply) => reply.end(stdout)).listen(0, "127.0.0.1");
          await new Promise((done) => server.on("listening", done));
          console.log((await (await fetch("http://127.0.0.1:" + server.address().port)).text()).trim());
          server.close(); server.closeAllConnections();
        })();`;
    expect(await runFiltered(seccomp, [readableNode(folder), "-e", code], folder)).toMatchObject({ exit_code: 0, stdout: "hi\n", stderr: "" });
  });

  test.skipIf(process.arch !== "x64")("a 32-bit call ends the process, which lived without the filter", async () => {
    // getpid by int 0x80, x86 number 20: `mov eax, 20; int 0x80; ret`
    const code =
      "import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(bytes.fromhex('b814000000cd80c3'))\nctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()\nprint('alive')";
    expect((await python(weak, code)).stdout).toBe("alive\n");
    expect(await python(compileDefault(host).confinement.seccomp, code)).toMatchObject({ signal: "SIGSYS", stdout: "" });
  });

  test.skipIf(process.arch !== "x64")("an x32 call ends the process, and -1 does not", async () => {
    const { seccomp } = compileDefault(host).confinement;
    const code = (number: string) => `import ctypes\nctypes.CDLL(None).syscall(ctypes.c_long(${number}))\nprint('alive')`;
    expect(await python(seccomp, code("0x40000000 + 39"))).toMatchObject({ signal: "SIGSYS", stdout: "" });
    expect(await python(seccomp, code("-1"))).toMatchObject({ signal: null, stdout: "alive\n" });
  });

  /** Rules whose weak part is the filter alone need no sandbox around them: the attack first, then the rule against it. */
  describe.each(RULES.filter((rule) => selfTestsOf(rule, host).some(({ weakness }) => weakness === "seccomp")))("$name", (rule) => {
    const { seccomp } = compilePolicy(rule.category === "floor" ? policyOf([]) : policyOf([rule.name]), host).confinement;
    test.each(selfTestsOf(rule, host).filter(({ weakness }) => weakness === "seccomp"))("$id", async (selfTest) => {
      const without = await python(weak, selfTest.forbidden);
      // Only where the kernel itself lacks the thing may the attack fail without us.
      expect([0, ...(hostLacks(selfTest.id) ? [13] : [])]).toContain(without.exit_code);
      expect(await python(seccomp, selfTest.forbidden)).toMatchObject({ exit_code: 13 });
      expect(await python(seccomp, selfTest.allowed)).toMatchObject({ exit_code: 0 });
    });
  });
});

/** What depends on how the kernel was built or set: AF_ALG, user namespaces for all, ping sockets, userfaultfd. */
function hostLacks(id: string): boolean {
  return ["open-alg-socket", "create-user-namespace", "open-icmp-socket", "create-userfaultfd"].includes(id);
}

/** This Node may lie in a directory that nobody may enter. */
function readableNode(folder: string): string {
  const copy = join(folder, "node");
  copyFileSync(process.execPath, copy, constants.COPYFILE_FICLONE);
  accessSync(copy, constants.X_OK);
  return copy;
}
