import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type AgentRequest,
  agentRequestSchema,
  DEFAULT_LIMITS,
  type Denial,
  encodeFrame,
  FrameReader,
  type HostFacts,
  type Image,
  noTelemetry,
  type PackageRequest,
  PlastronError,
  type RunResult,
  type RunSpec,
  type Tier,
  TYPICAL_HOST,
  UNSEEN,
  type Violation,
  WIRE,
} from "@plastron/contracts";

/** What a script may do as the agent's side of one run. */
export interface Scene {
  spec: RunSpec;
  /** The program has begun: what is refused after this is a failure in the middle. */
  started(): void;
  stdout(bytes: string | Uint8Array): void;
  stderr(bytes: string | Uint8Array): void;
  /** A rule was hit: what is not given is a made-up read of /etc/shadow. */
  violation(violation?: Partial<Violation>): void;
  /** The sensor saw a call denied: what is not given is a made-up splice. */
  denial(denial?: Partial<Denial>): void;
  /** Ends the run. */
  result(result?: Partial<RunResult>): void;
  problem(code: string, detail: string, retryAfter?: number): void;
  /** Cuts the connection without an answer, as an agent that dies does. */
  vanish(): void;
  /** Bytes that the server has not read yet. */
  backlog(): number;
  /** Resolves with the reason when the server kills the run, and with "closed" when it closes the connection. */
  killed: Promise<string>;
}

export type Script = (scene: Scene) => void | Promise<void>;

/** The other side of contracts/wire.ts, for tests: every run does what the script says, and every request is kept. */
export interface ScriptedAgent {
  path: string;
  requests: AgentRequest[];
  script: Script;
  /** Answers to requests that are not runs; a throw becomes a problem. */
  openSessions: Set<string>;
  /** What `host` answers; a throw becomes a problem. */
  facts(minTier: Tier): HostFacts;
  connections: number;
  /** By digest: what image.build has answered and image.remove has not taken. */
  images: Map<string, Image>;
  /** What a build makes; a throw becomes a problem. Equal requests make one image. */
  build(packages: PackageRequest, progress: (text: string) => void): Promise<Image> | Image;
  stop(): Promise<void>;
}

/** Prints what the program is, and ends well. */
const ECHO: Script = (scene) => {
  scene.stdout(scene.spec.code);
  scene.result();
};

export const HOST = TYPICAL_HOST;

/** @param at the socket of an agent that was stopped, to be its successor */
export async function startScriptedAgent(script: Script = ECHO, at?: string): Promise<ScriptedAgent> {
  const directory = at === undefined ? mkdtempSync(join(tmpdir(), "plastron-test-agent-")) : dirname(at);
  mkdirSync(directory, { recursive: true });
  const sockets = new Set<Socket>();
  const agent: ScriptedAgent = {
    ...{ path: join(directory, "agent.sock"), requests: [], script, openSessions: new Set(), connections: 0, images: new Map() },
    build: madeUpImage,
    facts: () => HOST,
    stop: async () => {},
  };
  const server = createServer((socket) => {
    agent.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    serve(socket, agent);
  });
  await listen(server, agent.path);
  agent.stop = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    rmSync(directory, { recursive: true, force: true });
  };
  return agent;
}

/** Lets the next run wait until the test ends it, and gives its scene. A kill ends it as the agent would. */
export function held(agent: ScriptedAgent): Promise<Scene> {
  return new Promise((resolve) => {
    agent.script = (scene) => {
      scene.started();
      resolve(scene);
      void scene.killed.then((reason) => scene.result({ status: "killed", exit_code: null, signal: "SIGKILL", reason }));
    };
  });
}

function serve(socket: Socket, agent: ScriptedAgent): void {
  const reader = new FrameReader();
  const { promise: killed, resolve: kill } = Promise.withResolvers<string>();
  socket.on("close", () => kill("closed"));
  socket.on("data", (chunk: Buffer) => {
    for (const frame of reader.push(chunk)) {
      if (frame.type === WIRE.kill) kill(Buffer.from(frame.payload).toString());
      if (frame.type !== WIRE.request) continue;
      const request = agentRequestSchema.parse(JSON.parse(Buffer.from(frame.payload).toString()));
      agent.requests.push(request);
      answer(socket, agent, request, killed);
    }
  });
}

