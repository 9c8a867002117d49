import type { Socket } from "node:net";
import {
  type AgentRequest,
  type AgentStatus,
  agentRequestSchema,
  type Confinement,
  type Denial,
  type DoctorReport,
  type Frame,
  FrameReader,
  type HostFacts,
  PlastronError,
  type RunSpec,
  TELEMETRY_BOUNDS,
  type Tier,
  toProblem,
  type Violation,
  ViolationRoom,
  WIRE,
} from "@plastron/contracts";
import { REQUEST_RULE } from "@plastron/policy";
import type { Control, Images, Output, SandboxDriver } from "@plastron/sandbox";
import { type StdinQueue, stdinQueue } from "./inbound.ts";
import { type Outbound, outbound } from "./outbound.ts";
import type { SessionRegistry } from "./sessions.ts";

/** A connection that has not sent its whole request by then holds memory for nothing. */
const REQUEST_DEADLINE_MS = 30_000;
const REASON_LENGTH = 200;

/** What a connection may reach. */
export interface Services {
  driver: Pick<SandboxDriver, "name" | "run" | "retire" | "freeze" | "thaw" | "images">;
  sessions: SessionRegistry;
  doctor(): Promise<DoctorReport>;
  hostFacts(minTier: Tier): Promise<HostFacts>;
  permissive: boolean;
  runNetwork: "allow" | "deny";
  status(): AgentStatus;
  /** True once the agent is leaving: new work is refused, what runs goes on. */
  draining(): boolean;
  log(message: string, fields?: Record<string, unknown>): void;
}

type Runner = (output: Output, control: Control) => Promise<unknown>;

/**
 * One connection = one request (contracts/wire.ts). Resolves when the connection is closed and its run has ended; never
 * rejects. A frame that is malformed, too long or out of turn gets a problem and ends the connection, never the daemon.
 */
export function serveConnection(socket: Socket, services: Services): Promise<void> {
  const out = outbound(socket);
  const reader = new FrameReader();
  const abort = new AbortController();
  let stdin: StdinQueue | undefined;
  let work: Promise<void> | undefined;
  const deadline = setTimeout(() => fail(new PlastronError("invalid_request", "No request came in time")), REQUEST_DEADLINE_MS);

  function onFrame(frame: Frame): void {
    if (work === undefined) {
      if (frame.type !== WIRE.request) throw outOfTurn(frame);
      clearTimeout(deadline);
      const request = parseRequest(frame.payload);
      if (request.op === "run" && request.live_stdin) stdin = stdinQueue({ pause: () => socket.pause(), resume: () => socket.resume() });
      work = answer(request, services, out, { signal: abort.signal, stdin });
      return;
    }
    if (frame.type === WIRE.kill) abort.abort(new TextDecoder().decode(frame.payload).slice(0, REASON_LENGTH) || "cancelled");
    else if (frame.type === WIRE.stdin && stdin) stdin.push(frame.payload);
    else if (frame.type === WIRE.stdinEnd && stdin) stdin.end();
    else throw outOfTurn(frame);
  }

  function fail(error: unknown): void {
    abort.abort("protocol error");
    sendProblem(out, error);
  }

  socket.on("data", (chunk) => {
    if (abort.signal.aborted && abort.signal.reason === "protocol error") return;
    try {
      for (const frame of reader.push(chunk as Uint8Array)) onFrame(frame);
    } catch (error) {
      fail(error instanceof RangeError ? new PlastronError("payload_too_large", error.message) : error);
    }
  });
  socket.on("error", (error) => services.log("connection failed", { error: error.message }));
  return new Promise((resolve) => {
    socket.on("close", () => {
      clearTimeout(deadline);
      stdin?.end();
      abort.abort("the client went away");
      void Promise.resolve(work).then(resolve);
    });
  });
}

async function answer(request: AgentRequest, services: Services, out: Outbound, control: Control): Promise<void> {
  try {
    const result = await perform(request, services, out, control);
    out.finish(WIRE.result, JSON.stringify(result));
  } catch (error) {
    if (!(error instanceof PlastronError)) services.log("request failed", { op: request.op, error: error instanceof Error ? error.stack : String(error) });
    sendProblem(out, error);
  }
}

