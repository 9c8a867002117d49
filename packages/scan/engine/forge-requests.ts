import { setTimeout as wait } from "node:timers/promises";
import { PlastronError } from "@plastron/contracts";
import type { ForgeRequest } from "../gate/forges/request.ts";

export interface Forge {
  readonly name: string;
  /** The API's root, as whoever runs this was told it. */
  readonly root: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One question to a forge; a body where the method has one. */
export type ForgeQuestion = ForgeRequest | { readonly method: "GET"; readonly path: string };

export interface Patience {
  /** Before the second try; twice as long before each further one. */
  readonly pauseMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a forge refused (`status` is its answer's), or that it could not be reached (null). */
export class ForgeError extends PlastronError {
  readonly status: number | null;
  /** Whether the same question may be answered later. */
  readonly passing: boolean;
  constructor(detail: string, hint: string, { status, passing, cause }: { status: number | null; passing: boolean; cause?: unknown }) {
    super(passing ? "not_running" : "invalid_request", detail, { hint, cause });
    this.status = status;
    this.passing = passing;
  }
}

const TRIES = 4;
const LONGEST_WAIT_MS = 60_000;
const TIMEOUT_MS = 30_000;
/** More than any page of a list that is asked for; what is longer is no answer of a forge. */
const MOST_BYTES = 16 * 2 ** 20;

/**
 * Sends the requests in their order, and gives what the first was answered. A busy or failing forge is asked again; one that refuses is an error that says
 * what it said. The token goes to the forge's root alone: redirects are not followed.
 * @throws ForgeError
 */
export async function sendToForge(forge: Forge, requests: readonly ForgeRequest[], patience: Patience = {}): Promise<object> {
  let first: object | undefined;
  for (const { method, path, body } of requests) {
    const id = String((first as { id?: unknown } | undefined)?.id ?? "");
    const answer = await askForge(forge, { method, path: path.replace("{id}", encodeURIComponent(id)), body }, patience);
    first ??= answer;
  }
  return first ?? {};
}

/** One answer's JSON, `{}` where it has none. @throws ForgeError */
export async function askForge(forge: Forge, question: ForgeQuestion, { pauseMs = 1000, signal }: Patience = {}): Promise<object> {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(forge, question, signal).catch((error: Error) => error);
    signal?.throwIfAborted();
    if (answer instanceof Response && answer.ok) return (await jsonOf(answer)) as object;
    const pause = attempt < TRIES ? pauseOf(answer, pauseMs * 2 ** (attempt - 1)) : null;
    if (pause === null) throw await refusal(forge, answer);
    await drained(answer);
    await wait(pause, undefined, { signal });
  }
}

function once(forge: Forge, question: ForgeQuestion, signal: AbortSignal | undefined): Promise<Response> {
  const json = question.method === "GET" ? {} : { "Content-Type": "application/json" };
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return fetch(`${forge.root.replace(/\/+$/, "")}${question.path}`, {
    method: question.method,
    headers: { ...json, "User-Agent": "plastron", ...forge.headers },
    ...(question.method === "GET" ? {} : { body: JSON.stringify(question.body) }),
    redirect: "manual",
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
}

async function jsonOf(answer: Response): Promise<unknown> {
  try {
    return JSON.parse((await bytesOf(answer))?.toString("utf8") ?? "") ?? {};
  } catch {
    return {};
  }
}

/** Null where it is longer than any answer is. */
async function bytesOf({ body }: Response): Promise<Buffer | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body ?? []) {
    size += part.length;
    if (size > MOST_BYTES) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Milliseconds until it is worth another try; null where it is not. GitHub says 403 with Retry-After, or with no requests left, when one is too fast. */
function pauseOf(answer: Response | Error, otherwise: number): number | null {
  if (answer instanceof Error) return otherwise;
  const told = toldPause(answer);
  return mayPass(answer) && (told ?? otherwise) <= LONGEST_WAIT_MS ? Math.max(0, told ?? otherwise) : null;
}

function toldPause({ headers }: Response): number | undefined {
  const after = Number(headers.get("retry-after") ?? Number.NaN) * 1000;
  const reset = headers.get("x-ratelimit-remaining") === "0" ? Number(headers.get("x-ratelimit-reset")) * 1000 - Date.now() : Number.NaN;
  return [after, reset].find((ms) => Number.isFinite(ms));
}

const mayPass = (answer: Response): boolean => answer.status >= 500 || answer.status === 429 || (answer.status === 403 && toldPause(answer) !== undefined);

async function drained(answer: Response | Error): Promise<void> {
  if (answer instanceof Response) await answer.body?.cancel().catch(() => {});
}

async function refusal(forge: Forge, answer: Response | Error): Promise<ForgeError> {
  if (answer instanceof Error) {
    const why = ((answer.cause as Error | undefined)?.message || answer.message).slice(0, 200);
    return new ForgeError(`${forge.name} cannot be reached: ${why}`, `Is ${forge.root} its API's address?`, { status: null, passing: true, cause: answer });
  }
  const text = (await bytesOf(answer).catch(() => null))?.toString("utf8") ?? "";
  const hint = [401, 403, 404].includes(answer.status)
    ? "Check the token and what it may do: checks: write for GitHub, api for GitLab, write:repository for Gitea."
    : "The gate's decision stands; only its publication failed.";
  const said = withoutTokens(text, forge).slice(0, 500).replace(/\s+/g, " ");
  return new ForgeError(`${forge.name} answered ${answer.status}: ${said}`, hint, { status: answer.status, passing: mayPass(answer) });
}

/** A forge, or a proxy before it, may give back what it was sent. */
function withoutTokens(text: string, { headers }: Forge): string {
  const values = Object.values(headers).flatMap((value) => [value, value.split(" ").at(-1) as string]);
  return values.filter((value) => value.length >= 8).reduce((shown, value) => shown.replaceAll(value, "…"), text);
}
