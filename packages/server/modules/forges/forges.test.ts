import { execFileSync, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Change, judgeChange } from "@plastron/scan";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { scanOf } from "../../../../test/fixtures/findings.ts";
import { Repository } from "../../../../test/fixtures/repository.ts";
import type { Connection } from "../../database/pool.ts";
import { openClient } from "../../database/pool.ts";
import { startTestCluster, type TestCluster } from "../../testing/database.ts";
import { startTestServer, type TestServer } from "../../testing/harness.ts";
import { type ScriptedAgent, startScriptedAgent } from "../../testing/scripted-agent.ts";
import {
  APP_ID,
  type CheckRun,
  INSTALLATION,
  person,
  REPOSITORY_ID,
  type Review,
  type ScriptedForge,
  startScriptedForge,
} from "../../testing/scripted-forge.ts";

const SECRET = "a-synthetic-webhook-secret";
const PACE = { pollMs: 100, beatMs: 100, pauseMs: 1 };
const BAD = `const { exec } = require("node:child_process");
const express = require("express");
const app = express();
app.get("/ping", (req, res) => exec(\`ping -c 1 \${req.query.host}\`, (error, out) => res.send(String(out))));
`;
const GOOD = 'console.log("ping");\n';

let cluster: TestCluster;
let connection: Connection;
let agent: ScriptedAgent;
let forge: ScriptedForge;
let server: TestServer;
let admin: string;
let stranger: string;
let work: Repository;
let base: string;
let logs = "";

/** What judges from now on: the real thing where a test says so, for it takes seconds. */
let judge: typeof judgeChange;
const says =
  (decision: "pass" | "deny" | "hold", seen: (change: Change) => void = () => {}): typeof judgeChange =>
  async (change) => {
    seen(change);
    const reasons = decision === "pass" ? [] : [{ rule: "new.high", effect: "deny" as const, message: "1 finding is new", hint: "End it.", fingerprints: [] }];
    return { decision: { decision, reasons, counted: [], exempted: 0, known: 0 }, head: scanOf([]), ended: 0, base: null };
  };

const environment = () => ({
  PLASTRON_GITHUB_APP_ID: String(APP_ID),
  PLASTRON_GITHUB_PRIVATE_KEY_FILE: forge.keyFile,
  PLASTRON_GITHUB_WEBHOOK_SECRET_FILE: join(forge.root, "secret"),
  PLASTRON_GITHUB_API_URL: forge.api,
});
const logger = pino(
  { level: "debug" },
  {
    write(line: string) {
      logs += line;
    },
  },
);
const start = (more: Record<string, string> = {}, parts: object = {}) =>
  startTestServer(connection, agent.path, { ...environment(), ...more }, { forgePace: PACE, judge: (...order) => judge(...order), logger, ...parts });
const call = (method: string, path: string, body?: object, key = admin) => server.call(method, path, { key, ...(body ? { body } : {}) });

beforeAll(async () => {
  [cluster, agent, forge] = await Promise.all([startTestCluster(), startScriptedAgent(), startScriptedForge()]);
  writeFileSync(join(forge.root, "secret"), `${SECRET}\n`);
  connection = await cluster.database();
  server = await start();
  admin = await server.key(["admin", "run", "read"]);
  await call("POST", "/v1/tenants", { id: "other" });
  stranger = await server.key(["admin", "run", "read"], "other");
  work = Repository.made();
  base = work.commit({ "shop.js": 'console.log("a shop");\n' }, "A shop");
  work.git("remote", "add", "origin", forge.repository("shop-org/shop"));
  work.git("push", "-q", "origin", "main");
  await call("PUT", "/v1/projects/shop", {});
  expect((await call("PUT", "/v1/forges/github/repositories/shop-org/shop", { project: "shop" })).body).toMatchObject({
    ...{ repository: "shop-org/shop", repository_id: REPOSITORY_ID, installation: INSTALLATION, project: "shop", tenant: "default" },
  });
}, 60_000);
beforeEach(() => {
  judge = says("pass");
  work.git("checkout", "-q", "-B", "change", base);
});
afterEach(() => {
  forge.state.refuse = () => undefined;
  forge.state.beforeFetch = async () => {};
  expect(forge.state.faults.splice(0)).toEqual([]);
});
afterAll(async () => {
  await server.close();
  await Promise.all([cluster.stop(), agent.stop(), forge.stop()]);
  work.remove();
});

