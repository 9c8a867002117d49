import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostFacts, MAX_VIOLATIONS, TELEMETRY_BOUNDS, type Tier, TYPICAL_HOST } from "@plastron/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Agent, startAgent } from "./agent.ts";
import { confinement, FakeDriver, sessionSpec, spec } from "./testing/fake-driver.ts";
import { ask, type Peer, peer, summary } from "./testing/peer.ts";

let home: string;
let socket: string;
let driver: FakeDriver;
let agent: Agent | undefined;
let logged: string[];

async function restart(permissive: boolean, runNetwork: "allow" | "deny" = "allow"): Promise<void> {
  await agent?.close(0);
  const never = () => Promise.reject(new Error("not asked for"));
  const hostFacts = async (tier: Tier): Promise<HostFacts> => ({ ...TYPICAL_HOST, tier });
  const parts = { driver, doctor: never, hostFacts, permissive, runNetwork, log: (message: string) => void logged.push(message) };
  agent = await startAgent(async () => parts, { socket, serverUid: process.geteuid?.() ?? 0 });
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "plastron-agent-"));
  socket = join(home, "agent", "agent.sock");
  driver = new FakeDriver();
  logged = [];
  await restart(false);
});
afterEach(async () => {
  await agent?.close(0);
  rmSync(home, { recursive: true, force: true });
});

const run = (code: string, more = {}) => ask(socket, { op: "run", spec: spec(code), ...more });

describe("a run", () => {
  it("is streamed and ends with its result", async () => {
    const { types, text, last } = await run("print");
    expect(types).toBe("SOEX");
    expect(text).toBe("out");
    expect(last).toMatchObject({ status: "completed", stdout: "", phases_us: { made_up: 1 } });
  });

  it("tells each violation as it happens, and no more than a run may record", async () => {
    const one = await peer(socket);
    one.send("Q", JSON.stringify({ op: "run", spec: spec("violate") }));
    const told = (await one.closed).filter(({ type }) => type === "V").map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
    expect(told).toHaveLength(MAX_VIOLATIONS);
    expect(told[0]).toMatchObject({ rule_id: "disable-access-shadow", action: "DENIED", event: { operation: "File", path: "/etc/shadow0" } });
  });

  it("tells each denied call that the sensor saw as it happens, and no more than its record holds", async () => {
    const one = await peer(socket);
    one.send("Q", JSON.stringify({ op: "run", spec: spec("violate") }));
    const told = (await one.closed).filter(({ type }) => type === "D").map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
    expect(told.map(({ t_us }) => t_us)).toEqual(Array.from({ length: TELEMETRY_BOUNDS.denials }, (_, i) => i));
  });

  it("is killed with the reason that the server gives", async () => {
    const one = await peer(socket);
    one.send("Q", JSON.stringify({ op: "run", spec: spec("hang") }));
    await expect.poll(() => driver.running).toBe(1);
    one.send("K", "cancelled by the user");
    expect(summary(await one.closed).last).toMatchObject({ status: "killed", reason: "cancelled by the user" });
  });

  it("is killed when the server goes away without a word", async () => {
    for (const leave of ["destroy", "end"] as const) {
      const one = await peer(socket);
      one.send("Q", JSON.stringify({ op: "run", spec: spec("hang") }));
      await expect.poll(() => driver.running).toBe(1);
      one.socket[leave]();
      await expect.poll(() => driver.running).toBe(0);
    }
    expect(driver.reasons).toEqual(["the client went away", "the client went away"]);
  });

  it("gets live input in order, more than is ever held", async () => {
    const one = await peer(socket);
    one.send("Q", JSON.stringify({ op: "run", spec: spec("echo"), live_stdin: true }));
    for (let i = 0; i < 64; i++) one.send("I", Buffer.alloc(65_536, 65 + (i % 26)));
    one.send("Z");
    const { text } = summary(await one.closed);
    expect(text.length).toBe(64 * 65_536 + 3);
    expect([text[0], text[65_536], text.at(-4)]).toEqual(["A", "B", String.fromCharCode(65 + (63 % 26))]);
  });

  it("of a slow reader is slowed down, not kept in memory", async () => {
    const one = await peer(socket);
    one.socket.pause();
    one.send("Q", JSON.stringify({ op: "run", spec: spec("flood") }));
    await expect.poll(() => driver.chunks).toBeGreaterThan(1);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const held = driver.chunks;
    expect(held).toBeLessThan(64);
    one.socket.resume();
    await expect.poll(() => driver.chunks, { timeout: 10_000 }).toBe(600);
    expect(summary(await one.closed).text.length).toBe(600 * 65_536 + 3);
  });

  it("that finds no place says when to come back", async () => {
    expect(await run("overload")).toMatchObject({ type: "P", last: { code: "overloaded", status: 503, retry_after_s: 3 } });
  });

  it("that fails for a reason unknown tells the server nothing of the inside, and the log everything", async () => {
    const { last } = await run("crash");
    expect(last).toMatchObject({ code: "internal" });
    expect(JSON.stringify(last)).not.toContain("secret");
    expect(logged).toContain("request failed");
  });
});

