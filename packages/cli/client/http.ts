import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ErrorCode, Problem } from "@plastron/contracts";
import { Failure } from "../failure.ts";

export interface Request {
  method: "GET" | "POST" | "PUT" | "DELETE";
  path: string;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it comes, instead of a body. */
  content?: Readable;
  accept?: string;
  key?: string;
  signal?: AbortSignal;
  /** Time to the head of the reply. A run may take ten minutes, so there is none unless named. */
  timeoutMs?: number;
  headers?: Record<string, string>;
  /** Statuses beside 2xx whose body is an answer, not a problem. */
  alsoGood?: number[];
}

/**
 * Sends one request and resolves at the head of a 2xx reply. Any other becomes a Failure with the code, words and hint of its
 * problem document (RFC 9457); no reply at all becomes not_running.
 * node:http, because fetch costs every `plastron run` some twenty milliseconds before its first byte.
 */
export async function send(base: string, request: Request): Promise<IncomingMessage> {
  const url = new URL(base + request.path);
  const start = url.protocol === "https:" ? (await import("node:https")).request : (await import("node:http")).request;
  const reply = await head(start, url, request);
  const status = reply.statusCode ?? 0;
  if ((status >= 200 && status < 300) || request.alsoGood?.includes(status)) return reply;
  throw problemFailure(status, await text(reply, 1024 * 1024), `${request.method} ${request.path}`);
}

export async function sendForJson<T>(base: string, request: Request): Promise<T> {
  const body = await text(await send(base, request), 256 * 1024 * 1024);
  try {
    return (body === "" ? null : JSON.parse(body)) as T;
  } catch (error) {
    throw new Failure("internal", `${base}${request.path} did not answer in JSON`, { hint: "Is this address a Plastron server?", cause: error });
  }
}

type Start = (url: URL, options: RequestOptions, callback: (reply: IncomingMessage) => void) => ClientRequest;

function head(start: Start, url: URL, request: Request): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = request.body === undefined ? null : JSON.stringify(request.body);
    const headers = {
      accept: request.accept ?? "application/json",
      "user-agent": "plastron-cli",
      ...(request.key ? { authorization: `Bearer ${request.key}` } : {}),
      ...(body === null ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...(request.content ? { "content-type": "application/octet-stream" } : {}),
      ...request.headers,
    };
    const sent = start(url, { method: request.method, headers, signal: request.signal }, (reply) => {
      clearTimeout(timer);
      resolve(reply);
    });
    const timer = request.timeoutMs ? setTimeout(() => sent.destroy(new Error(`no answer within ${request.timeoutMs} ms`)), request.timeoutMs) : undefined;
    sent.on("error", (error) => {
      clearTimeout(timer);
      reject(request.signal?.aborted ? error : unreachable(url, error));
    });
    // Where the server refuses midway it answers and hangs up: its answer counts, what could not be sent does not.
    if (request.content) void pipeline(request.content, sent).catch((error: Error) => sent.destroy(error));
    else sent.end(body ?? undefined);
  });
}

function unreachable(url: URL, error: Error): Failure {
  const why = (error as NodeJS.ErrnoException).code === "ECONNREFUSED" ? "nothing listens there" : error.message;
  return new Failure("not_running", `${url.origin} does not answer: ${why}`, { cause: error });
}

function problemFailure(status: number, body: string, what: string): Failure {
  const problem = parseProblem(body);
  if (problem) return new Failure(problem.code, problem.detail || problem.title || `HTTP ${status}`, { hint: problem.hint, errors: problem.errors });
  const code: ErrorCode =
    status === 401 ? "unauthorized" : status === 403 ? "forbidden" : status === 404 ? "not_found" : status >= 500 ? "internal" : "invalid_request";
  return new Failure(code, `${what} was answered with HTTP ${status}`);
}

function parseProblem(body: string): Problem | null {
  try {
    const value = JSON.parse(body);
    return typeof value?.code === "string" ? value : null;
  } catch {
    return null;
  }
}

async function text(reply: IncomingMessage, max: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of reply) {
    size += (chunk as Buffer).length;
    if (size > max) throw new Failure("internal", "the server's answer is too long", { hint: "Is this address a Plastron server?" });
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
