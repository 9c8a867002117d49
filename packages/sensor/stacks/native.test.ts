import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stackSchema } from "@plastron/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { readStack } from "./index.ts";
import { pythons, Stage, short, untilStopped } from "./testing/stopped.ts";

const stage = new Stage();
afterAll(() => stage.clear());

const compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].find((path) => existsSync(path));
const isRoot = process.geteuid?.() === 0;

const PROGRAM = `
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
int compare(const void *a, const void *b) { raise(SIGSTOP); return a < b; }
__attribute__((noinline)) int sorts(int n) {
  volatile char room[5000];
  int two[2] = { 1, 2 };
  snprintf((char *)room, sizeof room, "%d", n);
  qsort(two, 2, sizeof *two, compare);
  return room[n];
}
__attribute__((noinline)) int deep(int n) { return n ? deep(n - 1) + 1 : sorts(n) + 1; }
int main(void) { return deep(3) + 1; }
`;

function compiled(name: string, flags: string[], source = PROGRAM): string {
  const binary = join(stage.directory, name);
  execFileSync(compiler as string, ["-x", "c", "-o", binary, ...flags, "-"], { input: source, stdio: ["pipe", "pipe", "inherit"] });
  return binary;
}

describe.skipIf(compiler === undefined || process.arch !== "x64")("the stack of a C program [needs: a C compiler, x86_64]", { timeout: 60_000 }, () => {
  const OWN = ["compare", "sorts", "deep", "deep", "deep", "deep", "main"];

  it.each([
    ["unoptimized", ["-O0"]],
    ["without frame pointers", ["-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls"]],
    ["with frame pointers alone", ["-O1", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables", "-fno-optimize-sibling-calls"]],
    ["without shared libraries", ["-O1", "-static", "-fno-optimize-sibling-calls"]],
  ])("%s is there to its outermost function", async (name, flags) => {
    const binary = compiled(name.replaceAll(" ", "-"), flags);
    const pid = await stage.stopped(binary, []);
    const stack = stackSchema.parse(readStack(pid, pid));
    const own = stack.frames.filter((frame) => frame.file === binary).map((frame) => frame.function);
    expect(own.filter((name) => OWN.includes(name))).toEqual(OWN);
    expect(short(stack, "native")).toContain("raise");
    expect(stack.incomplete).toBeNull();
  });

  it("without frame pointers and tables ends with a reason", async () => {
    const binary = compiled("bare", ["-O2", "-s", "-fomit-frame-pointer", "-fno-asynchronous-unwind-tables"]);
    const pid = await stage.stopped(binary, []);
    const stack = readStack(pid, pid);
    expect(short(stack, "native")).toContain("raise");
    expect(stack.frames.at(-1)?.file).toBe(binary);
    expect(stack.incomplete).toMatch(/without unwind tables/);
  });

  it("is that of a binary that was replaced and deleted since", async () => {
    const binary = compiled("gone", ["-O0"]);
    const pid = await stage.stopped(binary, []);
    execFileSync("rm", [binary]);
    execFileSync("mkfifo", [binary]);
    const stack = readStack(pid, pid);
    expect(short(stack, "native")).toContain("compare");
    expect(stack.frames.at(-1)?.file).toMatch(/gone \(deleted\)$/);
  });

  it("has the extension that Python called before the program's frames", async () => {
    const python = pythons("3.11")[0];
    if (python === undefined) return;
    const library = compiled(
      "ext.so",
      ["-O1", "-shared", "-fPIC"],
      "#include <signal.h>\n__attribute__((noinline)) static void inner(void) { raise(SIGSTOP); }\nvoid outer(void) { inner(); }\n",
    );
    const pid = await stage.stopped(python, [
      stage.write("ext.py", `import ctypes\nlibrary = ctypes.CDLL(${JSON.stringify(library)})\ndef calls():\n    library.outer()\ncalls()\n`),
    ]);
    const stack = readStack(pid, pid);
    const names = stack.frames.map((frame) => frame.function);
    expect(names.indexOf("outer")).toBeGreaterThan(names.indexOf("raise"));
    expect(names.indexOf("calls")).toBeGreaterThan(names.indexOf("outer"));
    expect(short(stack, "python")).toEqual(["calls:4", "<module>:5"]);
  });
});

it("of bash is bash's own", async () => {
  const pid = await stage.stopped("/bin/bash", ["-c", "f() { kill -STOP $$; }; f"]);
  const stack = readStack(pid, pid);
  expect(stack.frames[0]?.function).toBe("kill");
  expect(stack.frames.some((frame) => frame.file.endsWith("/bash"))).toBe(true);
});

describe.skipIf(!isRoot)("a process in namespaces of its own [needs: root]", { timeout: 60_000 }, () => {
  const python = pythons("3.11").find((path) => path.startsWith("/usr/"));

  it.skipIf(python === undefined)("is read through its own root, as itself sees its threads [needs: /usr/bin/python3.11]", async () => {
    const root = join(stage.directory, "root");
    // Its binaries are under other paths than ours, so that a path of ours would lead nowhere.
    const script = [
      "set -e",
      `mkdir -p ${root}`,
      `mount -t tmpfs none ${root}`,
      `cd ${root}`,
      "mkdir usr lib lib64 proc tmp",
      "for d in usr lib lib64; do mount --rbind /$d $d; done",
      "mount -t proc proc proc",
      `cp ${python} tmp/renamed`,
      "cat > tmp/main.py",
      "exec chroot . /tmp/renamed /tmp/main.py",
    ].join("\n");
    const child = stage.start("unshare", ["--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin?.end("import os, signal\ndef inside():\n    os.kill(os.getpid(), signal.SIGSTOP); print(1, flush=True)\n    while True: pass\ninside()\n");
    const begun = new Promise((resolve) => child.stdout?.once("data", resolve));
    const pid = await childOf(child.pid as number);
    // SIGSTOP that the first process of a pid namespace sends to itself is ignored: it is stopped from outside.
    await begun;
    process.kill(pid, "SIGSTOP");
    await untilStopped(pid);
    const stack = readStack(pid, pid);
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^NSpid:\t\d+\t1$/m);
    expect(short(stack, "python").map((frame) => frame.split(":")[0])).toEqual(["inside", "<module>"]);
    expect(stack.frames.at(-1)).toMatchObject({ file: "/tmp/main.py", line: 5 });
    process.kill(pid, "SIGKILL");
  });
});

async function childOf(pid: number): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const [child] = readdirSync(`/proc/${pid}/task`).flatMap((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, "utf8").split(" ").filter(Boolean));
    if (child !== undefined && /renamed/.test(readFileSync(`/proc/${child}/cmdline`, "utf8"))) return Number(child);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not start");
}
