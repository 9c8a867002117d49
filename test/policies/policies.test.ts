import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HostFacts, newId, type Program, type RunResult, runSpecSchema } from "@plastron/contracts";
import { compilePolicy, parsePolicy } from "@plastron/policy";
import { hostFacts, openDriver, type SandboxDriver } from "@plastron/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const POLICIES = join(import.meta.dirname, "../../policies");
const WORKLOADS = join(import.meta.dirname, "workloads");
const root = process.geteuid?.() === 0;

const policyText = (name: string) => readFileSync(join(POLICIES, `${name}.yaml`), "utf8");
const workload = (name: string) => readFileSync(join(WORKLOADS, name), "utf8");
const file = (path: string, content: string) => ({ path, content, encoding: "utf8" as const, executable: false });

const ASSISTANT_FILES = [
  file("skills/weather/SKILL.md", "# Weather\nRun report.py with the name of a place."),
  file("skills/weather/report.py", "import sys\nprint(f'{sys.argv[1]}: 21')\n"),
  file(".openclaw/credentials/token.json", '{"token": "synthetic"}'),
];
const REQUESTS = [
  { id: 1, method: "initialize", params: {} },
  { id: 2, method: "tools/list" },
  { id: 3, method: "tools/call", params: { name: "write_note", arguments: { path: "note.txt", text: "remember" } } },
  { id: 4, method: "tools/call", params: { name: "read_note", arguments: { path: "note.txt" } } },
];

describe("ready-made policies", () => {
  it("are all valid, and every rule of them is enforced where this host can", async () => {
    for (const name of readdirSync(POLICIES)) {
      const { fidelity } = compilePolicy(parsePolicy(readFileSync(join(POLICIES, name), "utf8")), { ...(await hostFacts()), tier: 2 });
      const missing = fidelity.filter((row) => row.fidelity === "unsupported").map(({ rule, note }) => `${name}: ${rule}: ${note}`);
      expect(missing).toEqual([]);
    }
  });
});

describe.skipIf(!root)("their workloads [needs: root]", () => {
  let home: string;
  let driver: SandboxDriver;
  let host: HostFacts;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "plastron-policies-"));
    [driver, host] = await Promise.all([openDriver({ home }, "local"), hostFacts()]);
  });
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true, force: true });
  });

  /** The proxy is another test's; what a policy does to the program itself is tried without a way out. */
  const run = async (policy: string, program: Partial<Program> & Pick<Program, "runtime" | "code">): Promise<RunResult> => {
    const { confinement } = compilePolicy(parsePolicy(policyText(policy)), host);
    const spec = runSpecSchema.parse({
      ...program,
      run_id: newId("run"),
      tenant: "policies",
      confinement: { ...confinement, network: null },
      limits: { wall_ms: 60_000 },
    });
    const said = { stdout: "", stderr: "" };
    const hear = (name: "stdout" | "stderr") => (chunk: Uint8Array) => {
      said[name] += Buffer.from(chunk).toString();
    };
    const result = await driver.run(spec, { stdout: hear("stdout"), stderr: hear("stderr") });
    return { ...result, ...said };
  };
  const unharmed = { status: "completed", exit_code: 0, stderr: "", violations: [] };

  it.each(["code-interpreter", "default", "dify-sandbox"])("%s lets a Python program do its work", async (policy) => {
    expect(await run(policy, { runtime: "python3", code: workload("interpreter.py") })).toMatchObject({ status: "completed", stderr: "" });
  });

  it.each(["code-interpreter", "default", "dify-sandbox"])("%s lets a Node program do its work", async (policy) => {
    expect(await run(policy, { runtime: "nodejs", code: workload("interpreter.cjs") })).toMatchObject({ status: "completed", stdout: "done\n", stderr: "" });
  });

  it("code-interpreter stops tools of intruders, called by their name or by another", async () => {
    const copied = "cp /usr/bin/strace /tmp/harmless 2>/dev/null && /tmp/harmless -V";
    expect(await run("code-interpreter", { runtime: "bash", code: copied })).not.toMatchObject({ exit_code: 0 });
  });

  it("openclaw lets an assistant read its skills, run them and remember", async () => {
    const result = await run("openclaw", { runtime: "nodejs", code: workload("assistant.cjs"), files: ASSISTANT_FILES });
    expect(result).toMatchObject({ ...unharmed, stdout: "- asked for the weather: Zurich: 21\n" });
  });

  it("openclaw keeps a poisoned skill off skills and credentials, and records what it tried", async () => {
    const result = await run("openclaw", { runtime: "nodejs", code: workload("poison.cjs"), files: ASSISTANT_FILES });
    expect(result).toMatchObject({ status: "completed", stdout: "[]\n" });
    const hit = new Set(result.violations.map(({ rule_id, action }) => `${action} ${rule_id}`));
    expect([...hit]).toEqual(expect.arrayContaining(["DENIED disable-write-skills", "DENIED bpfRawRules.files[0]"]));
    const harmless = await run("default", { runtime: "nodejs", code: workload("poison.cjs"), files: ASSISTANT_FILES });
    expect(JSON.parse(harmless.stdout)).toEqual(expect.arrayContaining(["write a skill", "move a skill in", "read credentials by a link"]));
  });

  it("mcp-server lets a server of tools speak over its standard streams", async () => {
    const stdin = REQUESTS.map((request) => JSON.stringify({ jsonrpc: "2.0", ...request })).join("\n");
    const result = await run("mcp-server", { runtime: "python3", code: workload("mcp-server.py"), stdin });
    expect(result).toMatchObject(unharmed);
    expect(JSON.parse(result.stdout.trim().split("\n").at(-1) as string).result.content[0].text).toBe("remember");
  });

  it("mcp-server has no shell and no network for a server that was taken over", async () => {
    const code = [
      "import socket, subprocess",
      "denied = 0",
      "for attempt in (lambda: subprocess.run(['/bin/sh', '-c', 'true']), lambda: socket.socket(socket.AF_INET)):",
      "    try: attempt()",
      "    except PermissionError: denied += 1",
      "print(denied)",
    ].join("\n");
    expect(await run("mcp-server", { runtime: "python3", code })).toMatchObject({ status: "completed", stdout: "2\n" });
  });
});
