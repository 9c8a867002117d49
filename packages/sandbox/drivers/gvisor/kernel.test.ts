import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, DEFAULT_LIMITS, MIB, NO_RULES } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { guestCgroups, guestProcesses, guestsNeed } from "../../testing/guests.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { gvisorFacts } from "./facts.ts";
import { openGvisorDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-kernel-"));
const { confinement } = compileDefault(gvisorFacts());
const open: Confinement = { ...NO_RULES, id: "a".repeat(64), policy: "none" };
const need = guestsNeed();
const limits = (part: Partial<typeof DEFAULT_LIMITS>) => ({ limits: { ...DEFAULT_LIMITS, ...part } });

describe.skipIf(need !== null)(`a guest ${need ?? ""}`, () => {
  let driver: SandboxDriver;
  let guest: Bench;
  beforeAll(async () => {
    driver = await openGvisorDriver({ home });
    guest = bench(driver, confinement);
  }, 60_000);
  afterAll(async () => {
    await driver?.close();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  describe("does not meet the host's kernel:", () => {
    const told = "cat /proc/version; uname -r";
    it("the kernel that it asks is gVisor's", async () => {
      expect(execFileSync("bash", ["-c", told], { encoding: "utf8" })).toContain(release());
      const inside = (await guest.bash(told)).stdout;
      expect(inside).not.toContain(release());
      expect(inside).toMatch(/^Linux version 4\.4\.0/);
    });

    it("a call that gVisor does not have ends in gVisor", async () => {
      const call = (number: number) => `import ctypes; l = ctypes.CDLL(None, use_errno=True); print(l.syscall(${number}, 0, 0, 1), ctypes.get_errno())`;
      /* landlock_create_ruleset(NULL, 0, VERSION) and pidfd_open(0): the host has both. */
      expect(execFileSync("/usr/bin/python3", ["-c", call(444)], { encoding: "utf8" })).toMatch(/^[1-9]/);
      expect((await guest.python(call(444), { confinement: open })).stdout).toBe("-1 38\n");
      expect(execFileSync("/usr/bin/python3", ["-c", call(434)], { encoding: "utf8" })).not.toContain("38");
      expect((await guest.python(call(434), { confinement: open })).stdout).toBe("-1 38\n");
    });

    it("nothing of the host's /proc and /sys is in its own", async () => {
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      const ran = await guest.bash(
        "cat /proc/sys/kernel/random/boot_id /proc/cmdline /proc/modules /proc/kallsyms 2>&1; ls /sys/fs/cgroup /sys/module 2>&1; mount",
      );
      expect(ran.stdout).not.toContain(boot);
      expect(ran.stdout).not.toContain(readFileSync("/proc/cmdline", "utf8").trim());
      expect(ran.stdout).not.toContain(home);
    });
  });

  describe("is nobody on the host:", () => {
    it("no process of it has a uid of another sandbox's, the host's user namespace or, in the guest's kernel, a capability", async () => {
      let seen: ReturnType<typeof guestProcesses> = [];
      await guest.watch({ runtime: "bash", code: "echo here; sleep 0.5" }, () => {
        seen = guestProcesses(home);
      });
      expect(seen.length).toBeGreaterThan(3);
      for (const { uid, userNamespace, noNewPrivileges } of seen.filter(({ comm }) => comm !== "plastron-launch")) {
        expect(uid).toBeGreaterThan(1_900_000_000);
        expect(userNamespace).toBeGreaterThan(1_900_000_000);
        expect(noNewPrivileges).toBe(true);
      }
    });

    it("what it writes belongs to a uid of its own", async () => {
      const [a, b] = await Promise.all([guest.bash("sleep 0.3; stat -c %u /workspace"), guest.bash("sleep 0.3; stat -c %u /workspace")]);
      expect([a?.stdout, b?.stdout]).toEqual(["1000\n", "1000\n"]);
    });

    it("of sockets it can reach none, not even the door by which it came in", async () => {
      const code =
        "import socket, os\nprint(os.listdir('/run/plastron'))\ns = socket.socket(socket.AF_UNIX)\ntry: s.connect('/run/plastron/socket'); print('open')\nexcept OSError as e: print(e.strerror)";
      expect((await guest.python(code, { confinement: open })).stdout).toBe("[]\nNo such file or directory\n");
    });
  });

  it("runs 20 programs at once, none of which sees another", async () => {
    const runs = await Promise.all(
      Array.from({ length: 20 }, (_, i) => guest.bash(`echo ${i} > own; sleep 0.1; cat own; ls | wc -l`, limits({ wall_ms: 60_000 }))),
    );
    expect(runs.map((ran) => ran.stdout)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}\n2\n`));
    await expect.poll(() => driver.status().running).toBe(0);
  }, 90_000);

  it("of which any one process is killed ends or goes on unhurt, within its time, and leaves nothing", async () => {
    const alone = `${home}/alone`;
    const fragile = await openGvisorDriver({ home: alone }, { held: 0 });
    const { watch, python } = bench(fragile, confinement);
    let ended = 0;
    try {
      for (let victim = 0, count = 1; victim < count; victim++) {
        const ran = watch({ runtime: "bash", code: "echo here; sleep 2; echo there", ...limits({ wall_ms: 5000 }) }, () => {
          const processes = guestProcesses(alone).sort((one, other) => one.pid - other.pid);
          count = processes.length;
          const pid = processes[victim]?.pid;
          if (pid !== undefined) kill(pid);
        });
        const end = await ran.catch((error: Error) => ({ status: "failed", stdout: "", message: error.message }));
        /* `killed` where its init went, as with the local driver. gVisor does not notice that one of its stubs is gone: the clock does. */
        expect(end.status, `${victim} of ${count}`).toMatch(/^(failed|killed|completed|timed_out)$/);
        if (end.status === "completed") expect(end.stdout).toBe("here\nthere\n");
        else ended++;
        await expect.poll(() => guestProcesses(alone), { timeout: 10_000 }).toEqual([]);
      }
      expect(ended).toBeGreaterThan(4);
      expect((await python("print('on')")).stdout).toBe("on\n");
    } finally {
      await fragile.close();
    }
    expect(guestCgroups(alone)).toEqual([]);
  }, 150_000);

  it("that takes all memory ends alone, whichever of its processes took it", async () => {
    const ran = await guest.python(
      "import os\nos.fork()\nx = bytearray(10**9)\nfor i in range(0, len(x), 4096): x[i] = 1",
      limits({ memory_bytes: 128 * MIB, wall_ms: 20_000 }),
    );
    expect(ran).toMatchObject({ status: "memory_exceeded", limits_hit: expect.arrayContaining(["memory"]) });
    expect((await guest.python("print('on')")).stdout).toBe("on\n");
  }, 60_000);

  it("gives back its cgroup and every process when its run is over", async () => {
    await guest.bash("(sleep 300) & disown; echo x");
    await driver.close();
    expect(guestProcesses(home)).toEqual([]);
    expect(guestCgroups(home)).toEqual([]);
    expect(readFileSync("/proc/self/mounts", "utf8")).not.toContain(home);
    driver = await openGvisorDriver({ home });
    guest = bench(driver, confinement);
  }, 60_000);
});

function kill(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
