import type { IncomingMessage } from "node:http";
import type { FidelityRow, RunResult, Runtime, Telemetry, Violation } from "@plastron/contracts";
import type { FileIn } from "../run/inputs.ts";
import type { GivenLimits } from "../run/limits.ts";
import type { NetworkFields } from "../run/network.ts";
import type { NetworkView } from "../run/network-words.ts";
import type { Connection } from "./connection.ts";
import { type Request, send, sendForJson } from "./http.ts";
import { type ServerEvent, SseParser } from "./sse.ts";

/** The body of a run. What is left out has the server's default. */
export interface RunBody {
  language?: Runtime;
  /** NAME or NAME@VERSION, instead of a language. */
  runtime?: string;
  /** The program; or `artifact` and `entry` name it. */
  code?: string;
  project?: string;
  artifact?: string;
  entry?: string;
  args?: string[];
  env?: Record<string, string>;
  stdin?: string;
  files?: FileIn[];
  collect?: string[];
  limits?: GivenLimits;
  timeout_ms?: number;
  policy?: string;
  policy_yaml?: string;
  upstream_compat?: boolean;
  min_tier?: number;
  trace?: boolean;
  network?: NetworkFields["network"];
  secrets?: NetworkFields["secrets"];
}

/** A run without its output, as lists show it; fields that only the end brings are null before it. */
export interface RunSummary extends Pick<RunResult, "status" | "exit_code" | "signal" | "reason" | "limits_hit" | "stdout_truncated" | "stderr_truncated"> {
  id: string;
  language: Runtime;
  session_id: string | null;
  runtime?: string | null;
  /** What it could reach; null: nothing. */
  network?: NetworkView;
  policy: { name: string; version: number | null; sha256?: string };
  created_at: string;
  finished_at: string | null;
  violations_total?: number;
  usage: RunResult["usage"] | null;
  sandbox: RunResult["sandbox"] | null;
  problem: { code: string; detail: string } | null;
}
/** Violations and telemetry are absent on a server of an older version. */
export interface Run
  extends RunSummary,
    Pick<RunResult, "stdout" | "stderr" | "artifacts">,
    Partial<Pick<RunResult, "violations" | "violations_dropped" | "broken_by">> {
  telemetry?: Telemetry | null;
}

