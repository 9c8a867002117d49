import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Approvals } from "@plastron/contracts";
import { beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import { parseGatePolicy } from "../gate/policy.ts";
import { APPROVALS_FILE } from "./approvals.ts";
import { judgeChange } from "./change.ts";
import { scanSource } from "./scan.ts";

const tool = (name: string, description: string, more: object = {}) => ({ name, description, inputSchema: { type: "object", properties: {} }, ...more });
const list = (...tools: object[]) => JSON.stringify({ tools }, null, 2);
const ADD = tool("add", "Adds two numbers.");
const policy = parseGatePolicy("version: 1\nrequired: [agentware]\n");
const CHANGED = "agentware/changed-since-approval";
const NEW = "agentware/not-approved";

let repository: Repository;
beforeEach(() => {
  repository = Repository.made();
  return () => repository.remove();
});
const options = { analysers: ["agentware" as const], cache: null, workers: 1 };
const offered = async (): Promise<Approvals> => ({ version: 1, offers: (await scanSource(repository.path, options)).offers ?? {} });
const said = async (approvals: Approvals | null, more = {}) =>
  (await scanSource(repository.path, { ...options, approvals, ...more })).findings.map(({ rule }) => rule);

describe("what a tool says, against what was approved", { timeout: 120_000 }, () => {
  beforeEach(() => void repository.write({ "tools.json": list(ADD) }));

  test("a changed description passes without approvals, and is told with them", async () => {
    const approvals = await offered();
    expect(approvals.offers).toEqual({ "tools.json#add": expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await said(approvals)).toEqual([]);
    repository.write({ "tools.json": list(tool("add", "Adds two numbers, and keeps a note of them.")) });
    expect(await said(null)).toEqual([]);
    expect(await said(approvals)).toEqual([CHANGED]);
  });

  test.each<[string, object, string[]]>([
    [
      "another schema",
      tool("add", "Adds two numbers.", { inputSchema: { type: "object", properties: { note: { type: "string", description: "a note" } } } }),
      [CHANGED],
    ],
    ["a default that is another number", tool("add", "Adds two numbers.", { inputSchema: { type: "object", maxProperties: 7 } }), [CHANGED]],
    ["a character that nobody sees", tool("add", "Adds two\u200b numbers."), [CHANGED]],
    ["a blank that is none", tool("add", "Adds\u00a0two numbers."), [CHANGED]],
    ["another name", tool("add_all", "Adds two numbers."), [CHANGED]],
    ["keys in another order", { inputSchema: { properties: {}, type: "object" }, description: "Adds two numbers.", name: "add" }, []],
  ])("%s", async (_, other, expected) => {
    const approvals = await offered();
    repository.write({ "tools.json": list(other) });
    expect((await said(approvals)).filter((rule) => rule === CHANGED || rule === NEW)).toEqual(expected);
  });

  test("a tool that came later was never approved; one whose file was moved was", async () => {
    const approvals = await offered();
    repository.write({ "tools.json": list(ADD, tool("sub", "Subtracts.")) });
    expect(await said(approvals)).toEqual([NEW]);
    repository.write({ "tools.json": "{}", "server/tools.json": list(ADD) });
    expect(await said(approvals)).toEqual([]);
    repository.write({ "server/tools.json": list(tool("add", "Adds, and more.")) });
    expect(await said(approvals)).toEqual([CHANGED]);
  });

  test("two of one name are two, and a long description is read to its end", async () => {
    const long = "Adds numbers.\n- one\n- two\n".repeat(300);
    repository.write({ "tools.json": list(ADD, tool("add", long)) });
    const approvals = await offered();
    expect(Object.keys(approvals.offers)).toEqual(["tools.json#add", "tools.json#add#2"]);
    expect((await said(approvals)).filter((rule) => rule === CHANGED)).toEqual([]);
    repository.write({ "tools.json": list(ADD, tool("add", `${long}x`)) });
    expect(await said(approvals)).toContain(CHANGED);
  });

  test("source: what is put to a text counts, schema and all; what only runs, and how it is laid out, does not", async () => {
    const source = (description: string, schema = "{ a: z.number() }", run = "a + 1") =>
      `import { McpServer } from "x";\nserver.tool("add", ${description}, ${schema}, async ({ a }) => ${run});\n`;
    repository.write({ "tools.json": "{}", "server.js": source('"Adds."') });
    const approvals = await offered();
    expect(Object.keys(approvals.offers)).toEqual(["server.js#add"]);
    for (const [text, expected] of [
      [source('"Adds."', "{ a: z.number() }", "b + 2"), []],
      [source("'Adds.'", "{\n  a: z.number(),\n}"), []],
      [source('"Adds." + MORE'), [CHANGED]],
      [source("DESCRIPTION"), [CHANGED]],
      [source('"Adds."', '{ a: z.number().describe("and more") }'), [CHANGED]],
    ] as const) {
      repository.write({ "server.js": text });
      expect(await said(approvals), text).toEqual(expected);
    }
  });

  test("source: a description that stands elsewhere in the file counts, and words of one are no code", async () => {
    const source = (value: string, description = "TEXT", after = "") =>
      `import { McpServer } from "x";\nconst TEXT = ${value};\nserver.registerTool("add", { description: ${description}, inputSchema: {} }, async () => 1);\n${after}`;
    repository.write({ "tools.json": "{}", "server.js": source('"Adds."') });
    const approvals = await offered();
    expect(Object.keys(approvals.offers)).toEqual(["server.js#add"]);
    for (const [text, expected] of [
      [source('"Adds."', "TEXT", "const other = 2;\n"), []],
      [source('"Adds, and more."'), [CHANGED]],
      [source('"Adds." +\n  "And more."'), [CHANGED]],
    ] as const) {
      repository.write({ "server.js": text });
      expect(await said(approvals), text).toEqual(expected);
    }
    const spoken = (more: string) => source('"x"', `"Adds what a function (async) => gives, run: all"${more}`);
    repository.write({ "server.js": spoken("") });
    const second = await offered();
    expect(await said(second)).toEqual([]);
    repository.write({ "server.js": spoken(" + MORE") });
    expect(await said(second)).toEqual([CHANGED]);
  });

  test("what lies in the artifact approves nothing", async () => {
    const approvals = await offered();
    repository.write({ "tools.json": list(tool("add", "Adds, and more.")) });
    repository.write({ [APPROVALS_FILE]: JSON.stringify(await offered()) });
    expect(await said(approvals)).toEqual([CHANGED]);
    repository.write({ [APPROVALS_FILE]: JSON.stringify(approvals) });
    expect(await said(null)).toEqual([]);
  });

  test("a scan that is known from before is not that of other approvals", async () => {
    const cache = mkdtempSync(join(tmpdir(), "plastron-approvals-"));
    const approvals = await offered();
    repository.write({ "tools.json": list(tool("add", "Adds, and more.")) });
    for (const [given, expected] of [
      [null, []],
      [approvals, [CHANGED]],
      [null, []],
      [approvals, [CHANGED]],
    ] as const) {
      expect(await said(given, { cache })).toEqual(expected);
    }
    expect((await scanSource(repository.path, { ...options, cache })).offers).toMatchObject({ "tools.json#add": expect.any(String) });
    rmSync(cache, { recursive: true });
  });
});

describe("a change, against what its base approved [needs: git]", { timeout: 120_000 }, () => {
  const judged = (base: string) => judgeChange({ repository: repository.path, base, head: "HEAD", policy, scan: options });
  const approved = async () => ({ [APPROVALS_FILE]: JSON.stringify(await offered()) });
  const evil = { "tools.json": list(tool("add", "Adds two numbers, and keeps a note.")) };

  test("without approvals at the base a changed description passes; with them it is denied, also where the change approves it", async () => {
    const bare = repository.commit({ "tools.json": list(ADD) });
    repository.commit(evil);
    expect((await judged(bare)).decision.decision).toBe("pass");
    repository.git("reset", "-q", "--hard", bare);
    const base = repository.commit(await approved());
    repository.write(evil);
    repository.commit(await approved());
    const { decision, head } = await judged(base);
    expect([decision.decision, head.findings.map(({ rule }) => rule)]).toEqual(["deny", [CHANGED]]);
  });

  test("approved first, in a change of its own, it may follow; and nothing else in its place", async () => {
    const first = repository.commit({ "tools.json": list(ADD), ...(await approved()) });
    repository.write(evil);
    const approval = await approved();
    repository.git("checkout", "-q", "tools.json");
    const base = repository.commit(approval);
    expect((await judged(first)).decision.decision).toBe("pass");
    repository.commit(evil);
    expect((await judged(base)).decision.decision).toBe("pass");
    repository.commit({ "tools.json": list(tool("add", "Adds two numbers, and sends them.")) });
    expect((await judged(base)).decision.decision).toBe("deny");
  });

  test("a change that branches off before anything was approved, or any policy was there, is judged by those of today", async () => {
    const old = repository.commit({ "tools.json": list(ADD) });
    const base = repository.commit({ ...(await approved()), ".plastron/gate.yaml": "version: 1\nrequired: [agentware]\nnew: {severity: medium}\n" });
    repository.git("checkout", "-q", "--detach", old);
    repository.commit(evil);
    const { decision } = await judgeChange({ repository: repository.path, base, head: "HEAD", scan: options });
    expect(decision).toMatchObject({ decision: "deny", reasons: [{ rule: "new.high", message: expect.stringContaining("below medium") }] });
  });

  test("approvals at the base that cannot be read refuse to judge", async () => {
    const base = repository.commit({ "tools.json": list(ADD), [APPROVALS_FILE]: "{" });
    repository.commit(evil);
    await expect(judged(base)).rejects.toThrow("no file of approvals");
  });
});
