import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { talk, type World, world } from "../testing/world.ts";

/** What a program sends with a placeholder in it, and what reaches the server. */
const SECRET = "tok-1=a+b&c";
const PATHLIKE = "12345:AAbb_cc-dd";
const hex = (n: number) => `plastron-secret-${String(n).repeat(32)}`;
const [TOKEN_AT, PATH_AT, GONE, SHORT] = [hex(1), hex(2), hex(3), hex(4)];
const home = mkdtempSync(join(tmpdir(), "plastron-inject-"));
for (const tenant of ["acme", "mallory"]) mkdirSync(join(home, tenant, "api"), { recursive: true });
writeFileSync(join(home, "acme/api/token"), SECRET);
writeFileSync(join(home, "acme/api/path"), PATHLIKE);
writeFileSync(join(home, "acme/api/short"), "1234567");
chmodSync(home, 0o755);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const match = { hosts: ["api.test", "other.test", "clear.test"], ports: [], paths: [], methods: [] };
const http = [{ rule: 1, verdict: "allow" as const, audit: false, match }];
const mitm = { domains: ["api.test", "other.test"], mutations: [] };
const placed = [
  { placeholder: TOKEN_AT, name: "api", key: "token", hosts: ["api.test", "clear.test"] },
  { placeholder: PATH_AT, name: "api", key: "path", hosts: ["api.test"] },
  { placeholder: GONE, name: "api", key: "gone", hosts: ["api.test"] },
  { placeholder: SHORT, name: "api", key: "short", hosts: ["api.test"] },
];

let use: World;
let seen: { headers: IncomingMessage["headers"]; url: string; body: string }[];
const open = (tenant: string | null = "acme", more: Parameters<typeof world>[0] = {}) =>
  world({
    http,
    mitm,
    secrets: home,
    placed,
    tenant,
    ...more,
    async answer(request, response) {
      const parts: Buffer[] = [];
      for await (const chunk of request) parts.push(chunk as Buffer);
      seen.push({ headers: request.headers, url: request.url ?? "", body: Buffer.concat(parts).toString("latin1") });
      response.end("fine");
    },
  });
beforeEach(async () => {
  seen = [];
  use = await open();
});
afterEach(() => use.close());