// biome-ignore lint/suspicious/noExplicitAny: payloads of many shapes
type Payload = Record<string, any>;
const payload = (name: string): Payload => JSON.parse(readFileSync(join(import.meta.dirname, `fixtures/${name}.json`), "utf8"));
const signed = (text: string | Buffer, secret = SECRET) => `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`;
const fresh = () => new Date(Date.now() + pulls++).toISOString();
let pulls = 100;

/** What GitHub sends. */
function deliver(event: string, body: Payload | string, headers: Record<string, string | undefined> = {}, to = server) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = {
    "content-type": "application/json",
    "x-github-event": event,
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": signed(text),
    ...headers,
  };
  return to.call("POST", "/v1/forges/github/webhook", {
    body: text,
    headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, string>,
  });
}

/** A pull request of these files, as GitHub has it; `update` pushes more to it. */
function pullOf(files: Record<string, string>, { branch = "change", author = "ann" } = {}) {
  const number = pulls++;
  const push = (more: Record<string, string>) => {
    const head = work.commit(more, `Change of ${number} ${pulls++}`);
    // From a fork: in the base repository it is known by the pull request's ref alone.
    work.git("push", "-q", "-f", "origin", `${head}:refs/pull/${number}/head`);
    forge.state.pulls.set(number, {
      number,
      state: "open",
      commits: 1,
      user: person(author),
      base: { ref: "main", sha: base },
      head: { ref: branch, sha: head },
    });
    forge.state.commits.set(number, [{ sha: head, author: person(author), committer: { login: "web-flow" } }]);
    return head;
  };
  const told = (action: string, head: string, more: Payload = {}): Payload => {
    const body = payload("pull_request.synchronize");
    Object.assign(body, { action, number, ...more });
    Object.assign(body.pull_request, { number, updated_at: fresh(), ...more.pull_request });
    Object.assign(body.pull_request.base, { sha: base, ref: "main" });
    Object.assign(body.pull_request.head, { sha: head, ref: branch });
    return body;
  };
  return { number, head: push(files), push, told };
}
const change = async (id: string, key = admin) => (await call("GET", `/v1/forges/changes/${id}`, undefined, key)).body;
/** Delivers, and waits until what it asked for is over. */
async function judged(event: string, body: Payload) {
  const { status, body: answer } = await deliver(event, body);
  expect([status, answer.status]).toEqual([202, "queued"]);
  return over(answer.changes[0]);
}
async function over(id: string) {
  await expect.poll(async () => (await change(id)).status, { timeout: 60_000, interval: 50 }).not.toMatch(/queued|running/);
  return { ...(await change(id)), run: forge.state.runs.findLast((run) => run.external_id === id) };
}
async function query(text: string, ...values: unknown[]) {
  const client = await openClient(connection, () => {});
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}
const rows = async (table: string): Promise<number> => (await query(`select count(*)::int as n from ${table}`))[0].n;

const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
const EXEMPTION = `version: 1
exemptions:
  - id: EX-1
    scope: {rule: code/javascript/command-injection, path: ping.js}
    reason: An internal tool that only operators reach.
    author: ann
    approver: bea
    created: ${day(0)}
    expires: ${day(30)}
    status: accepted
`;