describe("bad input", () => {
  const hangThenSend = (one: Peer, type: string) => {
    one.send("Q", JSON.stringify({ op: "run", spec: spec("hang") }));
    one.send(type, "{}");
  };
  const cases: [string, (one: Peer) => void, string][] = [
    ["a request that is not JSON", (one) => one.send("Q", "{oops"), "invalid_json"],
    ["a request that is not UTF-8", (one) => one.send("Q", new Uint8Array([0xff, 0xfe])), "invalid_json"],
    ["an unknown operation", (one) => one.send("Q", JSON.stringify({ op: "rm" })), "invalid_request"],
    [
      "a path that climbs out",
      (one) => one.send("Q", JSON.stringify({ op: "run", spec: spec("x", { files: [{ path: "../x", content: "", encoding: "utf8", executable: false }] }) })),
      "invalid_request",
    ],
    ["a frame out of turn", (one) => one.send("K", "now"), "invalid_request"],
    ["input that was not announced", (one) => hangThenSend(one, "I"), "invalid_request"],
    ["two requests", (one) => hangThenSend(one, "Q"), "invalid_request"],
    ["a frame that says it is endless", (one) => void one.socket.write(new Uint8Array([81, 255, 255, 255, 255])), "payload_too_large"],
  ];

  it.each(cases)("%s gets a problem, ends its connection, and no other", async (_, misbehave, code) => {
    const one = await peer(socket);
    misbehave(one);
    expect(summary(await one.closed)).toMatchObject({ type: "P", last: { code } });
    await expect.poll(() => driver.running).toBe(0);
    expect((await run("print")).types).toBe("SOEX");
  });

  it("names the field that is wrong", async () => {
    const { last } = await ask(socket, { op: "run", spec: { ...spec("x"), runtime: "cobol" } });
    expect(last.errors).toContainEqual(expect.objectContaining({ path: "spec.runtime" }));
  });

  it("of a thousand connections that say nothing does not keep others out", async () => {
    const silent = await Promise.all(Array.from({ length: 200 }, () => peer(socket)));
    expect((await run("print")).types).toBe("SOEX");
    for (const one of silent) one.socket.destroy();
  });
});

describe("a session", () => {
  const open = (id: string, ttl_ms = 60_000) => ask(socket, { op: "session.open", ...sessionSpec(id), ttl_ms });
  const use = (id: string, tenant = "ten_a") => ask(socket, { op: "session.run", session_id: id, tenant, spec: spec("print") });
  const close = (id: string, tenant = "ten_a") => ask(socket, { op: "session.close", session_id: id, tenant });

  it("is opened, used and closed", async () => {
    expect((await open("ses_1")).last).toEqual({ session_id: "ses_1" });
    expect((await use("ses_1")).types).toBe("SOEX");
    expect((await ask(socket, { op: "status" })).last).toMatchObject({ sessions: 1, driver: "fake", pid: process.pid });
    expect((await close("ses_1")).last).toEqual({});
    expect(driver.sessions.get("ses_1")?.alive).toBe(false);
    expect((await use("ses_1")).last).toMatchObject({ code: "session_gone" });
    expect((await close("ses_1")).last).toEqual({});
  });

  it("of another tenant is as one that never was", async () => {
    await open("ses_1");
    const other = (await use("ses_1", "ten_b")).last;
    const none = (await use("ses_2", "ten_b")).last;
    expect(other).toEqual(none);
    expect(other).toMatchObject({ code: "not_found" });
    expect((await close("ses_1", "ten_b")).last).toEqual((await close("ses_2", "ten_b")).last);
    expect((await use("ses_1")).type).toBe("X");
    await close("ses_1");
    expect((await use("ses_1", "ten_b")).last).toMatchObject({ code: "not_found" });
  });

  it("cannot be opened twice under one id", async () => {
    await open("ses_1");
    expect((await open("ses_1")).last).toMatchObject({ code: "conflict" });
    expect((await use("ses_1")).type).toBe("X");
  });

  it("ends when its time to live is over", async () => {
    await open("ses_1", 1000);
    await expect.poll(() => driver.sessions.get("ses_1")?.alive, { timeout: 3000 }).toBe(false);
    expect((await use("ses_1")).last).toMatchObject({ code: "session_gone" });
  });

  it("that died of itself is gone, not lost", async () => {
    await open("ses_1");
    (driver.sessions.get("ses_1") as { alive: boolean }).alive = false;
    expect((await use("ses_1")).last).toMatchObject({ code: "session_gone" });
    expect((await ask(socket, { op: "status" })).last.sessions).toBe(0);
  });

  it("does not outlive the agent", async () => {
    await open("ses_1");
    await agent?.close(0);
    expect(driver.sessions.get("ses_1")).toMatchObject({ alive: false, closedFor: "the agent is shutting down" });
  });
});

