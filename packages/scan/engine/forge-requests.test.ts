import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { askForge, sendToForge } from "./forge-requests.ts";

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}
type Answer = { status: number; body?: unknown; headers?: Record<string, string> };
let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A forge on this machine that gives these answers in turn, the last for good. */
async function forgeThat(...answers: Answer[]): Promise<{ root: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body: text && JSON.parse(text) });
    const { status, body = {}, headers = {} } = answers[Math.min(seen.length, answers.length) - 1] as Answer;
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return { root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const forge = (root: string) => ({ name: "GitHub", root, headers: { Authorization: "Bearer made-up-token" } });
const REQUESTS = [
  { method: "POST", path: "/repos/a/b/check-runs", body: { name: "x" } },
  { method: "PATCH", path: "/repos/a/b/check-runs/{id}", body: { output: {} } },
] as const;

describe("telling a forge", () => {
  test("sends each request in order, the id of the first in those after it", async () => {
    const { root, seen } = await forgeThat({ status: 201, body: { id: 4, node_id: "x" } }, { status: 200 });
    await sendToForge(forge(root), REQUESTS);
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /repos/a/b/check-runs", "PATCH /repos/a/b/check-runs/4"]);
    expect(seen[0]).toMatchObject({ headers: { authorization: "Bearer made-up-token", "user-agent": "plastron" }, body: { name: "x" } });
  });

  test.each<[string, Answer]>([
    ["is down", { status: 502 }],
    ["is busy", { status: 429, headers: { "retry-after": "0" } }],
    ["says that one is too fast", { status: 403, headers: { "retry-after": "0" } }],
    ["has no requests left for now", { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" } }],
  ])("asks again where it %s", async (_, answer) => {
    const { root, seen } = await forgeThat(answer, { status: 201, body: { id: 1 } });
    await sendToForge(forge(root), REQUESTS.slice(0, 1), { pauseMs: 1 });
    expect(seen).toHaveLength(2);
  });

  test.each<[Answer, string]>([
    [{ status: 401, body: { message: "Bad credentials" } }, "Bad credentials"],
    [{ status: 403, body: { message: "Resource not accessible by integration" } }, "not accessible"],
    [{ status: 422, body: { message: "Invalid request" } }, "Invalid request"],
    [{ status: 302, headers: { location: "http://127.0.0.1:1/steal" } }, "302"],
    [{ status: 403, headers: { "retry-after": "86400" } }, "403"],
    [{ status: 400, body: { got: "Bearer made-up-token" } }, "400"],
  ])("gives up at once on %j, with what it said, and never with the token", async (answer, said) => {
    const { root, seen } = await forgeThat(answer);
    const failure = await sendToForge(forge(root), REQUESTS, { pauseMs: 1 }).catch((error: Error) => error);
    expect(String(failure)).toContain(said);
    expect(`${failure}${JSON.stringify(failure)}`).not.toContain("made-up");
    expect(seen).toHaveLength(1);
  });

  test("gives up in the end, and where nobody is there", async () => {
    const { root, seen } = await forgeThat({ status: 500 });
    await expect(sendToForge(forge(root), REQUESTS, { pauseMs: 1 })).rejects.toMatchObject({ message: expect.stringContaining("500") });
    expect(seen).toHaveLength(4);
    await expect(sendToForge(forge("http://127.0.0.1:9"), REQUESTS, { pauseMs: 1 })).rejects.toMatchObject({ code: "not_running" });
  });

  test("asks for what it has, and for nothing where it is told to stop", async () => {
    const { root, seen } = await forgeThat({ status: 200, body: [{ id: 1 }] });
    expect(await askForge(forge(root), { method: "GET", path: "/repos/a/b/pulls/1/reviews" })).toEqual([{ id: 1 }]);
    expect(seen[0]).toMatchObject({ method: "GET", url: "/repos/a/b/pulls/1/reviews", body: "" });
    const stopped = AbortSignal.abort(new Error("superseded"));
    await expect(askForge(forge(root), { method: "GET", path: "/x" }, { signal: stopped })).rejects.toThrow("superseded");
    expect(seen).toHaveLength(1);
  });

  test("tells what may pass from what does not", async () => {
    const failure = (root: string) => sendToForge(forge(root), REQUESTS, { pauseMs: 1 }).catch((error: Error) => error);
    expect(await failure((await forgeThat({ status: 500 })).root)).toMatchObject({ status: 500, passing: true });
    expect(await failure((await forgeThat({ status: 404 })).root)).toMatchObject({ status: 404, passing: false });
    expect(await failure("http://127.0.0.1:9")).toMatchObject({ status: null, passing: true });
  });
});