describe("a pull request", () => {
  it("is judged, its check fails with annotations, and passes when the fix is pushed", async () => {
    judge = judgeChange;
    const pull = pullOf({ "ping.js": BAD });
    const denied = await judged("pull_request", pull.told("opened", pull.head));
    expect(denied).toMatchObject({ status: "denied", project: "shop", repository: "shop-org/shop", number: pull.number, base, head: pull.head });
    expect(denied.decision.reasons).toMatchObject([{ rule: expect.stringMatching(/^new\./) }]);
    expect(denied.run).toMatchObject({ name: "Plastron gate", head_sha: pull.head, status: "completed", conclusion: "failure" });
    expect(denied.run.output.annotations).toMatchObject([{ path: "ping.js", start_line: 4, annotation_level: "failure" }]);
    const asked = forge.state.asked.filter(({ id, body }) => id.startsWith("checks/") && JSON.stringify(body ?? "").includes("Plastron gate"));
    expect(asked.slice(-2).map(({ body }) => (body as { status: string }).status)).toEqual(["in_progress", "completed"]);
    const fixed = await judged("pull_request", pull.told("synchronize", pull.push({ "ping.js": GOOD })));
    expect(fixed).toMatchObject({ status: "passed", run: { conclusion: "success", output: { annotations: [] } } });
    const listed = (await call("GET", "/v1/forges/changes?limit=1")).body;
    expect(listed).toMatchObject({ data: [{ id: fixed.id, status: "passed" }], next_cursor: fixed.id });
    expect((await call("GET", `/v1/forges/changes?limit=1&cursor=${fixed.id}&status=denied`)).body.data).toMatchObject([{ id: denied.id }]);
    expect((await call("GET", "/v1/forges/changes", undefined, stranger)).body.data).toEqual([]);
    expect((await call("GET", `/v1/forges/changes/${denied.id}`, undefined, stranger)).status).toBe(404);
  }, 120_000);

  it("is fetched by a narrow token that is nowhere to be seen, from the configured host and no other", async () => {
    const pull = pullOf({ "b.js": GOOD }, { branch: "--upload-pack=touch /tmp/owned" });
    const body = pull.told("opened", pull.head);
    Object.assign(body.pull_request.head.repo, { clone_url: "http://169.254.169.254/x.git", git_url: "file:///etc", ssh_url: "-oProxyCommand=id" });
    body.repository.clone_url = "http://127.0.0.1:1/evil.git";
    let seen = "";
    forge.state.beforeFetch = async () => {
      seen += execFileSync("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null; cat ${TMPDIR:-/tmp}/plastron-fetch-*/repository.git/config; true"], {
        encoding: "latin1",
      });
    };
    expect(await judged("pull_request", body)).toMatchObject({ status: "passed" });
    expect(new Set(forge.state.fetches.map(({ path }) => path.split(".git/")[0]))).toEqual(new Set(["/shop-org/shop"]));
    const [token, { repositories, permissions }] = [...forge.state.tokens].at(-1) as [string, { repositories: unknown; permissions: unknown }];
    expect({ repositories, permissions }).toEqual({
      repositories: [526],
      permissions: { checks: "write", contents: "read", pull_requests: "read", metadata: "read" },
    });
    const [events, changes] = [await query("select * from events"), await query("select * from forge_changes")];
    expect(seen).toContain("/shop-org/shop.git"); // git's own command line is among what was seen
    expect(`${JSON.stringify([events, changes])}${logs}${seen}`).not.toMatch(
      new RegExp(`${token}|${Buffer.from(`x-access-token:${token}`).toString("base64")}|${SECRET}`),
    );
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(["repository.bound", "change.queued", "change.passed"]));
  }, 60_000);

  it("fails where it cannot be fetched, with the reason and without what git was given", async () => {
    const pull = pullOf({ "c.js": GOOD });
    const missing = "f".repeat(40);
    Object.assign(forge.state.pulls.get(pull.number) as object, { head: { ref: "x", sha: missing } });
    const failed = await judged("pull_request", pull.told("opened", missing));
    expect(failed).toMatchObject({ status: "failed", problem: { detail: expect.stringContaining("cannot be fetched") }, run: { conclusion: "failure" } });
    expect(JSON.stringify(failed)).not.toMatch(/ghs_|eC1hY2Nlc3M|Authorization/);
  }, 60_000);

  it("is overtaken by a newer push: before it was begun, and in the middle", async () => {
    const pull = pullOf({ "d.js": GOOD });
    let reached = () => {};
    const inFetch = new Promise<void>((resolve) => {
      reached = resolve;
    });
    forge.state.beforeFetch = () => new Promise(() => reached()); // never answers
    const { body } = await deliver("pull_request", pull.told("opened", pull.head));
    await inFetch;
    forge.state.beforeFetch = async () => {};
    const second = pull.push({ "d.js": `${GOOD}// more\n` });
    const newest = await judged("pull_request", pull.told("synchronize", second));
    expect(newest).toMatchObject({ status: "passed" });
    expect(await over(body.changes[0])).toMatchObject({ status: "superseded", run: { status: "completed", conclusion: "cancelled" } });
    const late = await judged("pull_request", pull.told("synchronize", pull.head)); // out of order: what holds is what GitHub says
    expect(late).toMatchObject({ status: "superseded", run: undefined });
    expect(await change(newest.id)).toMatchObject({ status: "passed" });
  }, 60_000);

  it("is judged by the project's own policy and exemptions where it has any, else by its base's", async () => {
    const [policies, exempted]: [Change["policy"][], string[][]] = [[], []];
    judge = says("pass", ({ policy, exemptions = [] }) => {
      policies.push(policy);
      exempted.push(exemptions.map(({ id }) => id));
    });
    const pull = pullOf({ "mild.js": GOOD });
    await call("PUT", "/v1/projects/shop", { gate: "version: 1\nnew: {severity: critical}\n", exemptions: EXEMPTION });
    await judged("pull_request", pull.told("opened", pull.head));
    await call("PUT", "/v1/projects/shop", {});
    await judged("pull_request", pull.told("reopened", pull.head));
    expect(policies).toEqual([expect.objectContaining({ new: expect.objectContaining({ severity: "critical" }) }), undefined]);
    expect(exempted).toEqual([["EX-1"], []]);
  }, 60_000);
});

