import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, NO_RULES, newId } from "@plastron/contracts";
import { afterAll, describe, expect, it } from "vitest";
import { bench } from "../../testing/harness.ts";
import { cgroupParentOf } from "./cgroup.ts";
import { openBubblewrapDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-hostile-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const root = process.geteuid?.() === 0;

const confinement: Confinement = { ...NO_RULES, id: "0".repeat(64), policy: "test" };
const CORE = "(: >>/proc/sys/kernel/core_pattern) 2>/dev/null && echo open || echo shut";
const BARE = ["--unshare-all", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];

describe("the kernel's uid", () => {
  it("is 0 in a bubblewrap that root starts, which opens core_pattern [needs: root]", ({ skip }) => {
    if (!root) skip();
    const seen = execFileSync("bwrap", [...BARE, "bash", "-c", `cat /proc/self/uid_map; ${CORE}`], { encoding: "utf8" });
    expect(seen.trim().split("\n").at(-1)).toBe("open");
    const marker = `plastron-uid-${newId("run")}`;
    const child = spawn("bwrap", [...BARE, "--die-with-parent", "bash", "-c", `exec -a ${marker} sleep 20`]);
    return expect
      .poll(() => hostView(marker))
      .toMatchObject({ uid: "0" })
      .finally(() => child.kill("SIGKILL"));
  });

  it("is the pool's in this driver, and core_pattern is shut", async () => {
    const driver = await openBubblewrapDriver({ home, uidBase: 1_970_000_000 });
    const marker = `plastron-uid-${newId("run")}`;
    const { bash } = bench(driver, confinement);
    const run = bash(`cat /proc/self/uid_map; ${CORE}; (exec -a ${marker} sleep 1) & wait`);
    await expect.poll(() => hostView(marker), { interval: 20, timeout: 3000 }).not.toBeNull();
    const outside = hostView(marker);
    const [map, core] = (await run).stdout.trim().split("\n");
    await driver.close();
    expect(core).toBe("shut");
    expect(map?.trim()).toMatch(/^1000\s+0\s+1$/);
    expect(outside?.uid).toBe(root ? "1970000000" : String(process.geteuid?.()));
    expect(outside?.map).toMatch(new RegExp(`^1000\\s+${outside?.uid}\\s+1$`));
  });

  it("can never be 0, whatever the configuration says [needs: root]", async ({ skip }) => {
    if (!root) skip();
    await expect(openBubblewrapDriver({ home, uidBase: 0 })).rejects.toMatchObject({ code: "sandbox_failed" });
  });
});

describe("a descriptor that the agent inherited", () => {
  const secret = join(home, "secret");
  const list = "for fd in /proc/$$/fd/*; do [ -e $fd ] && readlink $fd; done | grep -c secret || true";

  it("reaches the program through bare bubblewrap, but not through this driver", async () => {
    writeFileSync(secret, "secret");
    const fd = openSync(secret, "r");
    try {
      expect(
        execFileSync("bwrap", [...BARE, "bash", "-c", list], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "inherit", "ignore", "ignore", "ignore", "ignore", "ignore", fd],
        }).trim(),
      ).toBe("1");
      // The agent stands for a process whose parent left a descriptor open for it, far above what the driver uses.
      const agent = agentThat(`const r = await run({ runtime: "bash", code: ${JSON.stringify(list)} }); console.log(r); process.exit(0);`);
      const ended = execFileSync(process.execPath, ["--input-type=module", "-e", agent], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit", ...Array.from({ length: 40 }, () => "ignore" as const), fd],
      });
      expect(ended.trim()).toBe("0");
    } finally {
      closeSync(fd);
    }
  });
});

describe("an agent that is killed", () => {
  it("leaves no process, and the next one no cgroup and no directory of it", async () => {
    const marker = `plastron-orphan-${newId("run")}`;
    const agent = agentThat(`run({ runtime: "bash", code: "exec -a ${marker} sleep 300", limits: { ...DEFAULT_LIMITS, wall_ms: 300000 } });`);
    for (let i = 0; i < 3; i++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", agent], { stdio: "ignore" });
      await expect.poll(() => hostView(marker), { timeout: 10_000 }).not.toBeNull();
      child.kill("SIGKILL");
      await expect.poll(() => hostView(marker), { timeout: 5000 }).toBeNull();
    }
    const driver = await openBubblewrapDriver({ home });
    expect(await bench(driver, confinement).bash("echo fine")).toMatchObject({ stdout: "fine\n" });
    await driver.close();
    expect(readdirSync(join(home, "bubblewrap"))).toEqual([]);
    expect(cgroupsLeft()).toEqual([]);
  });
});

