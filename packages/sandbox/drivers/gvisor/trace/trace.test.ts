import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, type RunResult, runSpecSchema, TELEMETRY_BOUNDS, telemetrySchema } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../../driver.ts";
import { guestsNeed } from "../../../testing/guests.ts";
import { gvisorFacts } from "../facts.ts";
import { openGvisorDriver } from "../index.ts";
import { GuestAccount } from "./account.ts";

const need = guestsNeed();
describe.skipIf(need !== null)(`what a guest's kernel tells ${need ?? ""}`, () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-trace-"));
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openGvisorDriver({ home });
  }, 60_000);
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true, force: true });
  });

  const { confinement } = compileDefault(gvisorFacts());
  const python = (code: string, more: object = {}): Promise<RunResult> => {
    const spec = runSpecSchema.parse({ runtime: "python3", code, run_id: newId("run"), tenant: "t", confinement, min_tier: 3, ...more });
    return driver.run(spec, { stdout: () => {}, stderr: () => {} });
  };

  it("is the run's account: programs, processes, files and connections, and that it is limited", async () => {
    const code = [
      "import os, socket, subprocess",
      "open('/tmp/kept', 'w').close()",
      "subprocess.run(['/bin/echo', 'hello'])",
      "if os.fork() == 0: os._exit(7)",
      "os.wait()",
      "try: open('/etc/absent')\nexcept OSError: pass",
      "try: socket.socket().connect(('127.0.0.1', 9))\nexcept OSError: pass",
    ].join("\n");
    const { telemetry } = await python(code, { sensing: "trace" });
    expect(telemetry).toMatchObject({ level: "limited", reason: expect.stringContaining("telemetry: limited"), lost: { events: 0 }, model: null });
    expect(telemetry.resources).toMatchObject({ memory: { peak_bytes: expect.any(Number) }, cpu: { user_us: expect.any(Number) } }); // the host's count
    expect(telemetry.processes).toMatchObject({ forks: 2, execs: 1 });
    expect([2, 3]).toContain(telemetry.processes.exits); // its own end may come before the result or after
    expect(telemetry.processes.list).toMatchObject([
      { exe: expect.stringMatching(/\/echo$/), argv: ["/bin/echo", "hello"], code: 0 },
      { code: 7, signal: null },
    ]);
    const file = (path: string) => telemetry.files.list.find((each) => each.path === path);
    expect(file("/tmp/kept")).toMatchObject({ class: "tmp", writes: 1, creates: 1, failures: {} });
    expect(file("/etc/absent")).toMatchObject({ class: "etc", reads: 0, failures: { ENOENT: 1 } });
    expect(telemetry.network.peers).toEqual([
      { kind: "connect", to: { family: "inet", address: "127.0.0.1", port: 9 }, count: 1, failures: { ECONNREFUSED: 1 } },
    ]);
    const kinds = telemetry.timeline?.map(({ kind }) => kind) ?? [];
    expect(kinds.indexOf("fork")).toBeGreaterThanOrEqual(0);
    expect(kinds.indexOf("exec")).toBeGreaterThan(kinds.indexOf("fork"));
    expect(kinds).toContain("connect");
  }, 60_000);

  it("is nobody else's: the interpreter's own start is not in it, nor the run before", async () => {
    const { telemetry } = await python("pass");
    expect(telemetry.processes).toMatchObject({ forks: 0, execs: 0, list: [] });
    expect(telemetry.files.list.map(({ path }) => path)).not.toContain("/tmp/kept");
    expect(telemetry.timeline).toBeNull();
  }, 60_000);

  it("is bounded under a flood, which is counted, and the run's output is whole", async () => {
    const code = "for i in range(20000):\n  try: open(f'/tmp/absent-{i}')\n  except OSError: pass\nprint('done')";
    const output: Uint8Array[] = [];
    const spec = runSpecSchema.parse({ runtime: "python3", code, run_id: newId("run"), tenant: "t", confinement, min_tier: 3, limits: { wall_ms: 60_000 } });
    const { telemetry, status } = await driver.run(spec, { stdout: (chunk) => void output.push(chunk), stderr: () => {} });
    expect([status, Buffer.concat(output).toString()]).toEqual(["completed", "done\n"]);
    expect(telemetry.files.list).toHaveLength(TELEMETRY_BOUNDS.files);
    expect(telemetry.files.opens + telemetry.lost.events).toBeGreaterThanOrEqual(20_000); // each was seen, or is known to be lost
    expect(telemetry.lost.events > 0).toBe(telemetry.flags.includes("events_lost"));
  }, 120_000);
});

describe("messages of a guest's kernel", () => {
  const frame = (onTheWay: number, inTheGuest: number) => Buffer.from([onTheWay, 0, 0, 0, 8, 0, 3, 0, inTheGuest, 0, 0, 0]);

  it("that were dropped are the run's loss, on the way or in the guest, before its end and at it, and not the next run's", () => {
    const account = new GuestAccount();
    account.feed(frame(1, 1)); // before the first run
    account.begin();
    account.feed(frame(1, 3));
    account.feed(frame(4, 3));
    account.feed(Buffer.from([6, 0, 0, 0])); // the supervisor's last word
    expect(account.end()).toMatchObject({ lost: { events: 7 }, flags: ["events_lost"] });
    account.begin();
    account.feed(frame(6, 3));
    expect(account.end()).toMatchObject({ lost: { events: 0 }, flags: [] });
  });

  it("that are junk, cut or endless break nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(2, 3, 4, 7, 10, 11, 24, 99), fc.uint8Array({ maxLength: 300 })), { maxLength: 50 }), (messages) => {
        const account = new GuestAccount();
        account.begin("trace");
        for (const [type, body] of messages) account.feed(Buffer.concat([Buffer.from([0, 0, 0, 0, 8, 0, type, 0, 0, 0, 0, 0]), body]));
        expect(telemetrySchema.safeParse(account.end()).error).toBeUndefined();
      }),
    );
  });
});
