import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { findingNamed, scanOf } from "../../../test/fixtures/findings.ts";
import { runCommandLine } from "../program.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The command line against a server that answers as the API does. */
const place = mkdtempSync(join(tmpdir(), "plastron-cli-server-"));
const DIGEST = "a".repeat(64);
const ID = "scn_01ARZ3NDEKTSV4RRFFQ69G5FAV";
let server: Server;
let asked: { what: string; type: string | undefined; body: Buffer }[] = [];
interface Said {
  status: "complete" | "incomplete" | "failed" | "cancelled" | "hangs";
  found: Parameters<typeof findingNamed>[0][];
  decided: "pass" | "deny" | "hold";
}
const AT_FIRST: Said = { status: "complete", found: [{ fingerprint: "1", severity: "high" }], decided: "deny" };
let now: Said;
const decision = { project: "shop", artifact: DIGEST, scan: ID, valid_until: null, decided_at: "2026-01-01T00:00:00Z" };
const reasons = [{ rule: "new.high", message: "a \u001b[2Jthing", hint: "mend it" }];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const what = `${request.method} ${request.url}`;
    const { status, found, decided } = now;
    asked.push({ what, type: request.headers["content-type"], body: Buffer.concat(chunks) });
    if (what.endsWith("/events")) {
      const progress = { status: "running", phase: "files", done: 1, total: 2, bytes: 1, findings: 0, current: "a" };
      const ended = { id: ID, status, problem: status === "failed" ? { code: "internal", detail: "it broke" } : null };
      if (status === "hangs")
        return response.writeHead(200, { "content-type": "text/event-stream" }).write(`event: progress\ndata: ${JSON.stringify(progress)}\n\n`);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`event: progress\ndata: ${JSON.stringify(progress)}\n\nevent: result\ndata: ${JSON.stringify(ended)}\n\n`);
    } else if (what.startsWith("POST /v1/artifacts")) response.writeHead(201).end(JSON.stringify({ digest: DIGEST, name: "x", files: 1, bytes: 1 }));
    else if (what === "POST /v1/scans") response.writeHead(202).end(JSON.stringify({ id: ID, status: "queued" }));
    else if (what.includes("/report"))
      response.end(JSON.stringify(scanOf(found.map(findingNamed), { status: status === "incomplete" ? "incomplete" : "complete" })));
    else if (what.endsWith("/admissions")) response.end(JSON.stringify({ ...decision, decision: decided, reasons: decided === "pass" ? [] : reasons }));
    else if (what.endsWith("/cancel")) response.end(JSON.stringify({ id: ID, status: "cancelled" }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  process.env.PLASTRON_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.PLASTRON_API_KEY = "test-key";
  mkdirSync(join(place, "tree"));
  writeFileSync(join(place, "tree/main.py"), "print('the tree')\n");
});
afterAll(() => {
  server.close();
  delete process.env.PLASTRON_URL;
  delete process.env.PLASTRON_API_KEY;
  rmSync(place, { recursive: true, force: true });
});
beforeEach(() => {
  [asked, now] = [[], AT_FIRST];
});

async function plastron(...args: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const into = (lines: string[]) => ({ write: (text: string) => lines.push(text) > 0 }) as unknown as NodeJS.WritableStream;
  const plain = (_: string, text: string) => text;
  const terminal: Terminal = { out: into(out), err: into(err), columns: Number.POSITIVE_INFINITY, interactive: false, paint: plain, paintErr: plain };
  const code = await runCommandLine(args, terminal);
  return { code, out: out.join(""), err: err.join("") };
}

it("scan --server brings a directory, waits for the scan's end, and reports and exits as a scan here does", async () => {
  const { code, out, err } = await plastron("scan", join(place, "tree"), "--server", "--project", "shop", "--format", "json", "--analysers", "code");
  expect([code, JSON.parse(out).findings.length]).toEqual([1, 1]);
  expect(asked.map(({ what }) => what)).toEqual([
    "POST /v1/artifacts?name=tree.tar.gz",
    "POST /v1/scans",
    `GET /v1/scans/${ID}/events`,
    `GET /v1/scans/${ID}/report?format=json`,
    "POST /v1/projects/shop/admissions",
  ]);
  expect(asked[0]?.type).toBe("application/octet-stream");
  expect(gunzipSync(asked[0]?.body as Buffer).toString("latin1")).toContain("print('the tree')");
  expect(JSON.parse(String(asked[1]?.body))).toEqual({ artifact: DIGEST, analysers: ["code"], project: "shop" });
  expect(err).toContain("denied for shop");
  expect(err).toContain("new.high");
  expect(err).not.toContain("\u001b");
});

