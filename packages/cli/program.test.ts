import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

/** The command line as a person meets it: as a process, against a server that answers as the API does. */
let place: string;
let server: Server;
let url: string;
let answer: (request: IncomingMessage, body: string, response: ServerResponse) => void;
let seen: { method: string; url: string; body: string; authorization: string | undefined }[];
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ method: request.method ?? "", url: request.url ?? "", body, authorization: request.headers.authorization });
    answer(request, body, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-cli-"));
  seen = [];
  answer = (_request, _body, response) => response.writeHead(404).end();
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}
function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PLASTRON_") && name !== "FORCE_COLOR"));
  const own = { PLASTRON_URL: url, PLASTRON_API_KEY: "test-key", PLASTRON_HOME: join(place, "home") };
  return spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...args], { cwd: place, env: { ...clean, ...own, ...env } });
}
function finish(child: ChildProcess, stdin?: string): Promise<Ran> {
  const ran: Ran = { code: null, stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (ran.stdout += chunk));
  child.stderr?.on("data", (chunk) => (ran.stderr += chunk));
  child.stdin?.on("error", () => {});
  child.stdin?.end(stdin ?? "");
  return new Promise((resolve) => child.once("close", (code) => resolve({ ...ran, code })));
}
const plastron = (args: string[], stdin?: string, env?: Record<string, string>) => finish(start(args, env), stdin);

const record = (more: object = {}) => ({
  ...{ id: "run_1", status: "completed", language: "python3", exit_code: 0, signal: null, reason: null, limits_hit: [], stdout: "", stderr: "", artifacts: [] },
  ...more,
});
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
function streams(...events: string[]): void {
  answer = (_request, _body, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.join(""));
  };
}
function program(name: string, code: string): string {
  writeFileSync(join(place, name), code);
  return name;
}

describe("wrong use", () => {
  it.each([
    [["bogus"], "unknown command 'bogus'"],
    [["run"], "missing required argument"],
    [["run", "a.py", "--bogus"], "unknown option '--bogus'"],
    [["run", "missing.py"], "missing.py does not exist"],
    [["up", "--port", "x"], "'x' is invalid"],
    [["run", "-", "--limit", "ram=1"], "--limit ram=1 is not known"],
    [["run", "-", "-l", "cobol"], "--language cobol is not known"],
    [["run", "-", "--collect", "*"], "--collect needs --out"],
    [["policy", "check", "missing.yaml"], "missing.yaml does not exist"],
    [["test"], "command of the launcher"],
  ])("%j exits 2 with one line that says why", async (args, why) => {
    const { code, stdout, stderr } = await plastron(args, "print(1)");
    expect(stderr).toContain(why);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/\[(invalid_request|unsupported_runtime)\]/);
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("shows the help on stderr and exits 2 without a command, on stdout and 0 when asked", async () => {
    expect(await plastron([])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("Usage: plastron") });
    expect(await plastron(["run", "--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Examples:"), stderr: "" });
  });

  it("gives scripts the same error as a document", async () => {
    const { stdout, code } = await plastron(["run", "missing.py", "--json"]);
    expect([JSON.parse(stdout).error.code, code]).toEqual(["invalid_request", 2]);
  });
});