describe("approvals", () => {
  const review = (login: string, state: string, commit_id: string, more: object = {}): Review => ({
    id: pulls++,
    user: person(login),
    state,
    commit_id,
    ...more,
  });

  it("make an exemption count that the change brings; a new commit ends them", async () => {
    judge = judgeChange;
    forge.state.permissions.set("bea", "write");
    const pull = pullOf({ "ping.js": BAD, ".plastron/exemptions.yaml": EXEMPTION });
    expect(await judged("pull_request", pull.told("opened", pull.head))).toMatchObject({ status: "denied" });
    forge.state.reviews.set(pull.number, [review("bea", "APPROVED", pull.head)]);
    const body = { ...payload("pull_request_review.submitted"), ...pull.told("submitted", pull.head) };
    const approved = await judged("pull_request_review", body);
    expect(approved.problem).toBeNull();
    expect(approved).toMatchObject({ status: "passed", decision: { exempted: 1 }, run: { conclusion: "success" } });
  }, 120_000);

  it.each<[string, (head: string) => Review[], string[]]>([
    ["an approval", (head) => [review("bea", "APPROVED", head)], ["bea"]],
    ["a comment after it", (head) => [review("bea", "APPROVED", head), review("bea", "COMMENTED", head)], ["bea"]],
    ["one of an older commit", () => [review("bea", "APPROVED", base)], []],
    ["one that was taken back", (head) => [review("bea", "APPROVED", head), review("bea", "CHANGES_REQUESTED", head)], []],
    ["one that was dismissed", (head) => [review("bea", "DISMISSED", head)], []],
    ["the author's own", (head) => [review("ann", "APPROVED", head)], []],
    ["one by who wrote a commit of it", (head) => [review("cleo", "APPROVED", head)], []],
    ["a stranger's, who may not write", (head) => [review("mallory", "APPROVED", head)], []],
    ["a program's", (head) => [review("bot", "APPROVED", head, { user: { ...person("bot"), type: "Bot" } })], []],
    ["nobody's", (head) => [review("x", "APPROVED", head, { user: null })], []],
    ["the 101st", (head) => [...Array.from({ length: 100 }, () => review("bea", "COMMENTED", head)), review("bea", "APPROVED", head)], ["bea"]],
  ])("%s", async (_, reviews, counted) => {
    for (const login of ["ann", "bea", "cleo", "bot"]) forge.state.permissions.set(login, "write");
    let approvals: Change["approvals"];
    judge = says("pass", (change) => {
      approvals = change.approvals;
    });
    const pull = pullOf({ "e.js": `${GOOD}// ${pulls}\n` });
    forge.state.commits.set(pull.number, [
      { sha: base, author: null, committer: person("cleo") },
      { sha: pull.head, author: person("ann"), committer: {} },
    ]);
    forge.state.reviews.set(pull.number, reviews(pull.head));
    await judged("pull_request", pull.told("opened", pull.head));
    expect(approvals).toEqual(counted);
  });

  it("of a pull request count for the push that merged it, and for no other", async () => {
    forge.state.permissions.set("bea", "write");
    const approvals: Change["approvals"][] = [];
    judge = says("pass", (change) => approvals.push(change.approvals));
    const pull = pullOf({ "x.js": GOOD });
    forge.state.reviews.set(pull.number, [review("bea", "APPROVED", pull.head)]);
    const merged = work.commit({ "y.js": GOOD }, "Merge");
    work.git("push", "-q", "-f", "origin", `${merged}:refs/heads/main`);
    const pushed = () => Object.assign(payload("push"), { before: base, after: merged, pusher: { name: fresh() } });
    await judged("push", pushed());
    Object.assign(forge.state.pulls.get(pull.number) as object, { state: "closed", merged_at: fresh(), merge_commit_sha: merged });
    await judged("push", pushed());
    expect(approvals).toEqual([[], ["bea"]]);
  });
});

