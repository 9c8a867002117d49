import { setTimeout as wait } from "node:timers/promises";
import type { ForgeRequest } from "@plastron/scan";
import { Failure } from "../failure.ts";

export interface Forge {
  readonly name: string;
  /** The API's root, as the CI job is told it. */
  readonly root: string;
  readonly headers: Readonly<Record<string, string>>;
}

const TRIES = 4;
const LONGEST_WAIT_MS = 60_000;
const TIMEOUT_MS = 30_000;

/**
 * Sends the requests in their order. A busy or failing forge is asked again; one that refuses is an error that says what it said. The token goes to the
 * forge's root alone: redirects are not followed.
 */
export async function publish(forge: Forge, requests: readonly ForgeRequest[], pauseMs = 1000): Promise<void> {
  let id = "";
  for (const { method, path, body } of requests) {
    const answer = await send(forge, method, path.replace("{id}", encodeURIComponent(id)), body, pauseMs);
    id ||= String((answer as { id?: unknown }).id ?? "");
  }
}

async function send(forge: Forge, method: string, path: string, body: object, pauseMs: number): Promise<object> {
  for (let attempt = 1; ; attempt++) {
    const answer = await once(forge, method, path, body).catch((error: Error) => error);
    if (answer instanceof Response && answer.ok) return (await answer.json().catch(() => ({}))) as object;
    const pause = attempt < TRIES ? pauseOf(answer, pauseMs * 2 ** (attempt - 1)) : null;
    if (pause === null) throw await refusal(forge, answer);
    await drained(answer);
    await wait(pause);
  }
}

function once(forge: Forge, method: string, path: string, body: object): Promise<Response> {
  const headers = { "Content-Type": "application/json", "User-Agent": "plastron", ...forge.headers };
  return fetch(`${forge.root.replace(/\/+$/, "")}${path}`, {
    method,
    headers,
    body: JSON.stringify(body),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** Milliseconds until it is worth another try; null where it is not. GitHub says 403 with Retry-After, or with no requests left, when one is too fast. */
function pauseOf(answer: Response | Error, otherwise: number): number | null {
  if (answer instanceof Error) return otherwise;
  const after = Number(answer.headers.get("retry-after") ?? Number.NaN) * 1000;
  const reset = answer.headers.get("x-ratelimit-remaining") === "0" ? Number(answer.headers.get("x-ratelimit-reset")) * 1000 - Date.now() : Number.NaN;
  const told = [after, reset].find((ms) => Number.isFinite(ms));
  if (answer.status >= 500 || answer.status === 429 || (answer.status === 403 && told !== undefined)) {
    return (told ?? otherwise) <= LONGEST_WAIT_MS ? Math.max(0, told ?? otherwise) : null;
  }
  return null;
}

async function drained(answer: Response | Error): Promise<void> {
  if (answer instanceof Response) await answer.body?.cancel().catch(() => {});
}

async function refusal(forge: Forge, answer: Response | Error): Promise<Failure> {
  if (answer instanceof Error)
    return new Failure("not_running", `${forge.name} cannot be reached: ${reasonOf(answer)}`, { hint: `Is ${forge.root} its API's address?`, cause: answer });
  const text = (await answer.text().catch(() => "")).slice(0, 500);
  const hint = [401, 403, 404].includes(answer.status)
    ? "Check the token and what it may do: checks: write for GitHub, api for GitLab, write:repository for Gitea."
    : "The gate's decision is above; only its publication failed.";
  return new Failure("invalid_request", `${forge.name} answered ${answer.status}: ${text.replace(/\s+/g, " ")}`, { hint });
}

const reasonOf = (error: Error): string => ((error.cause as Error | undefined)?.message || error.message).slice(0, 200);
