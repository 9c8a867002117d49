import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Hooks, PlastronError } from "@plastron/contracts";
import { assembleHooks } from "@plastron/policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCgroups, removeCgroup } from "../../drivers/local/cgroups.ts";
import { HookProcess } from "../../drivers/local/hook-process.ts";
import { violationOf } from "../../drivers/local/hook-records.ts";
import { runChild } from "../../probes/child.ts";
import { destination, hooked } from "../../testing/hooked.ts";

const BINARY = fileURLToPath(new URL("../build/plastron-hooks", import.meta.url));
const UID = 1_900_000_000;
const { unified } = findCgroups(`plastron-hooks-test-${process.pid}`);
const ready = unified !== "" && process.geteuid?.() === 0;
const confinement = hooked([destination("127.0.0.1", [1, 1])]);
const { hooks } = confinement as { hooks: Hooks };

/** What connecting to port 1 of loopback says in a child of the cgroup. */
async function connect(dir: string): Promise<string> {
  const { stderr } = await runChild("/bin/bash", ["-c", `echo 0 > '${dir}/cgroup.procs' || exit 9; exec 3<>/dev/tcp/127.0.0.1/1`], 3000);
  return /refused/.test(stderr) ? "refused" : /not permitted/.test(stderr) ? "not permitted" : stderr;
}

/** Our own children of that name. */
function loaders(): number[] {
  const isOurs = (pid: string) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return status.startsWith("Name:\tplastron-hooks\n") && status.includes(`\nPPid:\t${process.pid}\n`);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

const kill = (one: HookProcess): Promise<void> => {
  for (const pid of loaders()) process.kill(pid, "SIGKILL");
  return one.gone;
};

describe.runIf(ready)("plastron-hooks [needs: root, the unified cgroup hierarchy]", { timeout: 30_000 }, () => {
  const records: Buffer[] = [];
  const started: HookProcess[] = [];
  const start = async (programs: Hooks = hooks, dir = unified, uid = UID): Promise<HookProcess> => {
    const one = await HookProcess.start(BINARY, dir, uid, programs, (record) => records.push(Buffer.from(record)));
    started.push(one);
    return one;
  };
  beforeEach(() => {
    mkdirSync(`${unified}/box`, { recursive: true });
    records.length = 0;
  });
  afterEach(async () => {
    await Promise.all(started.splice(0).map((one) => one.close()));
    await removeCgroup(unified);
  });

  it("denies in every cgroup below, and has told what it recorded when a flush is answered", async () => {
    expect(await connect(`${unified}/box`)).toBe("refused");
    const one = await start();
    expect(await connect(`${unified}/box`)).toBe("not permitted");
    expect(await one.flush(statSync(`${unified}/box`, { bigint: true }).ino)).toBe(0);
    expect(records.map((record) => violationOf(record, confinement, new Date().toISOString()))).toMatchObject([
      { action: "DENIED", comm: "bash", event: { operation: "Network", type: "connect", ip: "127.0.0.1", port: 1 } },
    ]);
    expect(await one.flush(1n)).toBe(0);
  });

  it("has no privilege left when it is ready", async () => {
    await start();
    const status = readFileSync(`/proc/${loaders()[0]}/status`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\t${UID}\\t${UID}\\t${UID}\\t${UID}$`, "m"));
    for (const set of ["CapPrm", "CapEff", "CapInh"]) expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, "m"));
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  it("leaves its programs in place when it is killed, or ends: they go with the cgroup", async () => {
    for (const end of [(one: HookProcess) => one.close(), kill]) {
      mkdirSync(`${unified}/box`, { recursive: true });
      const one = await start();
      await end(one);
      expect(one.alive).toBe(false);
      expect(await one.flush(1n)).toBe(0);
      expect(await connect(`${unified}/box`)).toBe("not permitted");
      rmdirSync(`${unified}/box`);
      rmdirSync(unified);
      mkdirSync(`${unified}/box`, { recursive: true });
      expect(await connect(`${unified}/box`)).toBe("refused");
    }
  });

  it("counts a flood and does not hand it on", async () => {
    const one = await start();
    const flood = `echo 0 > '${unified}/box/cgroup.procs' || exit 9; for ((i = 0; i < 400; i++)); do (exec 3<>/dev/tcp/127.0.0.1/1) 2> /dev/null; done`;
    await runChild("/bin/bash", ["-c", flood], 20_000);
    const leftOut = await one.flush(statSync(`${unified}/box`, { bigint: true }).ino);
    expect([records.length, leftOut]).toEqual([128, 272]);
    expect(await connect(`${unified}/box`)).toBe("not permitted");
    await one.flush(statSync(`${unified}/box`, { bigint: true }).ino);
    expect(records).toHaveLength(129);
  });

  it("names each step that fails, with the verifier's last words", async () => {
    const failure = (...args: Parameters<typeof start>) => start(...args).catch((error: PlastronError) => error.message);
    const program = (at: string, ...code: number[]) => ({ programs: [{ at, code: Buffer.from(code).toString("base64") }] }) as Hooks;
    const loop = [0x05, 0, 0xff, 0xff, 0, 0, 0, 0];
    expect(await failure(hooks, `${unified}/none`)).toMatch(/open cgroup: No such file or directory/);
    expect(await failure(hooks, unified, 0)).toMatch(/spec: Invalid argument: no uid, or uid 0/);
    expect(await failure(program("connect4", ...loop))).toMatch(/load connect4: Invalid argument: .*(unreachable|loop|exit)/s);
    expect(await failure(program("connect4", 1, 2, 3))).toMatch(/load connect4: Invalid argument/);
    expect(await failure(program("recvmsg4", ...loop))).toMatch(/attach point recvmsg4/);
    expect(await failure(hooks, "/tmp")).toMatch(/attach connect4: Bad file descriptor/);
    expect(loaders()).toEqual([]);
  });

  it("takes two thousand rules that lie over each other, and decides by the right one", async () => {
    const many = Array.from({ length: 2000 }, (_, i) => ({
      ...destination(i % 3 === 0 ? `2001:db8:${(i >> 4).toString(16)}::/${48 + (i % 16)}` : `10.${i & 255}.${i >> 8}.0/${9 + (i % 23)}`, [i + 2, i + 9]),
      rule: i,
    }));
    const rules = [...many, { ...destination("127.0.0.0/8", [1, 1]), rule: 5000 }, { ...destination(null, [60_000, 60_010]), rule: 5001 }];
    const one = await start(assembleHooks({ connects: rules, sockets: [], binds: [], devices: true }) as Hooks);
    expect(await connect(`${unified}/box`)).toBe("not permitted");
    await one.flush(1n);
    expect(records[0]?.readUInt32LE(0)).toBe(5000);
  });
});