function answer(socket: Socket, agent: ScriptedAgent, request: AgentRequest, killed: Promise<string>): void {
  const send = (type: string, payload: string | Uint8Array) => void (socket.writable && socket.write(encodeFrame(type, payload)));
  const problem = (code: string, detail: string, retry_after_s?: number) => send(WIRE.problem, JSON.stringify({ code, detail, hint: "", retry_after_s }));
  const reply = (value: unknown) => send(WIRE.result, JSON.stringify(value));
  if (request.op === "host") {
    try {
      reply(agent.facts(request.min_tier));
    } catch (error) {
      problem(error instanceof PlastronError ? error.code : "internal", (error as Error).message);
    }
  } else if (request.op === "image.build") {
    void (async () => agent.build(request.packages, (text) => send(WIRE.stdout, text)))()
      .then((image) => {
        agent.images.set(image.id, image);
        reply(image);
      })
      .catch((error: Error) => problem(error instanceof PlastronError ? error.code : "internal", error.message));
  } else if (request.op === "image.list") reply({ images: [...agent.images.values()] });
  else if (request.op === "image.remove") {
    if (agent.images.delete(request.image)) reply({});
    else problem("not_found", "no such image");
  } else if (request.op === "run.freeze" || request.op === "run.thaw" || request.op === "retire") reply({});
  else if (request.op === "status") reply({ pid: 1, driver: "scripted", tier: 2, running: 0, queued: 0, sessions: agent.openSessions.size, pools: [POOL] });
  else if (request.op === "doctor") reply(DOCTOR);
  else if (request.op === "session.open") {
    agent.openSessions.add(request.session_id);
    reply({ session_id: request.session_id });
  } else if (request.op === "session.close") {
    if (agent.openSessions.delete(request.session_id)) reply({});
    else problem("session_gone", "no such session");
  } else if (request.op === "session.run" && !agent.openSessions.has(request.session_id)) problem("session_gone", "it reached its time to live");
  else if (request.op === "run" || request.op === "session.run")
    play(agent, request.spec, { send, problem, killed, vanish: () => void socket.destroy(), backlog: () => socket.writableLength });
}

/** Named by what was asked for. */
export function madeUpImage(packages: PackageRequest): Image {
  const lock = JSON.stringify(packages);
  const id = createHash("sha256").update(lock).digest("hex");
  const names = packages.from === "python3" ? packages.requirements.split("\n") : Object.keys(JSON.parse(packages.package_json).dependencies);
  return {
    ...{ id, from: packages.from, lock, lock_sha256: id, files: 3, bytes: 3_000_000_000, built_at: new Date().toISOString() },
    packages: names.map((name) => ({ name, version: "1.0", hash: null })),
  };
}

interface Wires extends Pick<Scene, "killed" | "problem" | "vanish" | "backlog"> {
  send(type: string, payload: string | Uint8Array): void;
}

function play(agent: ScriptedAgent, spec: RunSpec, { send, ...wires }: Wires): void {
  void agent.script({
    ...{ spec, ...wires },
    started: () => send(WIRE.started, ""),
    stdout: (bytes) => send(WIRE.stdout, bytes),
    stderr: (bytes) => send(WIRE.stderr, bytes),
    violation: (violation = {}) => send(WIRE.violation, JSON.stringify({ ...SHADOW, ...violation })),
    denial: (denial = {}) => send(WIRE.denial, JSON.stringify({ ...DENIAL, ...denial })),
    result: (result = {}) => send(WIRE.result, JSON.stringify(resultOf(result, spec))),
  });
}

function resultOf(result: Partial<RunResult>, spec: RunSpec): RunResult {
  return {
    ...{
      status: "completed",
      exit_code: 0,
      signal: null,
      reason: null,
      stdout: "",
      stderr: "",
      stdout_truncated: false,
      stderr_truncated: false,
      limits_hit: [],
    },
    ...{
      usage: {
        ...{ wall_ms: 2, cpu_ms: 1, memory_peak_bytes: DEFAULT_LIMITS.memory_bytes, context_switches: null },
        network: { bytes_in: 200, bytes_out: 100, connections: 1 },
      },
      artifacts: [],
      violations: [],
      violations_dropped: 0,
      telemetry: noTelemetry("scripted"),
      broken_by: null,
    },
    sandbox: { driver: "scripted", tier: 2, start: "warm", source: "process", confinement: spec.confinement.id },
    phases_us: { exec: 1500 },
    ...result,
  };
}

export const SHADOW: Violation = {
  ...{ rule_id: "disable-access-shadow", rule_path: "spec.policy.enhanceProtect.attackProtectionRules[0].rules[0]", enforcer: "BPF", action: "DENIED" },
  event: { operation: "File", path: "/etc/shadow", permissions: ["read"] },
  ...{ pid: 7, comm: "cat", mnt_ns_id: 4_026_532_000, at: "2026-01-02T03:04:05.678Z", ...UNSEEN },
};

export const DENIAL: Denial = {
  ...{ t_us: 5, pid: 2, comm: "x", exe: "/usr/bin/x", call: "splice", number: 275, abi: "native", arguments: ["0x1", "0x0", "0x2", "0x0", "0x40", "0x0"] },
  ...{ errno: "EPERM", path: null, to: null, count: 1, stack: null },
};

const POOL = { key: "k", runtime: "python3", source: "process", tenant: null, ready: 2, starting: 0, target: 2, hits: 5, misses: 1, rate_per_s: 0.5 };
const DOCTOR = {
  tier: 2,
  drivers: [{ name: "scripted", tier: 2, usable: true, why: null }],
  host: { kernel: "6.1", arch: "x86_64", root: true, cgroup: "v2" },
  controls: [{ id: "seccomp", title: "Seccomp", status: "working", required: true, detail: "killed", remedy: null, ms: 1 }],
};

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve) => server.listen(path, resolve));
}