describe("what the operator must consent to", () => {
  const lifted = { ...confinement, user_namespaces: true, capabilities: ["sys_admin"] };

  it("is refused for runs and sessions, whatever the server says, and given with the consent", async () => {
    const attempt = () => run("print", { spec: spec("print", { confinement: lifted }) });
    const refusal = {
      type: "P",
      last: { code: "forbidden", detail: expect.stringContaining("user namespaces, capability sys_admin"), hint: expect.stringContaining("--permissive") },
    };
    expect(await attempt()).toMatchObject(refusal);
    expect(await ask(socket, { op: "session.open", ...sessionSpec("ses_1"), confinement: lifted, ttl_ms: 60_000 })).toMatchObject(refusal);
    expect(driver.sessions.size).toBe(0);
    await restart(true);
    expect((await attempt()).type).toBe("X");
  });

  it("never covers the weak parts of the demo", async () => {
    await restart(true);
    expect((await run("print", { spec: spec("print", { confinement: { ...confinement, weak: { seccomp: true } } }) })).last).toMatchObject({
      code: "forbidden",
    });
  });
});

describe("a network that a run asked for", () => {
  const asked = {
    ...confinement,
    rules: [{ id: "network.allow", path: "network.allow", enforcer: "NetworkProxy" as const, operation: "network" as const, subject: "" }],
  };

  it("is refused where the operator lets no run ask, whatever the server says", async () => {
    const attempt = async () => (await run("print", { spec: spec("print", { confinement: asked }) })).type;
    expect(await attempt()).toBe("X");
    await restart(false, "deny");
    const refusal = { type: "P", last: { code: "forbidden", detail: expect.stringContaining("network") } };
    expect(await run("print", { spec: spec("print", { confinement: asked }) })).toMatchObject(refusal);
    expect(await ask(socket, { op: "session.open", ...sessionSpec("ses_1"), confinement: asked, ttl_ms: 60_000 })).toMatchObject(refusal);
  });
});

describe("a run that is held", () => {
  it("is held and let go on by the driver, for its own tenant", async () => {
    expect((await ask(socket, { op: "run.freeze", run_id: "run_1", tenant: "ten_b" })).last).toMatchObject({ code: "not_found" });
    expect((await ask(socket, { op: "run.freeze", run_id: "run_1", tenant: "ten_a" })).last).toEqual({});
    expect(driver.held).toEqual(["run_1"]);
    expect((await ask(socket, { op: "run.thaw", run_id: "run_1", tenant: "ten_a" })).last).toEqual({});
    expect(driver.held).toEqual([]);
  });
});

describe("a confinement that no policy has any more", () => {
  it("is given up by the driver", async () => {
    expect((await ask(socket, { op: "retire", confinement: "a".repeat(64) })).last).toEqual({});
    expect(driver.retired).toEqual(["a".repeat(64)]);
    expect((await ask(socket, { op: "retire", confinement: "../x" })).last).toMatchObject({ code: "invalid_request" });
  });
});

describe("leaving", () => {
  it("lets what runs finish and takes nothing new", async () => {
    const one = await peer(socket);
    const late = await peer(socket);
    one.send("Q", JSON.stringify({ op: "run", spec: spec("echo"), live_stdin: true }));
    await expect.poll(() => driver.running).toBe(1);
    const left = (agent as Agent).close(10_000);
    late.send("Q", JSON.stringify({ op: "run", spec: spec("print") }));
    expect(summary(await late.closed).last).toMatchObject({ code: "overloaded", retry_after_s: 2 });
    expect(driver.closed).toBe(false);
    one.send("Z");
    expect(summary(await one.closed).last).toMatchObject({ status: "completed" });
    await left;
    expect(driver.closed).toBe(true);
    await expect(peer(socket)).rejects.toThrow();
  });

  it("kills what does not finish in time", async () => {
    const one = await peer(socket);
    one.send("Q", JSON.stringify({ op: "run", spec: spec("hang") }));
    await expect.poll(() => driver.running).toBe(1);
    await agent?.close(50);
    expect([driver.running, driver.closed]).toEqual([0, true]);
  });
});

describe("questions", () => {
  it("about the host are answered", async () => {
    expect((await ask(socket, { op: "host" })).last).toMatchObject({ arch: "x86_64", tier: 1 });
    expect((await ask(socket, { op: "host", min_tier: 3 })).last).toMatchObject({ tier: 3 });
    expect((await ask(socket, { op: "doctor" })).last).toMatchObject({ code: "internal" });
  });
});