describe("one commit in two changes", () => {
  it("has a check for each branch that it goes into: a pass for another is none for the default one", async () => {
    const [strict, mild] = [pullOf({ "f.js": BAD }), pullOf({})];
    const { head } = strict;
    const elsewhere = mild.told("opened", head);
    elsewhere.pull_request.base.ref = "weak";
    Object.assign(forge.state.pulls.get(mild.number) as object, { head: { ref: "x", sha: head }, base: { ref: "weak", sha: base } });
    judge = says("deny");
    expect(await judged("pull_request", strict.told("opened", head))).toMatchObject({ target: null, run: { name: "Plastron gate", conclusion: "failure" } });
    judge = says("pass");
    expect(await judged("pull_request", elsewhere)).toMatchObject({ target: "weak", run: { name: "Plastron gate: weak", conclusion: "success" } });
    const suite = payload("check_suite.rerequested");
    Object.assign(suite.check_suite, { head_sha: head, updated_at: fresh() });
    const { body } = await deliver("check_suite", suite);
    const both = [await over(body.changes[0]), await over(body.changes[1])];
    expect(both.map(({ run }) => [run.name, run.conclusion]).toSorted()).toEqual([
      ["Plastron gate", "success"],
      ["Plastron gate: weak", "success"],
    ]);
  }, 60_000);

  it("a pull request that is closed is not judged", async () => {
    const pull = pullOf({ "v.js": GOOD });
    Object.assign(forge.state.pulls.get(pull.number) as object, { state: "closed" });
    expect(await judged("pull_request", pull.told("opened", pull.head))).toMatchObject({ status: "superseded", run: undefined });
  });
});

describe("other events", () => {
  it("judge a push to the default branch against what was there, and a merge queue's commit", async () => {
    const changes: (string | null)[][] = [];
    judge = says("pass", (change) => changes.push([change.base, change.head]));
    const head = work.commit({ "g.js": GOOD });
    work.git("push", "-q", "-f", "origin", `${head}:refs/heads/main`);
    const pushed = (more: Payload) => Object.assign(payload("push"), { before: base, after: head, pusher: { name: fresh() } }, more);
    expect(await judged("push", pushed({}))).toMatchObject({ line: "refs/heads/main", number: null, status: "passed" });
    expect(await judged("push", pushed({ before: "0".repeat(40), created: true }))).toMatchObject({ base: null });
    const group = payload("merge_group.checks_requested");
    const pull = pullOf({ "h.js": GOOD });
    const head_ref = `refs/heads/gh-readonly-queue/main/pr-${pull.number}-${base}`;
    const merged = work.commit({ "i.js": GOOD });
    work.git("push", "-q", "origin", `${merged}:${head_ref}`);
    Object.assign(group.merge_group, { head_sha: merged, base_sha: base, head_ref });
    expect(await judged("merge_group", group)).toMatchObject({ line: head_ref, number: pull.number, status: "passed" });
    expect(changes).toEqual([
      [base, head],
      [null, head],
      [base, merged],
    ]);
    for (const more of [{ ref: "refs/heads/other" }, { after: "0".repeat(40), deleted: true }, { ref: "refs/tags/main" }])
      expect((await deliver("push", pushed(more))).body).toEqual({ status: "ignored", changes: [] });
  }, 60_000);

  it.each([["ping"], ["installation.created"]])("%s is acknowledged and ignored", async (name) => {
    const { status, body } = await deliver(name.split(".")[0] as string, payload(name));
    expect([status, body]).toEqual([202, { status: "ignored", changes: [] }]);
  });

  it("judge nothing by a remark, and once for many wishes that wait", async () => {
    const pull = pullOf({ "z.js": GOOD });
    const remark = { ...payload("pull_request_review.submitted"), ...pull.told("submitted", pull.head) };
    remark.review.state = "commented";
    expect((await deliver("pull_request_review", remark)).body.status).toBe("ignored");
    let judgings = 0;
    let go = () => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    judge = async (change) => {
      judgings++;
      await gone;
      return says("pass")(change);
    };
    const first = await deliver("pull_request", pull.told("opened", pull.head));
    await expect.poll(() => judgings).toBe(1);
    const more = [];
    for (let n = 0; n < 5; n++) more.push((await deliver("pull_request", pull.told("ready_for_review", pull.head))).body.changes[0]);
    go();
    expect(await over(first.body.changes[0])).toMatchObject({ status: "passed" });
    const states = [];
    for (const id of more) states.push((await over(id)).status);
    expect([states.toSorted(), judgings]).toEqual([["passed", ...Array(4).fill("superseded")], 2]);
  }, 30_000);

  it("judge again when the base was edited, and not when the title was", async () => {
    const pull = pullOf({ "j.js": GOOD });
    const edited = (changes: object) => ({ ...pull.told("edited", pull.head), changes });
    expect((await deliver("pull_request", edited({ title: { from: "x" } }))).body.status).toBe("ignored");
    expect(await judged("pull_request", edited({ base: { ref: { from: "old" }, sha: { from: base } } }))).toMatchObject({ status: "passed" });
  });
});