async function ask(line: string, headers: string[] = [], body = "", host = "api.test"): Promise<string> {
  const socket = tlsConnect({ socket: use.dial(host, use.https), servername: host, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const head = [`${line} HTTP/1.1`, `Host: ${host}:${use.https}`, "Connection: close", ...headers];
  return talk(socket, `${head.join("\r\n")}\r\n\r\n${body}`, 5000);
}
const basic = (text: string) => Buffer.from(text).toString("base64");
const withLength = (body: string, type = "text/plain") => [`Content-Type: ${type}`, `Content-Length: ${body.length}`];
const records = () => use.told.flatMap((message) => (message.type === "violation" ? [[message.rule_id, message.rule_path, message.action]] : []));

describe("a placeholder becomes the secret", () => {
  it("in headers, alone, among other text, and inside of base64", async () => {
    await ask("GET /", [
      `Authorization: Basic ${basic(`me:${TOKEN_AT}`)}`,
      `X-Key: ${TOKEN_AT}`,
      `X-Two: a=${TOKEN_AT}; b=${PATH_AT}`,
      `X-Url: ${Buffer.from(`{"k":"${TOKEN_AT}"}`).toString("base64url")}`,
    ]);
    const { headers } = seen[0] as (typeof seen)[0];
    expect(headers).toMatchObject({ authorization: `Basic ${basic(`me:${SECRET}`)}`, "x-key": SECRET, "x-two": `a=${SECRET}; b=${PATHLIKE}` });
    expect(Buffer.from(headers["x-url"] as string, "base64url").toString()).toBe(`{"k":"${SECRET}"}`);
    expect(records()).toEqual([]);
  });

  it("in a query as URLs write it, and in a path where it cannot be more than a part of it", async () => {
    await ask(`GET /bot${PATH_AT}/send?key=${TOKEN_AT}&x=1`);
    expect(seen[0]?.url).toBe(`/bot${PATHLIKE}/send?key=${encodeURIComponent(SECRET)}&x=1`);
    writeFileSync(join(home, "acme/api/path"), "x/../../admin");
    expect(await ask(`GET /bot${PATH_AT}/send`)).toMatch(/^HTTP\/1.1 502 [\s\S]*a meaning in a path/);
    writeFileSync(join(home, "acme/api/path"), PATHLIKE);
    expect(seen).toHaveLength(1);
  });

  it.each([
    ["as it is", "text/plain", (s: string) => `before ${s}${s} after`, (s: string) => s],
    ["in a form", "application/x-www-form-urlencoded", (s: string) => `a=${s}&b=1`, encodeURIComponent],
    ["in JSON", "application/json; charset=utf-8", (s: string) => `{"a":"${s}"}`, (s: string) => JSON.stringify(s).slice(1, -1)],
  ])("in a body, %s, with its new length", async (_, type, write, form) => {
    const body = write(TOKEN_AT);
    await ask("POST /", withLength(body, type), body);
    expect(seen[0]?.body).toBe(write(form(SECRET)));
    expect(seen[0]?.headers["content-length"]).toBe(String(write(form(SECRET)).length));
  });

  it("in a body of chunks, cut anywhere, whatever the method, and in one that is longer than any buffer", async () => {
    const text = `<${TOKEN_AT}>`;
    for (const method of ["POST", "DELETE"]) {
      const chunks = [...text].map((one) => `1\r\n${one}\r\n`).join("");
      await ask(`${method} /`, ["Transfer-Encoding: chunked"], `${chunks}0\r\n\r\n`);
      expect(seen.at(-1)?.body).toBe(`<${SECRET}>`);
    }
    const long = `${"x".repeat(200_000)}${TOKEN_AT}${"y".repeat(200_000)}`;
    await ask("POST /", withLength(long), long);
    expect(seen.at(-1)?.body).toBe(long.replace(TOKEN_AT, SECRET));
    await ask("POST /", withLength(long, "application/octet-stream"), long);
    expect(seen.at(-1)).toMatchObject({ body: long, headers: { "content-length": String(long.length) } });
  });

  it("in every request of a connection, with the value of then", async () => {
    const one = `GET / HTTP/1.1\r\nHost: api.test:${use.https}\r\nX-Key: ${TOKEN_AT}\r\n`;
    await ask("GET /", [`X-Key: ${TOKEN_AT}`]);
    writeFileSync(join(home, "acme/api/token"), "new-value-of-it");
    const socket = tlsConnect({ socket: use.dial("api.test", use.https), servername: "api.test", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    await talk(socket, `${one}\r\n${one}Connection: close\r\n\r\n`, 5000);
    writeFileSync(join(home, "acme/api/token"), SECRET);
    expect(seen.map(({ headers }) => headers["x-key"])).toEqual([SECRET, "new-value-of-it", "new-value-of-it"]);
  });
});

describe("a placeholder stays what it is", () => {
  it("for a host that its grant does not name, and that is recorded, wherever it stands", async () => {
    const body = `x ${TOKEN_AT}`;
    await ask(`GET /?k=${TOKEN_AT}`, [], "", "other.test");
    await ask("GET /", [`Authorization: Basic ${basic(`a:${TOKEN_AT}`)}`], "", "other.test");
    await ask("POST /", withLength(body), body, "other.test");
    expect(seen[0]?.url).toBe(`/?k=${TOKEN_AT}`);
    expect(seen[1]?.headers.authorization).toBe(`Basic ${basic(`a:${TOKEN_AT}`)}`);
    expect(seen[2]).toMatchObject({ body, headers: { "content-length": String(body.length) } });
    expect(JSON.stringify(seen)).not.toContain("tok-1");
    expect(records()).toEqual(Array(3).fill(["secrets", "secrets.api/token", "AUDIT"]));
    expect(use.told[0]).toMatchObject({ event: { host: "other.test" }, hint: expect.stringContaining("api.test") });
  });

  it("where the secret cannot be had: the request does not go on, and says which is missing", async () => {
    for (const [at, why] of [
      [GONE, "api/gone cannot be read"],
      [SHORT, "api/short is shorter than 8"],
    ] as const) {
      expect(await ask("GET /", [`X-Key: ${at}`])).toMatch(new RegExp(`^HTTP/1.1 502 [\\s\\S]*Plastron: secret ${why}`));
      expect(await ask("POST /", withLength(at), at)).toMatch(/^HTTP\/1.1 502 /);
      await ask("POST /", ["Transfer-Encoding: chunked"], `30\r\n${at}\r\n0\r\n\r\n`);
    }
    expect(await ask("GET /", [`X-Key: ${TOKEN_AT}`])).toContain("200 OK");
    expect(seen.filter(({ body }) => body.includes("plastron-secret"))).toEqual([]);
    expect(records().length).toBeGreaterThanOrEqual(6);
    expect(JSON.stringify(use.told)).not.toMatch(/tok-1|1234567"/);
  });

  it.each([["mallory"], [null], ["../acme"]])("for another tenant (%s), whatever its grant names", async (tenant) => {
    await use.close();
    use = await open(tenant);
    expect(await ask("GET /", [`X-Key: ${TOKEN_AT}`])).toMatch(/^HTTP\/1.1 (502|200)/);
    expect(JSON.stringify(seen)).not.toContain("tok-1");
  });

  it("in the clear, where everybody on the way could read it, unless the operator says where the name leads", async () => {
    const said = `GET / HTTP/1.1\r\nHost: HOST\r\nX-Key: ${TOKEN_AT}\r\nConnection: close\r\n\r\n`;
    const clear = (host: string) => talk(use.dial(host, use.http), said.replace("HOST", `${host}:${use.http}`), 5000);
    expect(await clear("api.test")).toContain("200 OK");
    expect(seen[0]?.headers["x-key"]).toBe(SECRET);
    await use.close();
    const reach = { rule: 2, verdict: "allow" as const, audit: false, cidr: "127.0.0.0/8", ports: [] };
    use = await open("acme", { resolve: () => ["127.0.0.1"], addresses: [reach] });
    seen.length = 0;
    expect(await clear("clear.test")).toMatch(/^HTTP\/1.1 403 [\s\S]*secret api\/token is not sent over clear HTTP/);
    const body = `POST / HTTP/1.1\r\nHost: clear.test:${use.http}\r\nContent-Length: ${TOKEN_AT.length}\r\nConnection: close\r\n\r\n${TOKEN_AT}`;
    expect(await talk(use.dial("clear.test", use.http), body, 600)).toMatch(/^HTTP\/1.1 403 /);
    expect(seen).toEqual([]);
    expect(records()).toEqual(Array(2).fill(["secrets", "secrets.api/token", "DENIED"]));
  });
});
