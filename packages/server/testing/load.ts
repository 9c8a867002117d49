/**
 * What one run costs the server, with an agent that answers at once: `node packages/server/testing/load.ts [seconds] [concurrency]`.
 * Prints runs per second, latency, and CPU time per run of the server and of PostgreSQL (from /proc), so that a change of the hot
 * path shows as a number. The agent and this client are other processes and are not counted.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Agent, request } from "undici";
import { testIdentity } from "./database.ts";
import { startScriptedAgent } from "./scripted-agent.ts";

if (process.argv[2] === "agent") await serveAsAgent();
else await measure(Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 8));

async function serveAsAgent(): Promise<void> {
  const agent = await startScriptedAgent((scene) => {
    scene.stdout("1\n");
    scene.result();
  });
  agent.requests.push = () => 0; // a long measurement would keep them all
  chmodSync(join(agent.path, ".."), 0o755);
  chmodSync(agent.path, 0o777);
  process.send?.(agent.path);
  process.once("disconnect", () => void agent.stop());
}

async function measure(seconds: number, concurrency: number): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "plastron-load-"));
  chmodSync(home, 0o777);
  const agent = fork(import.meta.filename, ["agent"]);
  const socket = await new Promise<string>((resolve) => agent.once("message", (path) => resolve(String(path))));
  const { server, ready } = await startServer(home, socket);
  const key = "load-test-admin-key";
  try {
    await hammer(ready.url, key, 1, concurrency);
    const before = cpuMs(server.pid as number);
    const latencies = await hammer(ready.url, key, seconds, concurrency);
    const after = cpuMs(server.pid as number);
    report(latencies, seconds, { server: after.server - before.server, database: after.database - before.database });
  } finally {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill("SIGTERM");
    await ended;
    agent.disconnect();
    rmSync(home, { recursive: true, force: true });
  }
}

async function startServer(home: string, socket: string): Promise<{ server: ChildProcess; ready: { url: string } }> {
  const { identity } = testIdentity();
  const server = spawn(process.execPath, [join(import.meta.dirname, "..", "main.ts")], {
    ...identity,
    cwd: "/",
    env: {
      PATH: process.env.PATH,
      PLASTRON_HOME: join(home, "server"),
      PLASTRON_PORT: "0",
      PLASTRON_AGENT_SOCKET: socket,
      PLASTRON_ADMIN_KEY: "load-test-admin-key",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout as NodeJS.ReadableStream })) return { server, ready: JSON.parse(line) };
  throw new Error("the server did not become ready");
}

async function hammer(url: string, key: string, seconds: number, concurrency: number): Promise<number[]> {
  const dispatcher = new Agent({ connections: concurrency, pipelining: 1 });
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1000;
  const body = JSON.stringify({ language: "python3", code: "print(1)" });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const worker = async () => {
    while (performance.now() < until) {
      const start = performance.now();
      const answer = await request(`${url}/v1/runs`, { method: "POST", headers, body, dispatcher });
      const text = await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(text);
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  await dispatcher.close();
  return latencies.sort((a, b) => a - b);
}

/** utime + stime of a process, and of its children (the postmaster, which counts its own dead, and its backends). proc(5): ticks of 10 ms. */
function cpuMs(pid: number): { server: number; database: number } {
  const stat = (of: string) => {
    const fields = readFileSync(`/proc/${of}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return { parent: Number(fields[1]), ms: (Number(fields[11]) + Number(fields[12])) * 10 };
  };
  const all = new Map<number, { parent: number; ms: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      all.set(Number(name), stat(name));
    } catch {
      // it ended meanwhile
    }
  }
  const below = (parent: number): number =>
    [...all].filter(([, process]) => process.parent === parent).reduce((sum, [child, process]) => sum + process.ms + below(child), 0);
  return { server: all.get(pid)?.ms ?? 0, database: below(pid) };
}

function report(latencies: number[], seconds: number, cpu: { server: number; database: number }): void {
  const at = (share: number) => (latencies[Math.floor(latencies.length * share)] as number).toFixed(2);
  const perRun = (ms: number) => `${Math.round((ms / latencies.length) * 1000)} µs`;
  console.log(
    `${Math.round(latencies.length / seconds)} runs/s · p50 ${at(0.5)} ms · p95 ${at(0.95)} ms · CPU per run: server ${perRun(cpu.server)}, PostgreSQL ${perRun(cpu.database)}`,
  );
}
