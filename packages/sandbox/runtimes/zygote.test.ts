import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { encodeFrame, type Frame, FrameReader } from "@plastron/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { startMessage, zygoteCommand } from "./index.ts";
import { INTERPRETERS, Workspace } from "./worker-process.ts";

const workspace = new Workspace();
afterAll(() => workspace.remove());

/**
 * A stand-in for native/zygote-lib.c without any confinement: for each byte on control, one child by a raw clone, as the real
 * one makes it, which takes over control until it ends.
 */
const STAND_IN = `
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>
int plastron_zygote_serve(int control) {
  char order;
  while (read(control, &order, 1) == 1) {
    int pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) return control;
    waitpid(pid, 0, 0);
  }
  return -1;
}`;

function build(): string | null {
  const library = join(workspace.path, "stand-in.so");
  const source = workspace.write("stand-in.c", STAND_IN);
  return spawnSync("gcc", ["-shared", "-fPIC", "-o", library, source]).status === 0 ? library : null;
}

async function children(
  library: string,
  imports: string[],
  codes: string[],
): Promise<{ stdout: string; stderr: string; frames: Frame[]; code: number | null }> {
  const { argv, env } = zygoteCommand({
    interpreter: INTERPRETERS.python3,
    imports,
    library,
    runtimesDir: import.meta.dirname,
    workspace: workspace.path,
    temporary: workspace.path,
  });
  const child = spawn(argv[0] as string, argv.slice(1), { cwd: workspace.path, env, stdio: ["pipe", "pipe", "pipe", "pipe"] });
  const control = child.stdio[3] as Duplex;
  const reader = new FrameReader();
  const frames: Frame[] = [];
  let [stdout, stderr, turn] = ["", "", 0];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const next = () => (turn < codes.length ? control.write("f") : control.destroy());
  control.on("data", (chunk: Uint8Array) => {
    for (const frame of reader.push(chunk)) {
      frames.push(frame);
      if (frame.type === "R") {
        const entry = workspace.write("main.py", codes[turn++] as string);
        control.write(startMessage("python3", { entry, argv: [], env: {}, display: false }));
      } else setTimeout(next, 20);
    }
  });
  control.on("error", () => {});
  next();
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { stdout, stderr, frames, code };
}

const library = build();

describe.runIf(library !== null)("a Python zygote", () => {
  it("forks children that run programs as a worker does, each with random states of its own", async () => {
    const code =
      "import random, os, tempfile, uuid, ssl, threading, sys, signal, traceback\ntraceback.print_stack(file=sys.stdout)\n" +
      "print(random.random(), tempfile.mktemp(), uuid.uuid4(), ssl.RAND_bytes(8).hex())\n" +
      "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n" +
      "assert threading.main_thread().native_id == os.getpid() and 'OPENBLAS_NUM_THREADS' not in os.environ\n" +
      "assert not [n for n in os.environ if n.startswith(('PLASTRON', 'PYTHON'))] and signal.getsignal(signal.SIGINT) is signal.default_int_handler\n" +
      "assert not {'zygote', 'worker', 'ending', 'control'} & set(sys.modules)\nsys.exit(5)";
    const { stdout, stderr, frames, code: own } = await children(library as string, ["ssl", "uuid"], [code, code, "print('last'); 1/0"]);
    expect(stderr).toMatch(/^Traceback \(most recent call last\):\n.*main.py", line 1, in <module>\n.*1\/0\n.*\nZeroDivisionError: division by zero\n$/);
    const lines = stdout.split("\n").filter((line) => /^0\./.test(line));
    const words = lines.flatMap((line) => line.split(" "));
    expect(words).toHaveLength(8);
    expect(new Set(words).size).toBe(8);
    expect(stdout.match(/thread/g)).toHaveLength(2);
    expect(frames.map((frame) => (frame.type === "D" ? `D${frame.payload[0]}` : frame.type))).toEqual(["R", "D5", "R", "D5", "R", "D1"]);
    expect(own).toBe(0);
  });

  it("shares random states without reseed: the fork alone does not renew them", () => {
    const script =
      "import random, os\nrandom.random()\nlib = __import__('ctypes').CDLL(None)\nfor _ in range(2):\n    if lib.syscall(56, 17, 0, 0, 0, 0) == 0:\n        os.write(1, repr(random.random()).encode() + b'\\n'); os._exit(0)\n    os.wait()";
    if (process.arch !== "x64") return;
    const [first, second] = spawnSync(INTERPRETERS.python3, ["-c", script], { encoding: "utf8" }).stdout.split("\n");
    expect(first).toBe(second);
  });

  it("refuses to fork with threads", async () => {
    workspace.write("starts_a_thread.py", "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()");
    const { frames, code } = await children(library as string, ["sys"], []);
    expect([frames, code]).toEqual([[], 0]);
    const command = zygoteCommand({
      interpreter: INTERPRETERS.python3,
      imports: ["starts_a_thread"],
      library: library as string,
      runtimesDir: import.meta.dirname,
      workspace: workspace.path,
    });
    const env = { ...command.env, PYTHONPATH: `${command.env.PYTHONPATH}:${workspace.path}` };
    const child = spawn(command.argv[0] as string, command.argv.slice(1), { env, stdio: ["ignore", "ignore", "inherit", "pipe"] });
    const said: Buffer[] = [];
    (child.stdio[3] as Duplex).on("data", (chunk: Buffer) => said.push(chunk));
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(97);
    const text = "an import started 1 threads: this set cannot be forked";
    expect(Buffer.concat(said)).toEqual(Buffer.from(encodeFrame("N", text)));
  });
});
