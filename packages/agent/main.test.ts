import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileDefault } from "@plastron/policy";
import { hostFacts } from "@plastron/sandbox";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sessionSpec, spec } from "./testing/fake-driver.ts";
import { ask, peer, summary } from "./testing/peer.ts";

const MAIN = join(import.meta.dirname, "main.ts");
const home = mkdtempSync(join(tmpdir(), "plastron-daemon-"));
const socket = join(home, "agent", "agent.sock");
const started: ChildProcess[] = [];
let confinement: ReturnType<typeof compileDefault>["confinement"];
beforeAll(async () => {
  confinement = compileDefault(await hostFacts()).confinement;
});
afterEach(() => {
  for (const child of started) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

interface Daemon {
  child: ChildProcess;
  ready: { event: string; driver: string; tier: number; pid: number };
  stderr: () => string;
}

async function daemon(env: Record<string, string> = {}): Promise<Daemon> {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, PLASTRON_HOME: home, ...env }, stdio: "pipe" });
  started.push(child);
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const line = await Promise.race([once(child.stdout, "data").then(([chunk]) => String(chunk)), once(child, "exit").then(() => "")]);
  if (line === "") throw new Error(`the daemon did not start: ${errors}`);
  return { child, ready: JSON.parse(line), stderr: () => errors };
}

async function gone({ child }: Daemon): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

const bash = (code: string, more = {}) => ({ op: "run", spec: spec(code, { runtime: "bash", confinement, ...more }) });

describe.each(["bubblewrap", "local"])("the daemon over the %s driver", (driver) => {
  const usable = driver === "bubblewrap" || process.geteuid?.() === 0;

  it(`serves runs and leaves on SIGTERM when they are done [needs: ${driver}]`, async ({ skip }) => {
    if (!usable) skip();
    const one = await daemon({ PLASTRON_DRIVER: driver });
    expect(one.ready).toEqual({ event: "ready", driver, tier: 2, pid: one.child.pid });
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await ask(socket, bash("echo hello; echo err >&2; exit 3"))).toMatchObject({ text: "hello\n", last: { status: "failed", exit_code: 3 } });
    expect((await ask(socket, { op: "status" })).last).toMatchObject({ driver, tier: 2, pid: one.child.pid });
    const running = ask(socket, bash("sleep 0.7; echo finished"));
    await expect.poll(async () => (await ask(socket, { op: "status" })).last.running, { timeout: 5000 }).toBe(1);
    one.child.kill("SIGTERM");
    expect((await running).text).toBe("finished\n");
    expect(await gone(one)).toBe(0);
    expect(one.stderr()).not.toContain("could not close");
  });

  it(`killed under load leaves no process and no cgroup to the next [needs: ${driver} as root]`, { timeout: 180_000 }, async ({ skip }) => {
    if (!usable || process.geteuid?.() !== 0) skip();
    const marker = `plastron-load-${driver}-${process.pid}`;
    const rounds = driver === "local" ? 20 : 5;
    for (let round = 0; round < rounds; round++) {
      const one = await daemon({ PLASTRON_DRIVER: driver, PLASTRON_WARM: "bash=1" });
      const load = await Promise.all(Array.from({ length: 6 }, () => peer(socket)));
      for (const peer of load)
        peer.send(
          "Q",
          JSON.stringify(bash(`(exec -a ${marker} sleep 300) & exec -a ${marker} sleep 300`, { limits: { ...spec("").limits, wall_ms: 60_000 } })),
        );
      await expect.poll(() => processesNamed(marker), { timeout: 10_000 }).toBeGreaterThan(round % 3);
      one.child.kill("SIGKILL");
      await gone(one);
      await expect.poll(() => processesNamed(marker), { timeout: 5000 }).toBe(0);
    }
    const last = await daemon({ PLASTRON_DRIVER: driver });
    expect((await ask(socket, bash("echo still fine"))).text).toBe("still fine\n");
    last.child.kill("SIGTERM");
    expect(await gone(last)).toBe(0);
    expect(mountsUnder(home)).toEqual([]);
  });
});

