import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Subject {
  name: string;
  command: string[];
  /** In the directory of the bench. */
  file: string;
  source: string;
}

const DEPTH = 12;
const PYTHON = `import os, signal
class Plugin:
    def call(self, n):
        return self.call(n - 1) if n else [os.kill(os.getpid(), signal.SIGSTOP) for _ in (1,)]
Plugin().call(${DEPTH})
`;
const NODE = `class Plugin {
  call(n) {
    return n ? this.call(n - 1) : [1].map(() => process.kill(process.pid, 'SIGSTOP'));
  }
}
new Plugin().call(${DEPTH});
setTimeout(() => {}, 1e6);
`;
const C = `#include <signal.h>
__attribute__((noinline)) int call(int n) { return n ? call(n - 1) + 1 : raise(SIGSTOP); }
int main(void) { return call(${DEPTH}) + 1; }
`;

/** Programs that call themselves a dozen times and then stop themselves, of what this machine has. */
export function subjects(directory: string): Subject[] {
  const python = ["/usr/bin/python3", "/usr/local/bin/python3"].find((path) => existsSync(path));
  const compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].find((path) => existsSync(path));
  const found: Subject[] = [];
  if (python) found.push({ name: versionOf(python, "Python"), command: [python], file: "plugin.py", source: PYTHON });
  found.push({ name: `Node ${process.versions.node}`, command: [process.execPath], file: "plugin.js", source: NODE });
  if (compiler) {
    const binary = join(directory, "plugin");
    execFileSync(compiler, ["-O1", "-fno-optimize-sibling-calls", "-x", "c", "-o", binary, "-"], { input: C });
    found.push({ name: "C", command: [binary], file: "unused", source: "" });
  }
  return found;
}

function versionOf(command: string, name: string): string {
  return `${name} ${execFileSync(command, ["-c", "import platform; print(platform.python_version())"], { encoding: "utf8" }).trim()}`;
}

/** Runs the program until it has stopped itself, hands over its pid, and ends it. */
export async function withStopped<T>(directory: string, { command: [program = "", ...args], file, source }: Subject, use: (pid: number) => T): Promise<T> {
  const path = join(directory, file);
  writeFileSync(path, source);
  const child = spawn(program, [...args, path], { stdio: "ignore" });
  try {
    await untilStopped(child);
    return use(child.pid as number);
  } finally {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
}

async function untilStopped(child: ChildProcess): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; ) {
    if (child.exitCode !== null) throw new Error("a program ended and did not stop itself");
    if (/^State:\tT/m.test(readFileSync(`/proc/${child.pid}/status`, "utf8"))) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("a program did not stop itself");
}

export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "plastron-bench-stacks-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
