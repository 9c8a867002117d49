import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Denial, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canSee, openSeeing, type Seeing } from "../../testing/seen.ts";

const { confinement, explain } = compileDefault(TYPICAL_HOST);
const home = mkdtempSync(join(tmpdir(), "plastron-seen-stacks-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const PYTHON = `
import os
def outer():
  inner()
def inner():
  os.mkdir("/usr/denied")
try: outer()
except OSError as e: print(e.errno)`;
const NODE = `const fs = require("node:fs");
function inner() {
  fs.mkdirSync("/usr/denied");
}
function outer() {
  inner();
}
try { outer(); } catch (error) { console.log(error.code); }`;
/** What the program's own frames are: the platform's and Node's own are left out or stand around them. */
const own = (file: string) => (denials: Denial[]) =>
  denials
    .find(({ path }) => path === "/usr/denied")
    ?.stack?.frames.filter((frame) => frame.file === file)
    .map((frame) => `${frame.function}:${frame.line}`) ?? [];
const RUNS = 20;

describe.runIf(await canSee())("the stack of a denied call [needs: root, the sensor]", { timeout: 120_000 }, () => {
  let seeing: Seeing;
  beforeAll(async () => {
    seeing = await openSeeing({ home }, confinement);
  }, 60_000);
  afterAll(() => seeing.close(), 60_000);

  it.each([
    ["python3", PYTHON, own("/workspace/main.py"), ["inner:6", "outer:4", "<module>:7"]],
    ["nodejs", NODE, own("/workspace/main.js"), ["inner:3", "outer:6"]],
  ] as const)("of %s names functions and lines, from the first run on", async (runtime, code, framesOf, expected) => {
    const seen: string[][] = [];
    const reasons: (string | null | undefined)[] = [];
    for (let run = 0; run < RUNS; run++) {
      const { telemetry, status, stdout } = await seeing.run({ runtime, code });
      expect([status, stdout.trim()]).toEqual(["completed", expect.stringMatching(/^(30|EROFS|13|EACCES|1|EPERM)$/)]);
      const frames = framesOf(telemetry.denials);
      if (frames.length === 0) reasons.push(telemetry.denials.find(({ path }) => path === "/usr/denied")?.stack?.incomplete);
      else seen.push(frames);
    }
    expect(seen.length, `without: ${reasons.join("; ")}`).toBeGreaterThanOrEqual(RUNS - 1);
    for (const frames of seen) expect(frames.slice(0, expected.length)).toEqual(expected);
  });

  it("is the program's own where a library made the same call before", async () => {
    const code = `
import socket, time
try: socket.getaddrinfo("localhost", 80, flags=socket.AI_ADDRCONFIG)
except OSError: pass
time.sleep(0.05)
def sniff():
  try: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)
  except OSError: pass
sniff()`;
    const runs = [];
    for (let tries = 0; tries < 5; tries++) runs.push(await seeing.run({ runtime: "python3", code }));
    for (const { telemetry } of runs) {
      const sockets = telemetry.denials.filter(({ call }) => call === "socket");
      expect(sockets.map(({ arguments: [family], count }) => [family, count])).toEqual([
        ["0x10", expect.any(Number)],
        ["0x11", 1],
      ]);
      // A library's question is no violation; the program's own is one, of its own call.
      expect(sockets.map((denial) => explain(denial)).map((why) => [why?.isProbe, why?.event])).toEqual([
        [true, expect.anything()],
        [false, { operation: "Capability", capability: "net_raw" }],
      ]);
    }
    const sniffed = runs.flatMap(({ telemetry }) =>
      telemetry.denials.filter(({ arguments: [family] }) => family === "0x11").flatMap(({ stack }) => stack?.frames ?? []),
    );
    expect(sniffed).toContainEqual({ language: "python", function: "sniff", file: "/workspace/main.py", line: 7 });
  });
});