describe("the daemon", () => {
  it("answers about the host, and doctors", async () => {
    const one = await daemon();
    expect((await ask(socket, { op: "host" })).last).toMatchObject({ tier: 2, user_namespaces: true });
    const doctors = await Promise.all([ask(socket, { op: "doctor" }), ask(socket, { op: "doctor" })]);
    expect(doctors[0].last).toEqual(doctors[1].last);
    expect(doctors[0].last.tier).toBeGreaterThanOrEqual(2); // 3 where gVisor is installed
    one.child.kill("SIGTERM");
    await gone(one);
  });

  it("puts the operator's consent and cluster into what it says of the host", async () => {
    const cluster = join(home, "cluster.yaml");
    writeFileSync(cluster, "self: [10.0.0.7]");
    const one = await daemon({ PLASTRON_PERMISSIVE: "1", PLASTRON_CLUSTER_ADDRESSES: cluster });
    expect((await ask(socket, { op: "host" })).last).toMatchObject({ permissive: true, cluster: { services: [], pods: [], self: ["10.0.0.7"] } });
    one.child.kill("SIGTERM");
    await gone(one);
  });

  it("keeps a session's state, and another tenant out of it [needs: root]", async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip();
    const one = await daemon({ PLASTRON_DRIVER: "local" });
    const say = (code: string, tenant = "ten_a") => ask(socket, { op: "session.run", session_id: "ses_x", tenant, spec: spec(code, { confinement }) });
    expect((await ask(socket, { op: "session.open", ...sessionSpec("ses_x"), confinement, ttl_ms: 60_000 })).last).toEqual({ session_id: "ses_x" });
    await say("x = 41");
    expect((await say("print(x + 1)")).text).toBe("42\n");
    expect((await say("print(x)", "ten_b")).last).toMatchObject({ code: "not_found" });
    one.child.kill("SIGTERM");
    expect(await gone(one)).toBe(0);
  });

  it("leaves when the one who holds its lifeline does", async () => {
    const one = await daemon({ PLASTRON_LIFELINE: "stdin", PLASTRON_DRIVER: "bubblewrap" });
    const hanging = await peer(socket);
    hanging.send("Q", JSON.stringify(bash("sleep 60", { limits: { ...spec("").limits, wall_ms: 60_000 } })));
    await expect.poll(() => summary(hanging.frames).types, { timeout: 5000 }).toBe("S");
    one.child.stdin?.end();
    expect(await gone(one)).toBe(0);
  });

  it("says why it does not start", async () => {
    await expect(daemon({ PLASTRON_WARM: "nonsense" })).rejects.toThrow("PLASTRON_WARM");
    const cluster = join(home, "wrong-cluster.yaml");
    await expect(daemon({ PLASTRON_CLUSTER_ADDRESSES: cluster })).rejects.toThrow(/PLASTRON_CLUSTER_ADDRESSES: .*no such file.*wrong-cluster\.yaml/);
    writeFileSync(cluster, "self: [10.0.0.256]");
    await expect(daemon({ PLASTRON_CLUSTER_ADDRESSES: cluster })).rejects.toThrow(/PLASTRON_CLUSTER_ADDRESSES: .*cluster\.yaml: line 1, column 8: self\[0\]/);
  });

  it("does not start twice, and takes no living agent's sandboxes for leftovers", async () => {
    const one = await daemon({ PLASTRON_DRIVER: "bubblewrap" });
    const running = peer(socket);
    (await running).send("Q", JSON.stringify(bash("sleep 3; echo undisturbed")));
    await expect.poll(async () => summary((await running).frames).types, { timeout: 5000 }).toBe("S");
    await expect(daemon({ PLASTRON_DRIVER: "bubblewrap" })).rejects.toThrow("already listening");
    expect(summary(await (await running).closed).text).toBe("undisturbed\n");
    one.child.kill("SIGTERM");
    await gone(one);
  });

  it("refuses state that belongs to someone else [needs: root]", async ({ skip }) => {
    if (process.geteuid?.() !== 0) skip();
    const theirs = mkdtempSync(join(tmpdir(), "plastron-theirs-"));
    try {
      execFileSync("install", ["-d", "-o", "1234567", join(theirs, "sandboxes")]);
      await expect(daemon({ PLASTRON_HOME: theirs })).rejects.toThrow("agent's own user");
    } finally {
      rmSync(theirs, { recursive: true, force: true });
    }
  });
});

function processesNamed(marker: string): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(marker);
    } catch {
      return false;
    }
  }).length;
}

function mountsUnder(path: string): string[] {
  return existsSync(path)
    ? readFileSync("/proc/self/mounts", "utf8")
        .split("\n")
        .filter((line) => line.includes(path))
    : [];
}
