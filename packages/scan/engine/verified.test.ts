import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import { parseGatePolicy } from "../gate/policy.ts";
import { hostOf, verifiersOf } from "../secrets/index.ts";
import { fill } from "../secrets/testing/template.ts";
import { GATE_FILE, judgeChange } from "./change.ts";
import { OWN_RULES } from "./options.ts";
import { judgePush } from "./push.ts";
import { readSecretRules } from "./secret-rules.ts";
import { httpVerifier } from "./verify/index.ts";

const specs = verifiersOf(await readSecretRules([OWN_RULES]));
const [LIVE, DEAD] = [fill("ghp_{{crc62}}", "gate live"), fill("ghp_{{crc62}}", "gate dead")];
const REQUIRED = "version: 1\nrequired: [secrets]\n";
const LENIENT = `${REQUIRED}new: {severity: none}\n`;

/** A provider of the test's own, in GitHub's place: it knows one token. */
let provider: Server;
let asked: string[];
let repository: Repository;
let verifier: ReturnType<typeof httpVerifier>;

beforeEach(async () => {
  asked = [];
  provider = createServer((request, response) => {
    const token = /(ghp_\w+)/.exec(String(request.headers.authorization))?.[1] ?? "";
    asked.push(token);
    response.writeHead(token === LIVE ? 200 : 401).end("{}");
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  verifier = httpVerifier(specs, { origins: new Map([...specs.values()].map((spec) => [hostOf(spec), origin])) });
  repository = Repository.made();
  repository.commit({ "a.js": "1\n" });
});
afterEach(async () => {
  repository.remove();
  await new Promise((resolve) => provider.close(resolve));
});

const judged = (base: string, text = LENIENT, more: object = { verifySecrets: true }) =>
  judgeChange({
    ...{ repository: repository.path, base, head: "HEAD", policy: parseGatePolicy(text) },
    scan: { analysers: ["secrets"], cache: null, workers: 1, verifier, ...more },
  });
const tip = () => repository.git("rev-parse", "HEAD");

describe("a change whose secrets are asked about [needs: git]", { timeout: 120_000 }, () => {
  test("is denied for one that works under any policy, also where it stood there before; unasked, it passes that policy", async () => {
    const base = tip();
    repository.commit({ "prod.env": `TOKEN=${LIVE}\n` });
    expect((await judged(base, LENIENT, {})).decision.decision).toBe("pass");
    expect(asked).toEqual([]);
    expect((await judged(base)).decision).toMatchObject({ decision: "deny", reasons: [{ rule: "live_secrets" }] });
    const later = tip();
    repository.commit({ "b.js": "2\n" });
    expect((await judged(later)).decision).toMatchObject({ decision: "deny", reasons: [{ rule: "live_secrets" }] });
    expect(asked).toEqual([LIVE]); // once for both: not for the base, and not again for the same secret
  });

  test("is denied for one that works and lies in a commit on the way alone", async () => {
    const base = tip();
    const commit = repository.commit({ "prod.env": `TOKEN=${LIVE}\n` });
    repository.git("rm", "-q", "prod.env");
    repository.commit({});
    const { decision, head } = await judged(base);
    expect(decision).toMatchObject({ decision: "deny", reasons: [{ rule: "live_secrets" }] });
    expect(head.findings[0]).toMatchObject({ severity: "critical", place: { layers: [`commit:${commit}`] }, secret: { state: "live" } });
    expect(JSON.stringify({ decision, head })).not.toContain(LIVE.slice(8, 24));
  });

  test("is not denied for one that works no more: it is low, and counts where the policy counts what is low", async () => {
    const base = tip();
    repository.commit({ "prod.env": `TOKEN=${DEAD}\n` });
    expect((await judged(base, REQUIRED, {})).decision.decision).toBe("deny");
    const { decision, head } = await judged(base, REQUIRED);
    expect([decision.decision, head.findings[0]?.severity, head.findings[0]?.secret?.state]).toEqual(["pass", "low", "dead"]);
    expect((await judged(base, `${REQUIRED}new: {severity: low}\n`)).decision.decision).toBe("deny");
  });

  test("a provider that does not answer leaves it what it was", async () => {
    const base = tip();
    repository.commit({ "prod.env": `TOKEN=${LIVE}\n` });
    const nobody = httpVerifier(specs, { origins: new Map([["api.github.com", "http://127.0.0.1:1"]]) });
    expect((await judged(base, REQUIRED, { verifySecrets: true, verifier: nobody })).decision).toMatchObject({
      decision: "deny",
      reasons: [{ rule: "new.critical" }],
    });
  });
});

describe("who may have providers asked [needs: git]", { timeout: 120_000 }, () => {
  const ASKING = `${LENIENT}verify_secrets: true\ndirect_push: allow\n`;
  const scan = () => ({ analysers: ["secrets" as const], cache: null, workers: 1, verifier });
  const pushed = async (base: string, policy?: ReturnType<typeof parseGatePolicy>, more: object = {}) => {
    const input = `${base} ${tip()} refs/heads/main\n`;
    const said: { decision: string | undefined; notes: string }[] = [];
    for await (const { judgement } of judgePush({ repository: repository.path, input, policy, scan: { ...scan(), ...more } }))
      said.push({ decision: judgement?.decision.decision, notes: judgement?.head.coverage.notes.join() ?? "" });
    return said;
  };

  test("not a change, nor its repository: what the base's policy says of it is not followed, and the report says so", async () => {
    const first = tip();
    const base = repository.commit({ [GATE_FILE]: ASKING });
    repository.commit({ "prod.env": `TOKEN=${LIVE}\n` });
    for (const from of [first, base]) {
      const { head } = await judgeChange({ repository: repository.path, base: from, head: "HEAD", scan: scan() });
      expect(head.coverage.notes.join().includes("no provider was asked"), from).toBe(from === base);
    }
    expect(await pushed(base)).toEqual([{ decision: "pass", notes: expect.stringContaining("no provider was asked") }]);
    expect(asked).toEqual([]);
  });

  test("whoever runs the gate, of a push, too", async () => {
    const base = tip();
    repository.commit({ "prod.env": `TOKEN=${LIVE}\n` });
    expect(await pushed(base, parseGatePolicy(ASKING), { verifySecrets: true })).toMatchObject([
      { decision: "deny", notes: expect.not.stringContaining("no provider") },
    ]);
    expect(asked).toEqual([LIVE]);
  });
});
