import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSecrets, detectorsOf, hostOf, requestFor, type SecretVerifier, verifiersOf } from "../../secrets/index.ts";
import { DOCUMENTS } from "../../secrets/testing/rules.ts";
import { fill } from "../../secrets/testing/template.ts";
import { fileOf, lookAt } from "../../testing/look.ts";
import { OWN_RULES } from "../options.ts";
import { readSecretRules } from "../secret-rules.ts";
import { httpVerifier, verifyMatches } from "./index.ts";

const specs = verifiersOf(await readSecretRules([OWN_RULES]));
const detectors = detectorsOf(DOCUMENTS);

/** A secret of the first detector that this verifier is for. */
function secretFor(name: string): string {
  const detector = detectors.find(({ verify }) => verify === name)!;
  const file = fileOf("src/a.conf", fill(detector.bad[0]!, `verify ${name}`));
  return lookAt(createSecrets(DOCUMENTS), [file]).matches.length > 0 ? revealed(detector.id, file.text!) : "";
}
function revealed(id: string, text: string): string {
  const { pattern, ignore_case } = detectors.find((each) => each.id === id)!;
  const found = new RegExp(pattern, ignore_case ? "i" : "").exec(text)!;
  return found.groups?.secret ?? found[0];
}

let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let seen: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[];
const origins = new Map<string, string>();

beforeEach(async () => {
  seen = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const spec of specs.values()) origins.set(hostOf(spec, "us14"), origin);
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const answers =
  (status: number, body = "{}"): typeof answer =>
  (_, response) =>
    response.writeHead(status).end(body);

describe("providers that can be asked", () => {
  test("are more than 25, each named by a detector, and each that a detector names is there", () => {
    expect(specs.size).toBeGreaterThan(25);
    const named = new Set(detectors.flatMap(({ verify }) => (verify === null ? [] : [verify])));
    expect([...named].filter((name) => !specs.has(name))).toEqual([]);
    expect([...specs.keys()].filter((name) => !named.has(name))).toEqual([]);
  });

  test.each([...specs.keys()])("%s: says what is live, what is dead, and nothing of what it cannot tell", async (name) => {
    const spec = specs.get(name)!;
    const secret = secretFor(name);
    const verify = (given: typeof answer) => {
      answer = given;
      return httpVerifier(specs, { origins }).verify(name, secret);
    };
    expect(await verify(answers(spec.live[0]!, spec.live_body ?? "{}"))).toBe("live");
    const [request] = seen;
    const sent = JSON.stringify([decodeURIComponent(request!.url), request!.headers]);
    expect(
      sent.includes(secret) || sent.includes(Buffer.from(`api:${secret}`).toString("base64")) || sent.includes(Buffer.from(`any:${secret}`).toString("base64")),
    ).toBe(true);
    if (spec.dead.length > 0 || spec.dead_body !== undefined) expect(await verify(answers(spec.dead[0] ?? spec.live[0]!, spec.dead_body ?? ""))).toBe("dead");
    else expect(await verify(answers(401))).toBe("unverified");
    for (const status of [302, 429, 500, 503]) expect(await verify(answers(status))).toBe("unverified");
  });
});

describe("a secret goes to its provider and nowhere else", () => {
  const secret = secretFor("github");

  test("not where an answer sends it", async () => {
    answer = (_, response) => response.writeHead(302, { location: "/elsewhere" }).end();
    expect(await httpVerifier(specs, { origins }).verify("github", secret)).toBe("unverified");
    expect(seen.map(({ url }) => url)).toEqual(["/rate_limit"]);
  });

  test("not where the secret itself would like to go", () => {
    for (const hostile of ["x@evil.example/", "a/../../evil", "a?b=c#d", "a\r\nhost: evil", "a b", "../evil", "12345678:AA/../../x"]) {
      expect(requestFor(specs.get("telegram")!, hostile), hostile).toBeNull();
    }
    expect(requestFor(specs.get("github")!, "abcdefgh\r\nX: y")).toBeNull();
    expect(requestFor(specs.get("mailchimp")!, "0123456789abcdef-us1.evil.example")).toBeNull();
    for (const [name, spec] of specs) {
      const request = requestFor(spec, secretFor(name))!;
      expect(request.url.protocol).toBe("https:");
      expect(request.url.hostname).toMatch(/^[a-z0-9.-]+\.[a-z]{2,}$/);
    }
  });

  test("once, however often it stands there; and only so many in all", async () => {
    answer = answers(200);
    const verifier = httpVerifier(specs, { origins, requests: 2 });
    const states = await Promise.all([secret, secret, secret, `${secret}x`, `${secret}y`].map((each) => verifier.verify("github", each)));
    expect(states).toEqual(["live", "live", "live", "live", "unverified"]);
    expect(seen).toHaveLength(2);
  });

  test("and is unverified where nobody answers in time, says too much, or is not there", async () => {
    answer = () => {};
    expect(await httpVerifier(specs, { origins, timeoutMs: 100 }).verify("github", secret)).toBe("unverified");
    answer = (_, response) => void response.writeHead(200).end("x".repeat(5_000_000));
    expect(await httpVerifier(specs, { origins }).verify("slack", secretFor("slack"))).toBe("unverified");
    expect(await httpVerifier(specs, { origins: new Map([["api.github.com", "http://127.0.0.1:1"]]) }).verify("github", secret)).toBe("unverified");
    server.closeAllConnections();
  });
});

describe("findings", () => {
  const live = fill("ghp_{{crc62}}", "live one");
  const dead = fill("ghp_{{crc62}}", "dead one");
  const file = { ...fileOf("src/a.js", `a = "${live}";\nb = "${dead}";\n`), key: "src/a.js", size: 10, encoding: "utf8" as const, archive: null };
  const { matches } = lookAt(createSecrets(DOCUMENTS), [file]);
  const artifact = { files: [file], read: async () => file.bytes };

  test("get graver where the secret works, and less so where it does not; the secret is in neither", async () => {
    const verifier: SecretVerifier = { verify: async (name, secret) => (name === "github" && secret === live ? "live" : "dead") };
    const judged = await verifyMatches(matches, artifact, verifier);
    expect(judged.map(({ severity, secret }) => [severity, secret?.state])).toEqual([
      ["critical", "live"],
      ["low", "dead"],
    ]);
    expect(JSON.stringify(judged)).not.toContain(live.slice(8, 20));
  });

  test("stay as they are where the file is gone or nobody can tell", async () => {
    const gone = { files: [file], read: () => Promise.reject(new Error("gone")) };
    expect(await verifyMatches(matches, gone, { verify: async () => "live" })).toEqual(matches);
    expect(await verifyMatches(matches, artifact, { verify: async () => "unverified" })).toEqual(matches);
  });
});
