import { DEFAULT_LIMITS, MIB } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import type { Bench } from "./harness.ts";

const limits = (part: Partial<typeof DEFAULT_LIMITS>) => ({ limits: { ...DEFAULT_LIMITS, ...part } });

/** Each limit is hit on purpose and must be named. */
export function describeLimits(use: () => Bench): void {
  describe("a limit", () => {
    it("of memory ends a program that takes too much, and says so", async () => {
      const ran = await use().python("x = bytearray(10**9)\nfor i in range(0, len(x), 4096): x[i] = 1", limits({ memory_bytes: 128 * MIB }));
      expect(ran).toMatchObject({ status: "memory_exceeded", exit_code: null, signal: "SIGKILL" });
      expect(ran.limits_hit).toContain("memory");
      expect(ran.reason).toMatch(/memory/);
      expect(ran.usage.memory_peak_bytes).toBeGreaterThan(64 * MIB);
    });

    it("of memory counts what child processes take together", async () => {
      const code =
        "import os, time\nfor _ in range(6):\n  if os.fork()==0:\n    x=bytearray(40*2**20)\n    for i in range(0,len(x),4096): x[i]=1\n    time.sleep(3); os._exit(0)\nos.wait(); print('a child ended')";
      const ran = await use().python(code, limits({ memory_bytes: 128 * MIB }));
      expect(ran.limits_hit).toContain("memory");
      expect(ran.status).toBe("memory_exceeded");
    });

    it("of memory counts what is written to the workspace and /tmp", async () => {
      const code =
        "import os\nfor d in ('.', '/tmp', '/dev/shm'):\n  try:\n    f=open(d+'/fill','wb')\n    for _ in range(200): f.write(b'x'*2**20)\n  except OSError: pass";
      const ran = await use().python(code, limits({ memory_bytes: 96 * MIB, workspace_bytes: 1024 * MIB }));
      expect(["memory_exceeded", "workspace_exceeded"]).toContain(ran.status);
    });

    it("of processes stops a fork bomb, and the host stays well", async () => {
      const ran = await use().bash("bomb() { bomb | bomb & }; bomb; wait; sleep 1", limits({ pids: 40 }));
      expect(ran.limits_hit).toContain("pids");
      expect(["pids_exceeded", "timed_out"]).toContain(ran.status);
      expect((await use().python("print('still here')")).stdout).toBe("still here\n");
    });

    it("of processes counts threads", async () => {
      const code =
        "import threading, time\ntry:\n  for _ in range(500): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\nexcept RuntimeError as e: print('refused')";
      const ran = await use().python(code, limits({ pids: 30 }));
      expect(ran).toMatchObject({ status: "pids_exceeded", stdout: "refused\n" });
    });

    it("of wall clock ends a program that sleeps and one that spins", async () => {
      for (const code of ["import time; print('on', flush=True); time.sleep(60)", "print('on', flush=True)\nwhile True: pass"]) {
        const ran = await use().python(code, limits({ wall_ms: 2000 }));
        expect(ran).toMatchObject({ status: "timed_out", exit_code: null, stdout: "on\n" });
        expect(ran.limits_hit).toContain("wall");
        expect(ran.usage.wall_ms).toBeGreaterThan(1900);
        expect(ran.usage.wall_ms).toBeLessThan(6000);
      }
    });

    it("of wall clock ends a program that ignores every signal", async () => {
      const code = "import signal, time\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n  except (OSError, ValueError): pass\ntime.sleep(60)";
      expect(await use().python(code, limits({ wall_ms: 600 }))).toMatchObject({ status: "timed_out" });
    });

    it("of output cuts a stream, not the other one, and says so", async () => {
      const ran = await use().python("import sys; print('x' * 5000); print('short', file=sys.stderr)", limits({ output_bytes: 1000 }));
      expect(ran).toMatchObject({ status: "output_truncated", stdout_truncated: true, stderr_truncated: false, stderr: "short\n" });
      expect(ran.stdout).toBe("x".repeat(1000));
      expect(ran.limits_hit).toEqual(["stdout"]);
    });

    it("of output holds against a flood", async () => {
      const before = process.memoryUsage.rss();
      const ran = await use().bash(`head -c ${use().features.floodBytes} /dev/zero; head -c 3000000 /dev/zero >&2`, limits({ wall_ms: 30_000 }));
      expect(ran.status).toBe("output_truncated");
      expect([ran.stdout.length, ran.stderr.length > 0]).toEqual([MIB, true]);
      expect(ran.limits_hit).toContain("stdout");
      expect(process.memoryUsage.rss() - before).toBeLessThan(200 * MIB);
    });

    it("of output is not hit by output of exactly its size", async () => {
      expect(await use().python("import sys; sys.stdout.write('x' * 1000)", limits({ output_bytes: 1000 }))).toMatchObject({
        status: "completed",
        stdout_truncated: false,
      });
    });

    it("of the workspace is an ordinary error to the program, and named", async () => {
      const ran = await use().python(
        "try:\n  open('big','wb').write(b'x'*(20*2**20))\nexcept OSError as e: print(e.strerror)",
        limits({ workspace_bytes: 4 * MIB }),
      );
      expect(ran).toMatchObject({ status: "workspace_exceeded", stdout: "No space left on device\n" });
      expect(ran.limits_hit).toContain("workspace");
    });

    it("of open files is an ordinary error to the program", async () => {
      const code = "f=[]\ntry:\n  for _ in range(500): f.append(open('/dev/null'))\nexcept OSError as e: print(e.strerror, len(f) < 64)";
      expect((await use().python(code, limits({ open_files: 64 }))).stdout).toBe("Too many open files True\n");
    });

    it("of cpu slows a program down to its share", async () => {
      const code = "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\nprint(time.process_time())";
      const ran = await use().python(code, limits({ cpus: 0.25 }));
      expect(use().features.cpuClock === "exact" ? Number(ran.stdout) : (ran.usage.cpu_ms ?? 0) / 1000).toBeLessThan(0.9);
    });

    it("that is not hit is not reported, and usage is", async () => {
      const ran = await use().python("x = bytearray(30 * 2**20)\nfor i in range(0, len(x), 4096): x[i] = 1\nsum(range(10**6))");
      expect(ran).toMatchObject({ status: "completed", limits_hit: [], reason: null });
      expect(ran.usage.memory_peak_bytes).toBeGreaterThan(30 * MIB);
      expect(ran.usage.cpu_ms).toBeGreaterThan(1);
    });
  });
}