describe("without root", () => {
  it("a sandbox has the caller's own uid, not another's and not root [needs: root]", ({ skip }) => {
    if (!root) skip();
    const mine = mkdtempSync(join(tmpdir(), "plastron-unprivileged-"));
    execFileSync("chown", ["1234567:1234567", mine]);
    try {
      const code = `const r = await run({ runtime: "bash", code: ${JSON.stringify(`id -u; ${CORE}; echo x > f`)}, collect: ["f"] }); console.log(r); process.exit(0);`;
      const seen = execFileSync(process.execPath, ["--input-type=module", "-e", agentThat(code, mine)], { encoding: "utf8", uid: 1234567, gid: 1234567 });
      expect(seen.trim().split("\n")).toEqual(["1000", "shut"]);
    } finally {
      rmSync(mine, { recursive: true, force: true });
    }
  });
});

describe("a full driver", () => {
  it("queues, refuses beyond the queue, and lets go of those who stop waiting", async () => {
    const driver = await openBubblewrapDriver({ home, maxRunning: 1, maxQueued: 1 });
    const { bash } = bench(driver, confinement);
    const abort = new AbortController();
    const first = bash("sleep 0.7; echo first");
    const second = bash("echo second", {}, { signal: abort.signal });
    await expect(bash("echo third")).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    abort.abort("no longer wanted");
    expect(await second).toMatchObject({ status: "killed", reason: "no longer wanted", started: false });
    expect((await first).stdout).toBe("first\n");
    expect(driver.status()).toMatchObject({ running: 0, queued: 0 });
    await driver.close();
  });
});

describe("a confinement", () => {
  it("that this driver cannot carry out is refused by name", async () => {
    const driver = await openBubblewrapDriver({ home });
    const { bash } = bench(driver, confinement);
    await expect(bash("true", { confinement: { ...confinement, weak: { seccomp: true } } })).rejects.toMatchObject({ code: "sandbox_failed" });
    const network = { default_action: "allow" as const, default_rule: null, addresses: [], http: [], mitm: { domains: [], mutations: [] }, denied: [] };
    await expect(bash("true", { confinement: { ...confinement, network } })).rejects.toMatchObject({
      code: "sandbox_failed",
      message: expect.stringContaining("way out"),
    });
    const unmaskable = { ...confinement, id: "a".repeat(64), hidden: ["/proc/*/maps"] };
    await expect(bash("true", { confinement: unmaskable })).rejects.toMatchObject({ code: "sandbox_failed", message: expect.stringContaining("/proc/*/maps") });
    await expect(bash("true", { args: Array.from({ length: 200 }, () => "x".repeat(30_000)) })).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(driver.status().running).toBe(0);
    await driver.close();
    await expect(bash("true")).rejects.toMatchObject({ code: "overloaded" });
  });
});

/** A program that opens the driver in a process of its own; `run` answers with stdout. */
function agentThat(body: string, at = home): string {
  const here = JSON.stringify(join(import.meta.dirname, "index.ts"));
  const base = JSON.stringify({ run_id: newId("run"), tenant: "t", confinement });
  return `
    import { openBubblewrapDriver } from ${here};
    import { DEFAULT_LIMITS, runSpecSchema } from ${JSON.stringify(join(import.meta.dirname, "../../../contracts/index.ts"))};
    const driver = await openBubblewrapDriver({ home: ${JSON.stringify(at)} });
    const run = async (part) => {
      let out = "";
      await driver.run(runSpecSchema.parse({ ...${base}, ...part }), { stdout: (c) => void (out += Buffer.from(c)), stderr: (c) => void process.stderr.write(c) });
      return out.trim();
    };
    ${body}`;
}

/** A process as the host sees it, by the name that it gave itself. */
function hostView(marker: string): { uid: string; map: string } | null {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(marker)) continue;
      const uid = readFileSync(`/proc/${pid}/status`, "utf8").match(/^Uid:\t(\d+)/m)?.[1] ?? "";
      return { uid, map: readFileSync(`/proc/${pid}/uid_map`, "utf8").trim() };
    } catch {
      // It ended while we looked.
    }
  }
  return null;
}

function cgroupsLeft(): string[] {
  return execFileSync("find", ["/sys/fs/cgroup", "-name", cgroupParentOf(join(home, "bubblewrap"))], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
}