describe("run", () => {
  it("sends the program and exits as it did", async () => {
    streams(
      event("started", { id: "run_1" }),
      event("stdout", { text: "4" }),
      event("stderr", { text: "oh\n" }),
      event("stdout", { text: "2\n" }),
      event("result", record({ status: "failed", exit_code: 7 })),
    );
    program("a.py", "print(42)");
    const ran = await plastron(["run", "a.py", "--limit", "memory=64m", "--env", "A=b=c", "--policy", "strict", "--", "--x", "y"], "input");
    expect(ran).toEqual({ code: 7, stdout: "42\n", stderr: "oh\n" });
    expect(seen[0]?.authorization).toBe("Bearer test-key");
    expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({
      language: "python3",
      code: "print(42)",
      args: ["--x", "y"],
      env: { A: "b=c" },
      stdin: "input",
      policy: "strict",
      limits: { memory_bytes: 67_108_864 },
      stream: true,
    });
  });

  it.each([
    [{ status: "timed_out", exit_code: null, reason: "5000 ms" }, 124, "timed out: 5000 ms"],
    [{ status: "failed", exit_code: null, signal: "SIGTERM" }, 143, "ended by SIGTERM"],
    [{ status: "memory_exceeded", exit_code: null }, 137, "out of memory"],
  ])("%j exits %d and says so in one line", async (end, code, words) => {
    streams(event("started", { id: "run_1" }), event("result", record(end)));
    const ran = await plastron(["run", "-", "-l", "python"], "x");
    expect(ran.code).toBe(code);
    expect(ran.stderr).toContain(words);
    expect(ran.stderr.trim().split("\n")).toHaveLength(1);
  });

  it("does not let a reason from outside write to the terminal", async () => {
    streams(event("result", record({ status: "killed", exit_code: null, reason: "\x1b[2Jcleared" })));
    expect((await plastron(["run", "-", "-l", "bash"], "x")).stderr).toContain("\\u001b[2Jcleared");
  });

  it("--json prints the whole record and nothing else", async () => {
    answer = (_request, _body, response) => void response.writeHead(200).end(JSON.stringify(record({ exit_code: 3, status: "failed", stdout: "hi" })));
    const ran = await plastron(["run", "-", "-l", "bash", "--json"], "x");
    expect([JSON.parse(ran.stdout).stdout, ran.stderr, ran.code]).toEqual(["hi", "", 3]);
  });

  it("writes collected files under --out", async () => {
    streams(event("result", record({ artifacts: [{ path: "deep/a.txt", size: 2, content: Buffer.from("hi").toString("base64"), truncated: false }] })));
    program("a.sh", "true");
    expect((await plastron(["run", "a.sh", "--collect", "**", "--out", "result", "--no-stdin"])).code).toBe(0);
    expect(readFileSync(join(place, "result/deep/a.txt"), "utf8")).toBe("hi");
  });

  it("holds a run still and lets it go on, and shows what was learnt under a policy and the policy of it", async () => {
    const learnt = {
      state: "learning",
      version: 2,
      started_at: "2026-01-01T00:00:00Z",
      until: null,
      skipped: 1,
      skipped_why: "it was \u001b[2J",
      summary: ["3 runs"],
    };
    answer = (request, _body, response) => {
      const [name, deed] = (request.url ?? "").split("/").slice(-2);
      const said =
        deed === "behavior"
          ? { ...learnt, profile: { runs: 3 } }
          : deed === "policy"
            ? { yaml: "kind: VarmorPolicy\n" }
            : { id: name, frozen: deed === "freeze" };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(said));
    };
    expect(await plastron(["runs", "freeze", "run_1"])).toMatchObject({ code: 0, stdout: "holds run_1 still: its wall clock goes on\n" });
    expect(await plastron(["runs", "thaw", "run_1", "--json"])).toMatchObject({ code: 0, stdout: expect.stringContaining('"frozen": false') });
    const shown = await plastron(["policy", "behavior", "mine"]);
    expect(shown).toMatchObject({ code: 0, stdout: "mine, version 2: learning since 2026-01-01T00:00:00Z\n  3 runs\n" });
    expect(shown.stderr).toContain("1 run was left out, the last: it was ");
    expect(shown.stderr).not.toContain("\u001b");
    expect(JSON.parse((await plastron(["policy", "behavior", "mine", "--json"])).stdout)).toMatchObject({ profile: { runs: 3 } });
    expect(await plastron(["policy", "behavior", "mine", "--policy", "--allow-dangerous"])).toMatchObject({ code: 0, stdout: "kind: VarmorPolicy\n" });
    expect(await plastron(["policy", "behavior", "mine", "--allow-dangerous"])).toMatchObject({ code: 2, stderr: expect.stringContaining("--policy") });
    expect(seen.map(({ method, url: to, body }) => `${method} ${to} ${body}`)).toEqual([
      "POST /v1/runs/run_1/freeze {}",
      "POST /v1/runs/run_1/thaw {}",
      "GET /v1/policies/mine/behavior ",
      "GET /v1/policies/mine/behavior ",
      'POST /v1/policies/mine/behavior/policy {"allow_dangerous":true}',
    ]);
  });

  it("Ctrl-C cancels the run, and waits for its end", async () => {
    let stream: ServerResponse | undefined;
    answer = (request, _body, response) => {
      if (request.url === "/v1/runs/run_1/cancel") {
        response.writeHead(202).end("{}");
        stream?.end(event("result", record({ status: "killed", exit_code: null, reason: "cancelled by request" })));
        return;
      }
      stream = response;
      response.writeHead(200).write(event("started", { id: "run_1" }) + event("stdout", { text: "working\n" }));
    };
    program("a.sh", "sleep 100");
    const child = start(["run", "a.sh", "--no-stdin"]);
    child.stdout?.once("data", () => child.kill("SIGINT"));
    const ran = await finish(child);
    expect(ran).toMatchObject({ code: 130, stdout: "working\n" });
    expect(seen.map((request) => request.url)).toEqual(["/v1/runs", "/v1/runs/run_1/cancel"]);
  });

  it("a second Ctrl-C leaves a server that does not answer", async () => {
    answer = (request, _body, response) =>
      void (request.url === "/v1/runs" && response.writeHead(200).write(event("started", { id: "run_1" }) + event("stdout", { text: "x" })));
    program("a.sh", "sleep 100");
    const child = start(["run", "a.sh", "--no-stdin"]);
    child.stdout?.once("data", () => {
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGINT"), 300);
    });
    expect((await finish(child)).code).toBe(130);
  });

  it("passes on the server's own problem, with its hint", async () => {
    answer = (_request, _body, response) =>
      void response
        .writeHead(503, { "content-type": "application/problem+json" })
        .end(JSON.stringify({ code: "overloaded", detail: "512 runs are waiting", hint: "Retry after 1 s." }));
    const ran = await plastron(["run", "-", "-l", "bash"], "x");
    expect([ran.code, ran.stdout]).toEqual([1, ""]);
    expect(ran.stderr).toMatch(/512 runs are waiting.*Retry after 1 s\..*\[overloaded\]/);
  });

  it("an error after the first event is an error too", async () => {
    streams(event("started", { id: "run_1" }), event("error", { code: "sandbox_failed", detail: "mount refused", hint: "doctor" }));
    expect(await plastron(["run", "-", "-l", "bash"], "x")).toMatchObject({ code: 1, stderr: expect.stringContaining("[sandbox_failed]") });
  });

  it("a stream that ends without a result is no success", async () => {
    streams(event("started", { id: "run_1" }));
    expect(await plastron(["run", "-", "-l", "bash"], "x")).toMatchObject({ code: 1, stderr: expect.stringContaining("without a result") });
  });

  it("refuses input that is not UTF-8, rather than change it", async () => {
    program("a.py", "");
    writeFileSync(join(place, "a.py"), Buffer.from([0xff, 0xfe]));
    expect(await plastron(["run", "a.py"])).toMatchObject({ code: 2, stderr: expect.stringContaining("not valid UTF-8") });
    expect(seen).toEqual([]);
  });
});