export interface StoredViolation extends Violation {
  id: string;
  run_id: string;
  session_id: string | null;
  policy: { name: string; version: number | null; sha256?: string };
  recorded_at: string;
}
export interface ViolationQuery {
  run_id?: string | undefined;
  rule?: string | undefined;
  rule_prefix?: string | undefined;
  action?: string | undefined;
  enforcer?: string | undefined;
  operation?: string | undefined;
  policy?: string | undefined;
  session_id?: string | undefined;
  audited?: boolean | undefined;
  text?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface Session {
  id: string;
  status: "open" | "closed" | "expired";
  language: Runtime;
  runtime?: string | null;
  network?: NetworkView;
  policy: { name: string; version: number | null };
  policy_current: boolean;
  created_at: string;
  expires_at: string;
  close_reason: string | null;
}

export interface PolicyText {
  yaml: string;
  upstream_compat?: boolean | undefined;
}

export interface ApiKey {
  id: string;
  tenant: string;
  name: string;
  scopes: string[];
  created_at: string;
  revoked_at: string | null;
}

export interface PolicyHead {
  name: string;
  version: number;
  created_at: string;
  created_by: string;
}
export interface StoredPolicy extends PolicyHead {
  yaml: string;
  confinement: string;
  fidelity: FidelityRow[];
}

/** The body of a runtime's making or of its next version. */
export interface RuntimeBody {
  name?: string;
  from?: "python3" | "nodejs";
  packages?: string[];
  requirements?: string;
  package_json?: string;
  package_lock?: string;
  timeout_ms?: number;
}
export interface RuntimeHead {
  name: string;
  version: number;
  language: Runtime;
  current: boolean;
  lock_sha256: string;
  packages_total: number;
  files: number;
  bytes: number;
  built_at: string;
  created_at: string;
  created_by: string;
}
export interface Runtimes extends RuntimeHead {
  packages: { name: string; version: string; hash: string | null }[];
  lock: string;
  versions: RuntimeHead[];
}

export interface Page<T> {
  data: T[];
  next_cursor?: string | null;
}

/** What was learnt under a policy; `profile` is as the server has it. */
export interface Behavior {
  state: "learning" | "completed";
  version: number;
  started_at: string;
  until: string | null;
  skipped: number;
  skipped_why: string | null;
  summary: string[];
  profile: unknown;
}

/** Typed calls of the HTTP API, one method each. Every failure is a Failure with the server's own code, words and hint. */
export class Client {
  readonly #connection: Connection;
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  run(body: RunBody): Promise<Run> {
    return this.#json("POST", "/v1/runs", body);
  }
  streamRun(body: RunBody): AsyncGenerator<ServerEvent> {
    return this.#events("/v1/runs", body);
  }
  runInSession(id: string, body: RunBody): Promise<Run> {
    return this.#json("POST", `/v1/sessions/${encodeURIComponent(id)}/runs`, body);
  }
  streamInSession(id: string, body: RunBody): AsyncGenerator<ServerEvent> {
    return this.#events(`/v1/sessions/${encodeURIComponent(id)}/runs`, body);
  }
  getRun(id: string, query: { timeline?: boolean } = {}): Promise<Run> {
    return this.#json("GET", `/v1/runs/${encodeURIComponent(id)}${search(query)}`);
  }
  listRuns(query: { status?: string; limit?: number; cursor?: string }): Promise<Page<RunSummary>> {
    return this.#json("GET", `/v1/runs${search(query)}`);
  }
  /** Answers when it is so. */
  holdRun(id: string, deed: "freeze" | "thaw"): Promise<{ id: string; frozen: boolean }> {
    return this.#json("POST", `/v1/runs/${encodeURIComponent(id)}/${deed}`, {});
  }
  cancelRun(id: string): Promise<unknown> {
    return this.#json("POST", `/v1/runs/${encodeURIComponent(id)}/cancel`, {});
  }
  openSession(body: {
    language?: Runtime;
    runtime?: string;
    policy?: string;
    ttl_ms?: number;
    limits?: GivenLimits;
    min_tier?: number;
  }): Promise<{ id: string; expires_at: string }> {
    return this.#json("POST", "/v1/sessions", body);
  }
  closeSession(id: string): Promise<unknown> {
    return this.#json("DELETE", `/v1/sessions/${encodeURIComponent(id)}`);
  }
  createKey(body: { name: string; scopes?: string[]; tenant?: string; project?: string | undefined }): Promise<ApiKey & { key: string }> {
    return this.#json("POST", "/v1/keys", body);
  }
  listKeys(query: { tenant?: string }): Promise<Page<ApiKey>> {
    return this.#json("GET", `/v1/keys${search(query)}`);
  }
  revokeKey(id: string, query: { tenant?: string }): Promise<unknown> {
    return this.#json("DELETE", `/v1/keys/${encodeURIComponent(id)}${search(query)}`);
  }
  putPolicy(name: string, text: PolicyText): Promise<StoredPolicy> {
    return this.#json("PUT", `/v1/policies/${encodeURIComponent(name)}`, text);
  }
  compilePolicy(text: PolicyText & { min_tier?: number }): Promise<Pick<StoredPolicy, "confinement" | "fidelity">> {
    return this.#json("POST", "/v1/policies/compile", text);
  }
  getBehavior(name: string): Promise<Behavior> {
    return this.#json("GET", `/v1/policies/${encodeURIComponent(name)}/behavior`);
  }
  learnedPolicy(name: string, body: { allow_dangerous?: boolean }): Promise<{ yaml: string }> {
    return this.#json("POST", `/v1/policies/${encodeURIComponent(name)}/behavior/policy`, body);
  }
  getPolicy(name: string, query: { version?: number } = {}): Promise<StoredPolicy> {
    return this.#json("GET", `/v1/policies/${encodeURIComponent(name)}${search(query)}`);
  }
  listViolations(query: ViolationQuery): Promise<Page<StoredViolation>> {
    return this.#json("GET", `/v1/violations${search({ ...query })}`);
  }
  /** Goes on behind `lastId`, the id of an event that was had before. */
  async *streamViolations(query: Omit<ViolationQuery, "limit" | "cursor" | "until">, lastId: string | null, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const headers: Record<string, string> = lastId === null ? {} : { "last-event-id": lastId };
    const path = `/v1/violations/stream${search({ ...query })}`;
    const reply = await send(this.#connection.url, { method: "GET", path, accept: "text/event-stream", key: this.#connection.key, headers, signal });
    yield* eventsOf(reply);
  }
  getSession(id: string): Promise<Session> {
    return this.#json("GET", `/v1/sessions/${encodeURIComponent(id)}`);
  }
  listSessions(query: { limit?: number; cursor?: string }): Promise<Page<Session>> {
    return this.#json("GET", `/v1/sessions${search(query)}`);
  }
  buildRuntime(path: string, body: RuntimeBody, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    return this.#events(path, body, signal);
  }
  listRuntimes(): Promise<Page<RuntimeHead>> {
    return this.#json("GET", "/v1/runtimes");
  }
  getRuntime(name: string, query: { version?: number | undefined } = {}): Promise<Runtimes> {
    return this.#json("GET", `/v1/runtimes/${encodeURIComponent(name)}${search(query)}`);
  }
  rollBackRuntime(name: string, version: number): Promise<RuntimeHead> {
    return this.#json("POST", `/v1/runtimes/${encodeURIComponent(name)}/rollback`, { version });
  }
  deleteRuntime(name: string): Promise<unknown> {
    return this.#json("DELETE", `/v1/runtimes/${encodeURIComponent(name)}`);
  }
  pruneRuntimes(): Promise<{ versions: number; images: number }> {
    return this.#json("POST", "/v1/runtimes/prune");
  }
  listPolicies(): Promise<Page<PolicyHead>> {
    return this.#json("GET", "/v1/policies");
  }
  deletePolicy(name: string): Promise<unknown> {
    return this.#json("DELETE", `/v1/policies/${encodeURIComponent(name)}`);
  }

  #json<T>(method: Request["method"], path: string, body?: unknown): Promise<T> {
    return sendForJson(this.#connection.url, { method, path, body, key: this.#connection.key });
  }

  async *#events(path: string, body: object, signal?: AbortSignal): AsyncGenerator<ServerEvent> {
    const request = { method: "POST", path, body: { ...body, stream: true }, accept: "text/event-stream", key: this.#connection.key } as const;
    yield* eventsOf(await send(this.#connection.url, { ...request, ...(signal ? { signal } : {}) }));
  }
}

async function* eventsOf(reply: IncomingMessage): AsyncGenerator<ServerEvent> {
  const parser = new SseParser();
  reply.setEncoding("utf8");
  for await (const chunk of reply) yield* parser.push(chunk as string);
}

function search(query: Record<string, string | number | boolean | undefined>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(Object.fromEntries(given.map(([name, value]) => [name, String(value)])))}`;
}