async function perform(request: AgentRequest, services: Services, out: Outbound, control: Control): Promise<unknown> {
  const { driver, sessions } = services;
  switch (request.op) {
    case "run":
      refuseWhenDraining(services);
      requireConsent(request.spec.confinement, services);
      return stream(out, control, (output, given) => driver.run(request.spec, output, given));
    case "session.open": {
      refuseWhenDraining(services);
      requireConsent(request.confinement, services);
      const { op: _, ttl_ms, ...spec } = request;
      await sessions.open(spec, ttl_ms);
      // Nobody will ever learn of a session whose opener has gone: do not keep it until its time is over.
      if (control.signal?.aborted) await sessions.close(spec.session_id, spec.tenant, "the client went away");
      return { session_id: spec.session_id };
    }
    case "session.run": {
      refuseWhenDraining(services);
      const spec: RunSpec = { ...request.spec, tenant: request.tenant };
      return stream(out, control, (output, given) => sessions.find(request.session_id, request.tenant).run(spec, output, given));
    }
    case "session.close":
      await sessions.close(request.session_id, request.tenant, "closed");
      return {};
    case "run.freeze":
    case "run.thaw": {
      const deed = request.op === "run.freeze" ? driver.freeze : driver.thaw;
      if (!deed) throw new PlastronError("conflict", `The ${driver.name} driver cannot hold a run still`, { hint: "Cancel the run instead." });
      await deed.call(driver, request.run_id, request.tenant);
      return {};
    }
    case "retire":
      driver.retire?.(request.confinement);
      return {};
    case "image.build": {
      refuseWhenDraining(services);
      const { packages, tenant, wall_ms } = request;
      const progress = (chunk: Uint8Array) => out.send(WIRE.stdout, chunk);
      return imagesOf(driver).build({ packages, tenant, wall_ms, progress, signal: control.signal });
    }
    case "image.list":
      return { images: driver.images?.list() ?? [] };
    case "image.remove":
      await imagesOf(driver).remove(request.image);
      return {};
    case "doctor":
      return services.doctor();
    case "host":
      return services.hostFacts(request.min_tier);
    case "status":
      return services.status();
  }
}

function imagesOf({ name, images }: Services["driver"]): Images {
  if (images) return images;
  throw new PlastronError("packages_failed", `The ${name} driver gives programs no packages`, {
    hint: "The local driver does; `plastron doctor` says what it lacks here.",
  });
}

function stream(out: Outbound, control: Control, run: Runner): Promise<unknown> {
  const room = new ViolationRoom();
  let denials = 0;
  const output: Output = {
    started: () => void out.send(WIRE.started),
    stdout: (chunk) => out.send(WIRE.stdout, chunk),
    stderr: (chunk) => out.send(WIRE.stderr, chunk),
    violation(violation: Violation) {
      if (room.take(violation)) void out.send(WIRE.violation, JSON.stringify(violation));
    },
    denial(denial: Denial) {
      if (++denials <= TELEMETRY_BOUNDS.denials) void out.send(WIRE.denial, JSON.stringify(denial));
    },
  };
  return run(output, control);
}

/**
 * What a permissive policy lifts is the operator's to allow, and only this process heard the operator: a server that was taken over
 * must not be able to ask for more. The weak parts are the demo's, which has a driver of its own.
 */
function requireConsent(confinement: Confinement, services: Services): void {
  if (confinement.weak !== null) throw new PlastronError("forbidden", "A weak confinement is for the demo alone");
  const lifted = [...(confinement.user_namespaces ? ["user namespaces"] : []), ...confinement.capabilities.map((name) => `capability ${name}`)];
  if (services.runNetwork === "deny" && confinement.rules.some(({ id }) => id === REQUEST_RULE)) {
    throw new PlastronError("forbidden", "network: this agent's operator lets no run ask for a network", {
      hint: "A policy can give one: networkProxyRawRules.",
    });
  }
  if (lifted.length === 0 || services.permissive) return;
  throw new PlastronError("forbidden", `The policy lifts what the platform denies by itself: ${lifted.join(", ")}`, {
    hint: "The operator can consent: `plastron up --permissive`.",
  });
}

function refuseWhenDraining(services: Services): void {
  if (services.draining()) throw new PlastronError("overloaded", "The agent is shutting down", { retryAfterSeconds: 2 });
}

function parseRequest(payload: Uint8Array): AgentRequest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    throw new PlastronError("invalid_json", "The request frame is not UTF-8 JSON");
  }
  const parsed = agentRequestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  throw new PlastronError("invalid_request", "The request frame does not fit the protocol", { errors });
}

function outOfTurn(frame: Frame): PlastronError {
  return new PlastronError("invalid_request", `Frame ${JSON.stringify(frame.type)} is not expected here`);
}

/** A problem document with `retry_after_s` where the caller should wait. */
function sendProblem(out: Outbound, error: unknown): void {
  const wait = error instanceof PlastronError ? error.retryAfterSeconds : undefined;
  out.finish(WIRE.problem, JSON.stringify({ ...toProblem(error), ...(wait === undefined ? {} : { retry_after_s: wait }) }));
}