describe("a delivery", () => {
  const quiet = () => forge.state.asked.length; // nothing is under way: each test waits for its own

  it("acts once: sent again, under another number, at the same time, and after a restart", async () => {
    const pull = pullOf({ "k.js": GOOD });
    const body = pull.told("opened", pull.head);
    const id = { "x-github-delivery": randomUUID() };
    const before = await rows("forge_changes");
    const answers = await Promise.all(Array.from({ length: 8 }, () => deliver("pull_request", body, id)));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(202));
    expect(answers.map((answer) => answer.body.status).toSorted()).toEqual([...Array(7).fill("known"), "queued"]);
    expect((await deliver("pull_request", body)).body.status).toBe("known"); // the number is not signed
    await server.close();
    server = await start();
    expect((await deliver("pull_request", body, id)).body.status).toBe("known");
    expect(await rows("forge_changes")).toBe(before + 1);
    await over(answers.flatMap((answer) => answer.body.changes)[0]);
  });

  it("is refused and leaves nothing where its signature is not the secret's over its bytes", async () => {
    const pull = pullOf({ "l.js": GOOD });
    const body = pull.told("opened", pull.head);
    const text = JSON.stringify(body);
    const [stored, asked] = [await rows("forge_deliveries"), quiet()];
    const sha1 = `sha1=${createHmac("sha1", SECRET).update(text).digest("hex")}`;
    for (const [sent, headers] of [
      [text, { "x-hub-signature-256": signed(text, "another-secret-altogether") }],
      [text, { "x-hub-signature-256": undefined }],
      [text, { "x-hub-signature-256": undefined, "x-hub-signature": sha1 }],
      [text, { "x-hub-signature-256": sha1 }],
      [text, { "x-hub-signature-256": signed(text).slice(0, -2) }],
      [text, { "x-hub-signature-256": `${signed(text)},${signed(text)}` }],
      [JSON.stringify(body, null, 1), { "x-hub-signature-256": signed(text) }], // equal once it is parsed
      [`${text} `, { "x-hub-signature-256": signed(text) }],
      ["not JSON", { "x-hub-signature-256": signed(text) }],
    ] as const) {
      const answer = await deliver("pull_request", sent, headers);
      expect([answer.status, answer.body.code]).toEqual([401, "unauthorized"]);
    }
    expect([await rows("forge_deliveries"), quiet()]).toEqual([stored, asked]);
  });

  it("may not be huge, a form, of another shape, or reach for prototypes", async () => {
    const huge = `{"a":"${"x".repeat(6 * 2 ** 20)}"}`;
    expect((await deliver("push", huge)).status).toBe(413);
    expect((await deliver("push", "payload=%7B%7D", { "content-type": "application/x-www-form-urlencoded" })).status).toBe(415);
    expect((await deliver("push", "[1")).body.code).toBe("invalid_json");
    expect((await deliver("push", '{"__proto__":{"action":"opened"}}')).status).toBe(400);
    const odd = pullOf({ "m.js": GOOD }).told("opened", "--upload-pack=id");
    expect((await deliver("pull_request", odd)).body).toMatchObject({ code: "invalid_request", detail: expect.stringContaining("head.sha") });
    expect(
      (await deliver("pull_request", Object.assign(payload("push"), { repository: { id: 1, full_name: "../../x", default_branch: "main" } }))).status,
    ).toBe(400);
    expect((await deliver("pull_request", pullOf({ "n.js": GOOD }).told("opened", base), { "x-github-event": "../x" })).status).toBe(400);
  });

  it("of a repository that nobody bound, or that another account's installation speaks for, is acknowledged and leaves nothing", async () => {
    const pull = pullOf({ "o.js": GOOD });
    const [stored, changes, asked] = [await rows("forge_deliveries"), await rows("forge_changes"), quiet()];
    const unbound = pull.told("opened", pull.head);
    unbound.repository = { ...unbound.repository, id: 999_999 }; // by the bound one's name
    const foreign = { ...pull.told("opened", pull.head), installation: { id: 666 } };
    for (const body of [unbound, foreign]) expect((await deliver("pull_request", body)).body).toEqual({ status: "ignored", changes: [] });
    expect([await rows("forge_deliveries"), await rows("forge_changes"), quiet()]).toEqual([stored, changes, asked]);
  });

  it("of another change, or another's check run, makes nothing judged again", async () => {
    const again = payload("check_run.rerequested");
    again.check_run.external_id = "chg_00000000000000000000000000";
    expect((await deliver("check_run", again)).body).toEqual({ status: "queued", changes: [] });
    again.check_run.app.id = 5;
    expect((await deliver("check_run", again)).body.status).toBe("ignored");
  });

  it("follows a repository that was renamed", async () => {
    const pull = pullOf({ "p.js": GOOD });
    const body = pull.told("opened", pull.head);
    body.repository.full_name = "shop-org/store";
    work.git("push", "-q", forge.repository("shop-org/store"), `${pull.head}:refs/pull/${pull.number}/head`, `${base}:refs/heads/main`);
    expect(await judged("pull_request", body)).toMatchObject({ repository: "shop-org/store", status: "passed" });
    expect((await call("GET", "/v1/forges/repositories")).body.data).toMatchObject([{ repository: "shop-org/store" }]);
    const back = pullOf({ "q.js": GOOD });
    await judged("pull_request", back.told("opened", back.head));
  });
});

