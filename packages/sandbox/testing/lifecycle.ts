import { readdirSync, readFileSync } from "node:fs";
import { DEFAULT_LIMITS } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import type { Bench } from "./harness.ts";

/** The end of runs, by whatever end, and what is left after: nothing. */
export function describeLifecycle(use: () => Bench): void {
  describe("a run", () => {
    it("that is cancelled ends at once with the caller's reason", async () => {
      const abort = new AbortController();
      setTimeout(() => abort.abort("changed my mind"), 500);
      const began = performance.now();
      const ran = await use().python(
        "import time; print('on', flush=True); time.sleep(60)",
        { limits: { ...DEFAULT_LIMITS, wall_ms: 60_000 } },
        { signal: abort.signal },
      );
      expect(ran).toMatchObject({ status: "killed", reason: "changed my mind", exit_code: null });
      expect(performance.now() - began).toBeLessThan(5000);
    });

    it("that leaves a background process leaves nothing", async () => {
      const marker = `plastron-left-${process.pid}-${Date.now()}`;
      const stays = `exec -a ${marker} sleep 300`;
      for (const code of [
        `(${stays}) & disown; echo done`,
        `setsid bash -c '${stays}' < /dev/null > /dev/null 2>&1 & sleep 0.2; echo done`,
        `trap '' TERM HUP; nohup bash -c '${stays}' & sleep 0.2; echo done`,
      ]) {
        const ran = await use().bash(code);
        expect(ran.stdout).toContain("done");
        expect(ran.usage.wall_ms).toBeLessThan(4000);
        await expect.poll(() => processesNamed(marker)).toEqual([]);
      }
    });

    it("that forks away from its parent leaves nothing", async () => {
      const marker = `plastron-daemon-${process.pid}-${Date.now()}`;
      const code = `import os\nif os.fork()==0:\n  os.setsid()\n  if os.fork()==0: os.execv('/bin/sh', ['${marker}', '-c', 'sleep 300'])\n  os._exit(0)\nos.wait(); print('done')`;
      expect((await use().python(code)).stdout).toBe("done\n");
      await expect.poll(() => processesNamed(marker)).toEqual([]);
    });

    it("does not wait for one at its side, and does not mix with it", async () => {
      const runs = await Promise.all(Array.from({ length: 4 }, (_, i) => use().python(`print('run ${i}')`, { tenant: `ten_${i % 2}` })));
      expect(runs.map((ran) => ran.stdout)).toEqual(["run 0\n", "run 1\n", "run 2\n", "run 3\n"]);
      await expect.poll(() => use().driver.status().running).toBe(0);
    });

    it("below the tier asked for is refused, not downgraded", async () => {
      await expect(use().python("print(1)", { min_tier: 4 })).rejects.toMatchObject({ code: "tier_unavailable" });
      await expect(use().python("print(1)", { confinement: { ...use().confinement, min_tier: 4 } })).rejects.toMatchObject({ code: "tier_unavailable" });
    });

    it("with hidden paths and forbidden programs finds neither", async () => {
      const visible = await use().bash("test -r /usr/share/zoneinfo/UTC && env true && echo both");
      expect(visible.stdout).toBe("both\n");
      const confinement = { ...use().confinement, id: "e".repeat(64), hidden: ["/usr/share/zoneinfo"], forbidden_programs: ["env"], noexec_writable: true };
      const ran = await use().bash(
        "ls /usr/share/zoneinfo 2>/dev/null; cat /usr/share/zoneinfo/UTC 2>/dev/null; env true 2>/dev/null && echo ran; cat /usr/bin/env 2>/dev/null | head -c1; cp /bin/true ./t && ./t && echo executed; cp /bin/true /dev/shm/t && /dev/shm/t && echo executed",
        { confinement },
      );
      expect(ran.stdout).toBe("");
      // The first look for a name goes over the whole root, from a disk that may be cold.
    }, 120_000);
  });
}

/** For confinements that have a filter: the attack works without it, and does not with it. */
export function describeFilter(use: () => Bench): void {
  describe("the confinement's filter", () => {
    it("takes away what the kernel alone would allow", async () => {
      const attack = "import socket\ntry: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0); print('made')\nexcept OSError: print('refused')";
      const unfiltered = { ...use().confinement, id: "f".repeat(64), seccomp: "" };
      expect((await use().python(attack, { confinement: unfiltered })).stdout).toBe("made\n");
      expect((await use().python(attack)).stdout).not.toContain("made");
    });
  });
}

function processesNamed(marker: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(marker);
    } catch {
      return false;
    }
  });
}
