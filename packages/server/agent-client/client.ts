import {
  type AgentRequest,
  type AgentStatus,
  agentStatusSchema,
  type Confinement,
  type DoctorReport,
  doctorReportSchema,
  encodeFrame,
  type HostFacts,
  hostFactsSchema,
  type Image,
  imageSchema,
  type RunResult,
  type RunSpec,
  type Tier,
  WIRE,
} from "@plastron/contracts";
import { z } from "zod";
import { type AgentRun, type Asking, exchangeCall, exchangeRun, type RunSink } from "./exchange.ts";
import { Reserve } from "./reserve.ts";

/** What to run: the spec, with its confinement encoded once for all runs under it. */
export interface AgentRunRequest {
  spec: Omit<RunSpec, "confinement">;
  confinement: EncodedConfinement;
  /** Set for a run in a session. */
  session_id?: string;
}

/** A confinement and its JSON text. It is several kilobytes that are the same for every run of a policy. */
export interface EncodedConfinement {
  value: Confinement;
  json: string;
}

export type SessionOpen = Omit<Extract<AgentRequest, { op: "session.open" }>, "op">;

export type BuildOrder = Omit<Extract<AgentRequest, { op: "image.build" }>, "op">;

/** Builds are made one after the other: one may wait for several that take as long as they may. */
const QUEUED_BUILDS_MS = 3_600_000;
/** Waiting in the agent's queue and making a cold sandbox come on top of the program's own time. */
const BESIDE_PROGRAM_MS = 60_000;

/** Speaks contracts/wire.ts to the agent over its unix socket. */
export class AgentClient {
  readonly #reserve: Reserve;

  constructor(socketPath: string, reserve = 6) {
    this.#reserve = new Reserve(socketPath, reserve);
  }

  /** Starts a run. Every failure comes through `result`. */
  run(request: AgentRunRequest, sink: RunSink): AgentRun {
    const frame = encodeFrame(WIRE.request, encodeRun(request));
    const silence = request.spec.limits.wall_ms + BESIDE_PROGRAM_MS;
    const { socket, fresh } = this.#reserve.take();
    const first = exchangeRun(socket, frame, sink, silence);
    return fresh ? first : this.#again(first, () => exchangeRun(this.#reserve.fresh(), frame, sink, silence));
  }

  async openSession(session: SessionOpen): Promise<void> {
    await this.#call({ op: "session.open", ...session }, 60_000);
  }

  async closeSession(session_id: string, tenant: string): Promise<void> {
    await this.#call({ op: "session.close", session_id, tenant }, 15_000);
  }

  /** Holds a run still, or lets it go on. Errors: not_found, conflict where it has just ended or was killed since it could not be held. */
  async hold(deed: "freeze" | "thaw", run_id: string, tenant: string): Promise<void> {
    await this.#call({ op: `run.${deed}`, run_id, tenant }, 5_000);
  }

  /** Lets the warm sandboxes of a confinement go that no policy compiles to any more. */
  async retire(confinement: string): Promise<void> {
    await this.#call({ op: "retire", confinement }, 5_000);
  }

  /** What the installer prints goes to `progress`. Errors: what the agent says of the packages; agent_unavailable. */
  async buildImage(order: BuildOrder, progress: (chunk: Uint8Array) => void, signal?: AbortSignal): Promise<Image> {
    const told = await this.#call({ op: "image.build", ...order }, order.wall_ms + QUEUED_BUILDS_MS, { stdout: progress, signal });
    return imageSchema.parse(told);
  }

  async listImages(): Promise<Image[]> {
    return z.object({ images: z.array(imageSchema) }).parse(await this.#call({ op: "image.list" }, 15_000)).images;
  }

  /** Errors: not_found; conflict while a program uses it. */
  async removeImage(image: string): Promise<void> {
    await this.#call({ op: "image.remove", image }, 120_000);
  }

  async doctor(): Promise<DoctorReport> {
    return doctorReportSchema.parse(await this.#call({ op: "doctor" }, 120_000));
  }

  async status(): Promise<AgentStatus> {
    return agentStatusSchema.parse(await this.#call({ op: "status" }, 3_000));
  }

  async host(minTier: Tier = 1): Promise<HostFacts> {
    return hostFactsSchema.parse(await this.#call({ op: "host", min_tier: minTier }, 30_000));
  }

  close(): void {
    this.#reserve.close();
  }

  #call(request: AgentRequest, timeoutMs: number, asking?: Asking): Promise<unknown> {
    return exchangeCall(this.#reserve.fresh(), encodeFrame(WIRE.request, JSON.stringify(request)), timeoutMs, asking);
  }

  /** An agent that restarted leaves dead sockets in the reserve. Nothing was heard on such a one, so nothing ran: once more, on a new one. */
  #again(first: AgentRun & { lostUnheard(): boolean }, retry: () => AgentRun): AgentRun {
    let current: AgentRun = first;
    let killed: string | undefined;
    const result = first.result.catch((error: unknown): Promise<RunResult> => {
      if (killed !== undefined || !first.lostUnheard()) throw error;
      current = retry();
      return current.result;
    });
    return {
      result,
      kill(reason) {
        killed = reason;
        current.kill(reason);
      },
      pause: () => current.pause(),
      resume: () => current.resume(),
      connectUs: () => current.connectUs(),
    };
  }
}

/** The request as JSON, with the confinement's text put in as it is. Field order does not matter to the reader. */
function encodeRun(request: AgentRunRequest): string {
  const spec = JSON.stringify(request.spec);
  const whole = `${spec.slice(0, -1)},"confinement":${request.confinement.json}}`;
  return request.session_id === undefined
    ? `{"op":"run","live_stdin":false,"spec":${whole}}`
    : `{"op":"session.run","session_id":${JSON.stringify(request.session_id)},"tenant":${JSON.stringify(request.spec.tenant)},"spec":${whole}}`;
}
