import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, MAX_VIOLATIONS, NO_RULES, newId, type RunSpec, runSpecSchema, type WatchedRule } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { denied, watched } from "../../testing/watched.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";
import { watchRecords } from "./watch.ts";

const UIDS = 1_900_300_000;
const EPERM = 1;
const ENOENT = 2;
const RULES: WatchedRule[] = [
  { id: "no-raw", path: "spec.a", enforcer: "BPF", operation: "network", subject: "" },
  { id: "no-getppid", path: "spec.b", enforcer: "Seccomp", operation: "syscall", subject: "" },
  { id: "no-ptrace", path: "spec.c", enforcer: "BPF", operation: "ptrace", subject: "" },
  { id: "cap", path: "spec.d", enforcer: "AppArmor", operation: "capability", subject: "net_raw" },
];
type Call = Confinement["watch"]["calls"][number];
type Condition = Call["entries"][number]["when"][number];
const when = (
  index: Condition["index"],
  op: Condition["op"],
  value: number | bigint,
  mask: number | bigint = 0,
  width: Condition["width"] = 32,
): Condition => ({
  index,
  width,
  op,
  mask: String(mask),
  value: String(value),
});
const getppid: Call = { name: "getppid", number: 110, entries: [{ when: [], errno: EPERM, rule: 1 }], otherwise: 0 };
const DENY_GETPPID = watched({ calls: [getppid] }, { rules: RULES });
const limits = (more: object) => runSpecSchema.pick({ limits: true }).parse({ limits: { wall_ms: 60_000, ...more } }) as Partial<RunSpec>;
const CALL =
  "import ctypes, errno\nl = ctypes.CDLL(None, use_errno=True)\ndef call(*a):\n  r = l.syscall(*[ctypes.c_long(x) for x in a]); return 0 if r >= 0 else ctypes.get_errno()\n";