describe("GitHub that does not answer", () => {
  it("is told later, and a failure is never left in progress", async () => {
    const pull = pullOf({ "r.js": GOOD });
    forge.state.refuse = (operation) => (operation === "checks/update" ? { status: 502 } : undefined);
    const { body } = await deliver("pull_request", pull.told("opened", pull.head));
    const [id] = body.changes;
    await expect
      .poll(() => forge.state.asked.filter((each) => each.id === "checks/update" && each.path.includes("check-runs")).length, { timeout: 20_000 })
      .toBeGreaterThan(3);
    await expect.poll(async () => (await change(id)).status, { timeout: 20_000 }).toBe("queued");
    forge.state.refuse = () => undefined;
    await query("update forge_changes set ready_at = now() where id = $1", id);
    expect(await over(id)).toMatchObject({ status: "passed", run: { conclusion: "success" } });
    expect(forge.state.runs.filter((run) => run.external_id === id)).toHaveLength(1);
  }, 60_000);

  it("or says that the app is gone ends the change, and its words show no token", async () => {
    const pull = pullOf({ "s.js": GOOD });
    forge.state.refuse = (operation) =>
      operation === "checks/create" ? { status: 403, body: { message: "Resource not accessible", sent: [...forge.state.tokens.keys()].at(-1) } } : undefined;
    const { body } = await deliver("pull_request", pull.told("opened", pull.head));
    const ended = await over(body.changes[0]);
    expect(ended).toMatchObject({ status: "failed", problem: { detail: expect.stringContaining("Resource not accessible") } });
    expect(`${JSON.stringify(ended)}${logs}`).not.toContain("ghs_made-up");
  });

  it("a change that takes servers with it is given up in the end, and GitHub is told", async () => {
    const pull = pullOf({ "t.js": GOOD });
    let judgings = 0;
    judge = ({ signal }) => {
      judgings++;
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    };
    const { body } = await deliver("pull_request", pull.told("opened", pull.head));
    const [id] = body.changes;
    for (let lost = 1; lost <= 3; lost++) {
      await expect.poll(() => judgings, { timeout: 10_000 }).toBe(lost);
      await query("update forge_changes set status = 'queued', server = null where id = $1", id); // as is found of a server that says nothing
    }
    expect(await over(id)).toMatchObject({ status: "failed", run: { status: "completed", conclusion: "failure" } });
    expect(judgings).toBe(3);
  }, 60_000);
});

