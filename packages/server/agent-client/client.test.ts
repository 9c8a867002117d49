import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_LIMITS, encodeFrame, MAX_FRAME, PLAIN, WIRE } from "@plastron/contracts";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FAKE_COMPILER } from "../testing/harness.ts";
import { HOST, type ScriptedAgent, startScriptedAgent } from "../testing/scripted-agent.ts";
import { AgentClient, type AgentRunRequest } from "./client.ts";

const confinement = FAKE_COMPILER.compileDefault(HOST).confinement;
const request: AgentRunRequest = {
  confinement: { value: confinement, json: JSON.stringify(confinement) },
  spec: {
    ...PLAIN,
    ...{ run_id: "run_1", tenant: "t", runtime: "bash", code: "hello", args: [], env: {}, stdin: "", files: [], collect: [], imports: [] },
    ...{ limits: DEFAULT_LIMITS, min_tier: 1 },
  },
};
const silent = { stdout: () => {}, stderr: () => {} };

describe("with an agent", () => {
  let agent: ScriptedAgent;
  let client: AgentClient;
  beforeEach(async () => {
    agent = await startScriptedAgent();
    client = new AgentClient(agent.path, 2);
    return async () => {
      client.close();
      await agent.stop();
    };
  });

  it("sends the confinement as it is, and gives output as it comes", async () => {
    const chunks: string[] = [];
    const result = await client.run(request, { ...silent, stdout: (chunk) => chunks.push(Buffer.from(chunk).toString()) }).result;
    expect(result.status).toBe("completed");
    expect(chunks.join("")).toBe("hello");
    expect(agent.requests).toEqual([{ op: "run", live_stdin: false, spec: { ...request.spec, confinement } }]);
  });

  it("has a connection ready for the next run, and uses each once", async () => {
    expect((await client.run(request, silent).result).status).toBe("completed");
    await expect.poll(() => agent.connections).toBe(3);
    const second = client.run(request, silent);
    await second.result;
    expect(second.connectUs()).toBe(0);
    await expect.poll(() => agent.connections).toBe(4);
  });

  it("does not repeat a run of which anything was heard", async () => {
    await client.run(request, silent).result;
    let tries = 0;
    agent.script = (scene) => {
      tries++;
      scene.stdout("x");
      setTimeout(() => scene.vanish(), 5);
    };
    await expect(client.run(request, silent).result).rejects.toMatchObject({ code: "agent_unavailable" });
    expect(tries).toBe(1);
  });

  it("goes on with an agent that was restarted", async () => {
    await client.run(request, silent).result;
    await sleep(20);
    const path = agent.path;
    await agent.stop();
    await expect(client.status()).rejects.toMatchObject({ code: "agent_unavailable" });
    agent = await startScriptedAgent(undefined, path);
    expect((await client.run(request, silent).result).status).toBe("completed");
  });
});

describe("with something that is no agent", () => {
  let directory: string;
  let server: Server;
  let client: AgentClient;
  let answer: (socket: Socket) => void;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "plastron-test-noagent-"));
    server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => answer(socket));
    });
    await new Promise<void>((resolve) => server.listen(join(directory, "s"), resolve));
    client = new AgentClient(join(directory, "s"), 0);
  });
  afterEach(async () => {
    client.close();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  });

  it.each<[string, Uint8Array]>([
    ["a frame that is too long", Buffer.from([88, ...new Uint8Array(new Uint32Array([MAX_FRAME + 1]).buffer)])],
    ["a result that is no JSON", encodeFrame(WIRE.result, "{")],
    ["a result of another shape", encodeFrame(WIRE.result, '{"status":"fine"}')],
  ])("%s ends the run with an error", async (_what, bytes) => {
    answer = (socket) => socket.write(bytes);
    await expect(client.run(request, silent).result).rejects.toMatchObject({ code: "agent_unavailable", message: expect.stringContaining("not understood") });
  });

  it("a problem with an unknown code is still a problem", async () => {
    answer = (socket) => socket.write(encodeFrame(WIRE.problem, '{"code":"constructor","detail":"d"}'));
    await expect(client.run(request, silent).result).rejects.toMatchObject({ code: "sandbox_failed", message: "d" });
  });

  it("silence ends when the program's time and a minute are over, and a kill that is ignored after five seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      answer = () => {};
      const silentRun = client.run(request, silent);
      const ignored = client.run(request, silent);
      const outcomes = Promise.allSettled([silentRun.result, ignored.result]);
      ignored.kill("enough");
      vi.advanceTimersByTime(5_001);
      vi.advanceTimersByTime(DEFAULT_LIMITS.wall_ms + 60_000);
      expect((await outcomes).map((outcome) => outcome.status === "rejected" && outcome.reason.message)).toEqual([
        "The agent said nothing for 65000 ms",
        "The agent did not end a killed run",
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("nobody there is said as such", async () => {
    const nowhere = new AgentClient(join(directory, "nobody"), 1);
    await expect(nowhere.run(request, silent).result).rejects.toMatchObject({ code: "agent_unavailable", message: expect.stringContaining("ENOENT") });
    nowhere.close();
  });
});
