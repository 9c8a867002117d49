import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, describe, expect, it } from "vitest";
import { bench } from "../../testing/harness.ts";
import { firstWord } from "../../testing/waiting.ts";
import { findCgroups } from "./cgroups.ts";
import { openLocalDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-reclaim-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const BUSY = fileURLToPath(new URL("../../testing/busy-driver.ts", import.meta.url));
const group = `plastron-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;
const { confinement } = compileDefault(TYPICAL_HOST);

/** Processes whose uid is one of the pool's: what runs, or ran, in a sandbox of any driver of this machine. */
function sandboxProcesses(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
        return uid >= 1_900_000_000 && readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(group);
      } catch {
        return false;
      }
    });
}

function cgroupsLeft(): string[] {
  return findCgroups(group).dirs.flatMap((dir) => {
    try {
      return readdirSync(dir).filter((name) => name.startsWith("box-"));
    } catch {
      return [];
    }
  });
}

const ended = (child: ChildProcess) => new Promise((resolve) => child.once("exit", resolve));

/** Waits until `left` is empty, and returns what is still there after `ms`. */
async function settle(left: () => string[], ms: number): Promise<string[]> {
  for (const end = Date.now() + ms; Date.now() < end && left().length > 0; ) await new Promise((later) => setTimeout(later, 20));
  return left();
}

describe("the local driver, killed", () => {
  it("[needs: root] 20 times under load leaves no process, and what is left of its cgroups is reclaimed at the next start", async () => {
    for (let round = 0; round < 20; round++) {
      const child = spawn(process.execPath, [BUSY, home], { stdio: ["ignore", "pipe", "inherit"] });
      await firstWord(child);
      await new Promise((later) => setTimeout(later, Math.random() * 150));
      if (round === 0) expect(sandboxProcesses().length).toBeGreaterThan(0);
      child.kill("SIGKILL");
      await ended(child);
      expect(await settle(sandboxProcesses, 10_000)).toEqual([]);
    }
    const driver = await openLocalDriver({ home });
    try {
      expect(await settle(cgroupsLeft, 5000)).toEqual([]);
      expect(await bench(driver, confinement).python("print('still works')")).toMatchObject({ stdout: "still works\n", status: "completed" });
    } finally {
      await driver.close();
    }
    expect(findCgroups(group).dirs.flatMap((dir) => readdirSync(join(dir, "..")).filter((name) => name === group))).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(home);
  }, 180_000);

  it("[needs: root] supervisors and zygotes that are killed end their sandboxes, and runs go on", async () => {
    const driver = await openLocalDriver({ home: join(home, "second") }, { zygoteCores: 0.001 });
    const { python } = bench(driver, confinement);
    try {
      for (let i = 0; i < 8; i++) await python("pass");
      const running = python("import os, time; os.fork(); time.sleep(30)").catch((error: Error) => error);
      await new Promise((later) => setTimeout(later, 500));
      const supervisors = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && comm(pid) === "plastron-launch" && parentage(pid).includes(process.pid));
      expect(supervisors.length).toBeGreaterThan(0);
      for (const pid of supervisors) killIfThere(Number(pid));
      expect(await running).toMatchObject({ message: expect.stringContaining("died") });
      expect(await python("print(1)")).toMatchObject({ stdout: "1\n" });
    } finally {
      await driver.close();
    }
  }, 60_000);
});

/** A zygote's supervisor takes those of its children with it. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function comm(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}

function parentage(pid: string): number[] {
  const parents: number[] = [];
  for (let at = pid; at !== "0"; ) {
    try {
      at = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${at}/status`, "utf8"))?.[1] ?? "0";
    } catch {
      break;
    }
    parents.push(Number(at));
  }
  return parents;
}