describe("policy check", () => {
  const policy = (rules: string) =>
    `apiVersion: crd.varmor.org/v1beta1\nkind: VarmorPolicy\nmetadata: { name: p }\nspec:\n  target: { kind: Pod, name: x }\n  policy:\n    enforcer: BPF\n    mode: EnhanceProtect\n    enhanceProtect:\n      hardeningRules: ${rules}\n`;

  it("names file, line and nearest name of one error once, and of several one below the other", async () => {
    program("one.yaml", policy("[disallow-mont]"));
    const one = await plastron(["policy", "check", "one.yaml"]);
    expect([one.code, one.stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect(one.stderr).toContain('error one.yaml:10:24: there is no rule "disallow-mont". Did you mean "disallow-mount"? docs/');
    program("two.yaml", policy("[disallow-mont, disable-shell]"));
    const two = await plastron(["policy", "check", "two.yaml"]);
    expect(
      two.stderr
        .trim()
        .split("\n")
        .map((text) => text.trim().split(" ")[0]),
    ).toEqual(["error", "two.yaml:10:24", "two.yaml:10:39"]);
  });

  it("warns of what upstream passes over in silence where it is asked to read as upstream does", async () => {
    program("compat.yaml", policy("[disallow-mont, disallow-mount]"));
    const { code, stdout, stderr } = await plastron(["policy", "check", "--upstream-compat", "compat.yaml"]);
    expect([code, stdout]).toEqual([0, "valid: p, 1 rule of its own, tier 2 or stronger\n"]);
    expect(stderr).toContain('warning compat.yaml: spec.policy.enhanceProtect.hardeningRules[0]: there is no rule "disallow-mont"');
    const json = JSON.parse((await plastron(["policy", "check", "--upstream-compat", "--json", "compat.yaml"])).stdout);
    expect(json.warnings).toMatchObject([{ rule: "disallow-mont" }]);
  });
});

describe("policy explain", () => {
  it("shows the policy's own rules before the floor, and the sum", async () => {
    const { code, stdout } = await plastron(["policy", "explain", join(import.meta.dirname, "../../policies/dify-sandbox.yaml")]);
    const places = ["What the policy asks for", "disallow-mount ", "What lies under every policy", "floor-mounts ", " stricter, "].map((text) =>
      stdout.indexOf(text),
    );
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect([code, places.includes(-1)]).toEqual([0, false]);
  });
});

describe("without a server", () => {
  it("says that none was started, or that it does not answer", async () => {
    program("a.py", "");
    expect(await plastron(["run", "a.py"], "", { PLASTRON_URL: "", PLASTRON_API_KEY: "" })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no server was ever started.*plastron up.*\[not_running\]/),
    });
    expect(await plastron(["run", "a.py"], "", { PLASTRON_URL: "http://127.0.0.1:1" })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/nothing listens there.*\[not_running\]/),
    });
  });

  it("never sends the local key to another server", async () => {
    const home = join(place, "home");
    const { mkdirSync } = await import("node:fs");
    mkdirSync(home);
    writeFileSync(join(home, "cli.json"), JSON.stringify({ url: "http://127.0.0.1:1", key: "local-key" }));
    program("a.py", "");
    const ran = await plastron(["run", "a.py"], "", { PLASTRON_API_KEY: "" });
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining("[unauthorized]") });
    expect(seen).toEqual([]);
  });

  it("status exits 1 and down 0", async () => {
    const status = await plastron(["status", "--json"]);
    expect([status.code, JSON.parse(status.stdout).running]).toEqual([1, false]);
    expect(await plastron(["down", "--json"])).toMatchObject({ code: 0, stdout: expect.stringContaining('"stopped": false') });
  });
});

describe("records", () => {
  it("lists runs as a table, and as the API's page for scripts", async () => {
    const run = record({ created_at: "2026-01-02T03:04:05.678Z", policy: { name: "default", version: null }, usage: { wall_ms: 12.4 } });
    answer = (_request, _body, response) => void response.writeHead(200).end(JSON.stringify({ data: [run], next_cursor: null }));
    const table = await plastron(["runs", "list", "--status", "completed"]);
    expect(table.stdout).toMatch(/^ID +STARTED +LANGUAGE +POLICY +TIME +STATUS\nrun_1 +2026-01-02T03:04:05 +python3 +default +12 ms +completed\n$/);
    expect(seen[0]?.url).toBe("/v1/runs?status=completed&limit=20");
    expect(JSON.parse((await plastron(["runs", "list", "--json"])).stdout).data).toHaveLength(1);
  });

  it("prints a new key alone on stdout", async () => {
    answer = (_request, _body, response) =>
      void response.writeHead(201).end(JSON.stringify({ id: "key_1", key: "pla_x", scopes: ["run"], tenant: "default", name: "ci" }));
    expect(await plastron(["key", "create", "--name", "ci"])).toMatchObject({ code: 0, stdout: "pla_x\n" });
  });
});
