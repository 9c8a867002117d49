import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { leftovers, settled, snapshot } from "./leftovers.ts";

const isRoot = process.getuid?.() === 0;
const hierarchy = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].find(existsSync) ?? "";
let undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.reverse()) await step();
  undo = [];
});

test("a process of ours is found by its command line, and is no leftover when it is gone", async () => {
  const before = snapshot();
  const child = start("bash", ["-c", "exec -a /x/plastron-launcher sleep 60"]);
  await appears(before, `process: ${child.pid} `);
  child.kill("SIGKILL");
  expect(await settled(() => about(before, `process: ${child.pid} `))).toEqual([]);
});

test.runIf(isRoot)("a sandboxed program is found by its uid [needs: root]", async () => {
  const before = snapshot();
  const child = start("setpriv", ["--reuid=712345", "--clear-groups", "sleep", "60"]);
  await appears(before, `process: ${child.pid} (uid 712345)`);
});

test("a temporary directory and a socket are found", async () => {
  const before = snapshot();
  const directory = mkdtempSync(join(tmpdir(), "plastron-leftover-"));
  const server = createServer().listen(join(directory, "s"));
  undo.push(
    () => rmSync(directory, { recursive: true }),
    () => new Promise((resolve) => server.close(resolve)),
  );
  await appears(before, `file: ${directory}`);
  await appears(before, `socket: ${directory}/s`);
});

test.runIf(isRoot && hierarchy)("a cgroup is found [needs: root and cgroups]", async () => {
  const before = snapshot();
  const group = join(hierarchy, `plastron-leftover-${process.pid}`);
  mkdirSync(group);
  undo.push(() => rmdirSync(group));
  await appears(before, `cgroup: ${group}`);
});

function start(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: "ignore" });
  undo.push(() => child.kill("SIGKILL"));
  return child;
}

const about = (before: ReadonlySet<string>, start: string): string[] => leftovers(before, snapshot()).filter((thing) => thing.startsWith(start));

const appears = (before: ReadonlySet<string>, thing: string) => expect.poll(() => about(before, thing)).not.toEqual([]);