/** Processes outside of every sandbox that have one of this test's uids. */
function watchers(): number[] {
  const status = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/status`, "utf8");
    } catch {
      return "";
    }
  };
  const mine = (text: string) =>
    /^Name:\twatcher$/m.test(text) && Number(/^Uid:\t(\d+)/m.exec(text)?.[1]) - UIDS < 10_000 && Number(/^Uid:\t(\d+)/m.exec(text)?.[1]) >= UIDS;
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && mine(status(pid)))
    .map(Number);
}

describe.skipIf(localDriverMissing() !== null || process.arch !== "x64")("watched calls [needs: root, x86_64]", () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-watch-"));
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openLocalDriver({ home, uidBase: UIDS }, { zygoteCores: 0.0001 });
  });
  afterAll(async () => {
    await driver.close();
    expect(watchers()).toEqual([]);
    rmSync(home, { recursive: true });
  });

  it("cost nothing where nothing is watched: no listener, no watcher", async () => {
    expect(watchRecords({ ...NO_RULES, id: "0" })).toEqual([]);
    const before = watchers();
    await bench(driver, watched({})).python("pass");
    expect(watchers()).toEqual(before);
  });

  it("are decided by the first entry that fits, on the bits that the kernel looks at, and recorded by the first with a rule", async () => {
    const high = 1n << 32n;
    const socket: Call = {
      name: "socket",
      number: 41,
      entries: [
        { when: [when(0, "eq", 17)], errno: EPERM, rule: 0 },
        { when: [when(0, "eq", 2), when(1, "masked_eq", 3, 0xf)], errno: EPERM, rule: 0 },
        { when: [when(1, "any_bits", 0, 0o4000)], errno: 0, rule: null },
        { when: [when(0, "ge", 10), when(0, "le", 11)], errno: 0, rule: 3 },
        { when: [when(0, "ne", 1)], errno: 0, rule: null },
      ],
      otherwise: ENOENT,
    };
    const rules = watched({ calls: [socket, getppid] }, { rules: RULES });
    const calls = [`17, 3, 0`, `${17n + high}, 3, 0`, `2, ${3 | 0o2000000}, 1`, `2, 1, 0`, `10, 2, 17`, `1, 1, 0`, `1, ${1 | 0o4000}, 0`];
    const ran = await bench(driver, rules).python(`${CALL}for a in (${calls.map((a) => `(${a})`).join(",")}): print(call(41, *a))`);
    expect(ran.stdout.trim().split("\n")).toEqual(["1", "1", "1", "0", "0", "2", "0"]);
    const packet = { operation: "Network", type: "socket", domain: "AF_PACKET", socketType: "SOCK_RAW", protocol: "0" };
    expect(ran.violations.map(({ rule_id, action, event }) => [rule_id, action, event])).toEqual([
      ["no-raw", "DENIED", packet],
      ["no-raw", "DENIED", packet],
      ["no-raw", "DENIED", { ...packet, domain: "AF_INET", protocol: "IPPROTO_ICMP" }],
      ["cap", "AUDIT", { operation: "Capability", capability: "net_raw" }],
    ]);
    expect(ran.violations[0]).toMatchObject({ enforcer: "BPF", comm: "python3", rule_path: "spec.a", mnt_ns_id: expect.any(Number) });
  });

  it("that mount are recorded with what the caller's memory said: source, type and flags, whatever the pointers are", async () => {
    const numbers = { mount: 165, umount2: 166, move_mount: 429, fsopen: 430, pivot_root: 155 };
    const rules: WatchedRule[] = [{ id: "no-mount", path: "spec.m", enforcer: "BPF", operation: "mount", subject: "" }];
    const calls = Object.entries(numbers).map(([name, number]): Call => ({ name, number, entries: [{ when: [], errno: EPERM, rule: 0 }], otherwise: 0 }));
    const program = `${CALL}
import mmap
def p(text): return ctypes.cast(ctypes.c_char_p(text), ctypes.c_void_p).value
page = mmap.mmap(-1, 8192)
edge = ctypes.addressof(ctypes.c_char.from_buffer(page)) + 4096
ctypes.memmove(edge - 4, b"end", 4)
l.mprotect(ctypes.c_void_p(edge), ctypes.c_long(4096), 0)
src, proc, big = b"/src/\\xff", b"proc", b"x" * 9000
print([call(165, p(src), p(b"/tmp"), p(proc), 0x5000, 0), call(165, 0, p(b"/tmp"), p(proc), 0, 0), call(165, 1, p(b"/tmp"), 1 << 62, 0x20, 0),
  call(165, p(big), p(b"/tmp"), edge - 4, 0, 0), call(165, edge - 1, p(b"/tmp"), edge, 0, 0), call(166, p(b"/proc"), 2),
  call(429, -100, p(b"from"), -100, p(b"/to"), 0), call(430, p(proc), 0), call(155, p(b"/a"), p(b"/b"))])`;
    const ran = await bench(driver, watched({ calls }, { rules })).python(program);
    expect(ran.stdout).toBe(`[${Array(9).fill(EPERM).join(", ")}]\n`);
    const mount = (path: string, type: string, ...flags: string[]) => ({ operation: "Mount", path, type, flags });
    expect(ran.violations.map(({ event }) => event)).toEqual([
      mount("/src/\ufffd", "proc", "bind", "rec"),
      mount("", "proc", "new"),
      mount("", "", "remount"),
      mount("x".repeat(4096), "end", "new"),
      mount("", "", "new"),
      mount("/proc", "", "umount"),
      mount("from", "", "move"),
      mount("", "proc"),
      mount("", ""),
    ]);
  });

  it("are recorded for children of zygotes too, which answer as soon as others", async () => {
    const { python } = bench(driver, DENY_GETPPID);
    const code = `${CALL}print(call(110))`;
    let ran = await python(code);
    for (let i = 0; i < 150 && ran.sandbox.source !== "zygote"; i++) {
      await new Promise((later) => setTimeout(later, 40));
      ran = await python(code);
    }
    expect(ran).toMatchObject({ stdout: "1\n", sandbox: { source: "zygote" }, violations_dropped: 0 });
    expect(ran.violations.map(({ rule_id, event }) => [rule_id, "syscall" in event && event.syscall])).toEqual([["no-getppid", "getppid"]]);
  }, 60_000);

  it("are counted and no longer told when they are a flood, and end by the wall clock like any program", async () => {
    const { python } = bench(driver, DENY_GETPPID);
    const flood = await python(`${CALL}n = ctypes.c_long(110)\nfor i in range(200_000): l.syscall(n)`, limits({}));
    expect(flood).toMatchObject({ status: "completed" });
    expect(flood.violations).toHaveLength(MAX_VIOLATIONS);
    expect(flood.violations.length + flood.violations_dropped).toBe(200_000);
    const endless = await python(`${CALL}n = ctypes.c_long(110)\nwhile True: l.syscall(n)`, limits({ wall_ms: 700 }));
    expect(endless.status).toBe("timed_out");
    expect(endless.usage.wall_ms).toBeLessThan(3000);
  }, 60_000);

  it("hide none of another rule behind their flood", async () => {
    const getpgid: Call = { name: "getpgid", number: 121, entries: [{ when: [], errno: EPERM, rule: 2 }], otherwise: 0 };
    const { python } = bench(driver, watched({ calls: [getppid, getpgid] }, { rules: RULES }));
    const ran = await python(`${CALL}n = ctypes.c_long(110)\nfor i in range(20_000): l.syscall(n)\nfor i in range(5): call(121, 0)`, limits({}));
    expect(ran.violations.map(({ rule_id }) => rule_id).slice(99)).toEqual(["no-getppid", "no-ptrace", "no-ptrace", "no-ptrace"]);
    expect(ran.violations.length + ran.violations_dropped).toBe(20_005);
  }, 60_000);

  it("are counted anew for each run of a session", async () => {
    const limitsOf = runSpecSchema.shape.limits.parse({});
    const session = await driver.openSession({
      session_id: newId("session"),
      tenant: "ten_conformance",
      runtime: "python3",
      limits: limitsOf,
      imports: [],
      confinement: DENY_GETPPID,
      min_tier: 1,
    });
    const { inSession } = bench(driver, DENY_GETPPID);
    const run = (times: number) => inSession(session, { runtime: "python3", code: `${CALL}for i in range(${times}): call(110)` });
    expect((await run(150)).violations_dropped).toBe(50);
    expect(await run(2)).toMatchObject({ violations: [{ rule_id: "no-getppid" }, { rule_id: "no-getppid" }], violations_dropped: 0 });
    await session.close("done");
  }, 30_000);

  it("fail, and the run with them, when their watcher dies: nothing passes unwatched", async () => {
    const rules = watched({ calls: [getppid], paths: [denied("/workspace/secret**")] }, { rules: RULES });
    const { watch } = bench(driver, rules);
    const before = new Set(watchers());
    const program = `${CALL}import time, os\nopen('/workspace/secret', 'w') if 0 else None\nprint('up', flush=True)\ntime.sleep(30)\nprint('passed')`;
    const ran = await watch({ runtime: "python3", code: program }, (text) => {
      if (!text.includes("up")) return;
      for (const pid of watchers()) if (!before.has(pid)) process.kill(pid, "SIGKILL");
    });
    expect(ran).toMatchObject({ status: "killed", reason: "the watcher of its calls has ended" });
    expect(ran.stdout).not.toContain("passed");
  }, 30_000);
});