describe("a server that is killed at a change", () => {
  it("leaves it to the next, which ends the very check that was begun", async () => {
    const pull = pullOf({ "w.js": GOOD });
    await server.close();
    let reached = () => {};
    const inFetch = new Promise<void>((resolve) => {
      reached = resolve;
    });
    forge.state.beforeFetch = () => new Promise(() => reached());
    const program = join(import.meta.dirname, "../../testing/one-server.ts");
    const doomed = spawn(process.execPath, [program], {
      env: { PATH: process.env.PATH, ...environment(), ONE_SERVER: JSON.stringify({ connection, agent: agent.path }) },
    });
    const url = await new Promise<string>((resolve) => doomed.stdout.once("data", (line) => resolve(String(line).trim())));
    const text = JSON.stringify(pull.told("opened", pull.head));
    const headers = {
      "content-type": "application/json",
      "x-github-event": "pull_request",
      "x-github-delivery": randomUUID(),
      "x-hub-signature-256": signed(text),
    };
    const answer = (await (await fetch(`${url}/v1/forges/github/webhook`, { method: "POST", headers, body: text })).json()) as { changes: [string] };
    await inFetch;
    const ended = new Promise((resolve) => doomed.once("exit", (_, signal) => resolve(signal)));
    doomed.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    forge.state.beforeFetch = async () => {};
    const left = forge.state.runs.findLast(({ external_id }) => external_id === answer.changes[0]);
    expect(left).toMatchObject({ status: "in_progress" });
    server = await start();
    expect(await over(answer.changes[0])).toMatchObject({ status: "passed", run: { id: left?.id, status: "completed", conclusion: "success" } });
    // Killed after GitHub was asked, and before what it answered was written.
    const [lost] = await query(
      "insert into forge_changes (id, tenant, project, forge, repository_id, repository, installation, line, number, base, head, delivery, status, tries) select 'chg_' || repeat('1', 26), tenant, project, forge, repository_id, repository, installation, line, number, base, head, delivery, 'queued', 1 from forge_changes where id = $1 returning id",
      answer.changes[0],
    );
    forge.state.runs.push({ ...(left as CheckRun), id: 77_000, external_id: lost.id, status: "in_progress", conclusion: null });
    expect(await over(lost.id)).toMatchObject({ status: "passed", run: { id: 77_000, conclusion: "success" } });
  }, 60_000);
});

describe("binding", () => {
  it("is for the operator, of a repository that the app is on, to a project that is there", async () => {
    const bind = (name: string, body: object, key = admin) => call("PUT", `/v1/forges/github/repositories/${name}`, body, key);
    await call("PUT", "/v1/projects/theirs", {}, stranger);
    expect((await bind("shop-org/shop", { project: "theirs" }, stranger)).status).toBe(403);
    expect((await bind("shop-org/shop", { project: "absent" })).status).toBe(404);
    expect((await bind("shop-org/secret", { project: "shop" })).body).toMatchObject({ code: "not_found", detail: expect.stringContaining("not installed") });
    expect((await bind("shop-org/..", { project: "shop" })).status).toBe(404);
    expect((await bind("shop-org/%2e%2e", { project: "shop" })).status).toBe(404);
    expect((await call("DELETE", "/v1/forges/github/repositories/shop-org/shop", undefined, stranger)).status).toBe(404);
    expect((await bind("shop-org/shop", { project: "theirs", tenant: "other" })).body).toMatchObject({ tenant: "other", project: "theirs" });
    expect([
      (await call("GET", "/v1/forges/repositories")).body.data,
      (await call("GET", "/v1/forges/repositories", undefined, stranger)).body.data,
    ]).toMatchObject([[], [{ repository: "shop-org/shop" }]]);
    expect((await call("DELETE", "/v1/forges/github/repositories/Shop-Org/SHOP", undefined, stranger)).status).toBe(204);
    const pull = pullOf({ "u.js": GOOD });
    expect((await deliver("pull_request", pull.told("opened", pull.head))).body.status).toBe("ignored");
    expect((await bind("shop-org/shop", { project: "shop" })).status).toBe(200);
  });

  it("says how to set the app up where there is none", async () => {
    const other = await startTestServer(connection, agent.path, {}, { serverId: "no-app" });
    const answer = await deliver("ping", payload("ping"), {}, other);
    await other.close();
    expect([answer.status, answer.body]).toEqual([404, expect.objectContaining({ code: "not_configured", hint: expect.stringContaining("github-app.md") })]);
  });
});
