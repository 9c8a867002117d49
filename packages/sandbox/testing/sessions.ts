import { DEFAULT_LIMITS, newId, type RunSpec, type Runtime } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import type { Session } from "../driver.ts";
import type { Bench, Suite } from "./harness.ts";

/** Sandboxes that keep their interpreter's state. */
export function describeSessions(use: () => Bench, kind: Suite["sessions"]): void {
  const spec = (runtime: Runtime) => ({
    session_id: newId("session"),
    tenant: "ten_conformance",
    runtime,
    limits: DEFAULT_LIMITS,
    imports: [],
    confinement: use().confinement,
    min_tier: 1 as const,
  });

  async function inSession(
    runtime: Runtime,
    work: (run: (code: string, more?: Partial<RunSpec>) => ReturnType<Bench["python"]>, session: Session) => Promise<void>,
  ) {
    const session = await use().driver.openSession(spec(runtime));
    try {
      await work((code, more) => use().inSession(session, { runtime, code, ...more }), session);
    } finally {
      await session.close("test over");
    }
  }

  if (kind === "refused") {
    it("refuses a session by its own name", async () => {
      await expect(use().driver.openSession(spec("python3"))).rejects.toMatchObject({
        code: "sandbox_failed",
        message: expect.stringContaining(use().driver.name),
      });
    });
    return;
  }

  describe("a session", () => {
    it("of Python keeps names, imports and files", () =>
      inSession("python3", async (run) => {
        expect(await run("import math\nx = 20\nopen('kept','w').write('file')")).toMatchObject({ status: "completed", sandbox: { start: "session" } });
        expect((await run("print(x + int(math.sqrt(4)), open('kept').read())")).stdout).toBe("22 file\n");
      }));

    it("of Node keeps what was declared", () =>
      inSession("nodejs", async (run) => {
        await run("const a = 40; let b = 1; function add(x) { return x + 1 }");
        expect((await run("b += 1; console.log(add(a) + b - 1)")).stdout).toBe("42\n");
      }));

    it("of bash keeps variables, functions and its directory", () =>
      inSession("bash", async (run) => {
        await run('x=5; f() { echo "f $1"; }; mkdir -p sub; cd sub');
        expect((await run("f $x; basename $PWD")).stdout).toBe("f 5\nsub\n");
      }));

    it("goes on after an exception and an exit", () =>
      inSession("python3", async (run) => {
        await run("x = 1");
        const failed = await run("raise ValueError('no')");
        expect(failed).toMatchObject({ status: "failed", exit_code: 1 });
        expect(failed.stderr).toContain("ValueError: no");
        expect(await run("import sys; sys.exit(4)")).toMatchObject({ status: "failed", exit_code: 4 });
        expect((await run("print(x)")).stdout).toBe("1\n");
      }));

    it("gives each run its own output, input, arguments and environment", () =>
      inSession("python3", async (run) => {
        expect((await run("import sys, os; print(sys.argv[1:], os.environ.get('A'))", { args: ["one"], env: { A: "1" } })).stdout).toBe("['one'] 1\n");
        expect((await run("print(sys.argv[1:], os.environ.get('A'))")).stdout).toBe("[] None\n");
      }));

    it("runs one program at a time", () =>
      inSession("python3", async (run, session) => {
        const first = run("import time; time.sleep(1); print('first')");
        await expect(use().inSession(session, { runtime: "python3", code: "print('second')" })).rejects.toMatchObject({ code: "session_busy" });
        expect((await first).stdout).toBe("first\n");
      }));

    it("dies with a run that takes too long, and says so ever after", () =>
      inSession("python3", async (run, session) => {
        expect(await run("import time; time.sleep(60)", { limits: { ...DEFAULT_LIMITS, wall_ms: 600 } })).toMatchObject({ status: "timed_out" });
        expect(session.alive).toBe(false);
        await expect(use().inSession(session, { runtime: "python3", code: "print(1)" })).rejects.toMatchObject({ code: "session_gone" });
      }));

    it("dies with a run that takes too much memory", () =>
      inSession("python3", async (run, session) => {
        expect(await run("x = bytearray(2 * 10**9)\nfor i in range(0, len(x), 4096): x[i] = 1")).toMatchObject({ status: "memory_exceeded" });
        await expect.poll(() => session.alive).toBe(false);
      }));

    it("counts each run for itself, also after a child of one was ended for its memory", () =>
      inSession("python3", async (run) => {
        const bomb =
          "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'x = bytearray(2 * 10**9)\\nfor i in range(0, len(x), 4096): x[i] = 1']).returncode)";
        if (use().features.memoryEnds === "sandbox") return void expect(await run(bomb)).toMatchObject({ status: "memory_exceeded", signal: "SIGKILL" });
        expect(await run(bomb)).toMatchObject({ status: "memory_exceeded", stdout: "-9\n" });
        const after = await run("print(1)");
        expect(after).toMatchObject({ status: "completed", limits_hit: [] });
        expect(after.usage.cpu_ms).toBeLessThan(100);
      }));

    it("is gone once closed", async () => {
      const session = await use().driver.openSession(spec("python3"));
      await session.close("enough");
      expect(session.alive).toBe(false);
      await expect(use().inSession(session, { runtime: "python3", code: "print(1)" })).rejects.toMatchObject({ code: "session_gone" });
      await session.close("twice is fine");
    });

    it("sees nothing of another session", async () => {
      await inSession("python3", async (run) => {
        await run("open('/tmp/left','w').write('x'); y = 1");
        await inSession("python3", async (other) => {
          expect((await other("import os; print(os.path.exists('/tmp/left'), 'y' in globals())")).stdout).toBe("False False\n");
        });
      });
    });

    it("below the tier asked for is refused", async () => {
      await expect(use().driver.openSession({ ...spec("python3"), min_tier: 4 })).rejects.toMatchObject({ code: "tier_unavailable" });
    });
  });
}