it("scan --server says why a scan failed, and refuses what only a scan here does", async () => {
  now = { ...AT_FIRST, status: "failed" };
  expect(await plastron("scan", "npm:left-pad@1.3.0", "--server")).toMatchObject({ code: 2, err: expect.stringContaining("it broke") });
  expect(JSON.parse(String(asked[0]?.body))).toEqual({ npm: "left-pad@1.3.0" });
  asked = [];
  expect(await plastron("scan", place, "--server", "--history")).toMatchObject({ code: 2, err: expect.stringContaining("--history") });
  expect(await plastron("scan", place, "--project", "shop")).toMatchObject({ code: 2, err: expect.stringContaining("--server") });
  expect(asked).toEqual([]);
});

it.each<[string, number, Partial<Said>, string[]]>([
  ["nothing was found", 0, { found: [] }, []],
  ["something was found", 1, {}, []],
  ["what was found is less grave than was asked for", 0, { found: [{ fingerprint: "1", severity: "low" }] }, ["--fail-on", "high"]],
  ["what was found is exempted", 0, { found: [{ fingerprint: "1", state: "exempted" }] }, []],
  ["not all was seen", 2, { status: "incomplete", found: [] }, []],
  ["something was found and not all was seen", 1, { status: "incomplete" }, []],
  ["the scan failed", 2, { status: "failed" }, []],
  ["somebody cancelled it", 2, { status: "cancelled" }, []],
  ["its project lets it in", 0, { found: [], decided: "pass" }, ["--project", "shop"]],
  ["its project denies it", 1, { found: [], decided: "deny" }, ["--project", "shop", "--fail-on", "none"]],
  ["its project holds it", 2, { found: [], decided: "hold" }, ["--project", "shop"]],
  ["its project lets in what was found", 1, { decided: "pass" }, ["--project", "shop"]],
])("scan --server where %s exits %i", async (_, code, said, more) => {
  now = { ...AT_FIRST, ...said };
  expect(await plastron("scan", join(place, "tree"), "--server", ...more)).toMatchObject({ code });
});

it("scan --server exits 2 where no server answers, and 2 for a directory that is not there", async () => {
  const there = process.env.PLASTRON_URL;
  process.env.PLASTRON_URL = "http://127.0.0.1:9";
  expect(await plastron("scan", join(place, "tree"), "--server")).toMatchObject({ code: 2, err: expect.stringContaining("[not_running]") });
  process.env.PLASTRON_URL = there;
  expect(await plastron("scan", join(place, "absent"), "--server")).toMatchObject({ code: 2 });
});

it("scan --server that is interrupted ends the scan on the server, and exits as a scan here does", async () => {
  now = { ...AT_FIRST, status: "hangs" };
  const child = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), "scan", join(place, "tree"), "--server"], { env: process.env });
  const ended = new Promise((resolve) => child.once("close", (code) => resolve(code)));
  await expect.poll(() => asked.some(({ what }) => what.endsWith("/events")), { timeout: 30_000 }).toBe(true);
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(asked.at(-1)?.what).toBe(`POST /v1/scans/${ID}/cancel`);
}, 60_000);

it("project put sends a project's exemptions, once they are such", async () => {
  const file = join(place, "exemptions.yaml");
  writeFileSync(file, "version: 1\nexemptions: []\n");
  await plastron("project", "put", "shop", "--exemptions", file);
  expect(asked.map(({ what, body }) => [what, JSON.parse(String(body))])).toEqual([
    ["PUT /v1/projects/shop", { admission: "open", gate: null, environment: null, exemptions: "version: 1\nexemptions: []\n" }],
  ]);
  asked = [];
  writeFileSync(file, "version: 1\nexemptions: [{id: x}]\n");
  expect(await plastron("project", "put", "shop", "--exemptions", file)).toMatchObject({ code: 2, err: expect.stringContaining("exemptions.yaml") });
  expect(asked).toEqual([]);
});

it("artifact upload prints the digest alone; project admit exits as the gate does", async () => {
  expect(await plastron("artifact", "upload", "https://example.com/a.git#main")).toMatchObject({ code: 0, out: `${DIGEST}\n` });
  expect(JSON.parse(String(asked[0]?.body))).toEqual({ git: "https://example.com/a.git", revision: "main" });
  expect(await plastron("project", "admit", "shop", DIGEST)).toMatchObject({ code: 1, out: expect.stringContaining("denied for shop") });
});

it("run names an artifact and its entry, and sends no code with them", async () => {
  await plastron("run", "--project", "shop", "--artifact", DIGEST, "--entry", "main.py", "--no-stdin", "--json", "--", "--x", "y");
  expect(JSON.parse(String(asked[0]?.body))).toEqual({
    ...{ language: "python3", project: "shop", artifact: DIGEST, entry: "main.py", args: ["--x", "y"], env: {}, stdin: "", collect: [] },
  });
  expect(await plastron("run", "--artifact", DIGEST)).toMatchObject({ code: 2, err: expect.stringContaining("--entry") });
  expect(await plastron("run", "--artifact", DIGEST, "--entry", "a.py", "--here")).toMatchObject({ code: 2, err: expect.stringContaining("--here") });
});
