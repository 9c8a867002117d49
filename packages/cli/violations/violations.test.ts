import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UNSEEN, type Violation, type ViolationEvent } from "@plastron/contracts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { runCommandLine } from "../program.ts";
import { painter } from "../terminal/terminal.ts";
import { describeViolation } from "./words.ts";

const POLICY = `apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata:
  name: strict
spec:
  target: { kind: Pod, name: x }
  policy:
    enforcer: BPF
    mode: EnhanceProtect
    enhanceProtect:
      attackProtectionRules:
        - rules:
            - disable-access-shadow
            - disable-shell
`;
const base = { ...UNSEEN, enforcer: "BPF", action: "DENIED", pid: 7, comm: "cat", mnt_ns_id: 1, at: "2026-01-02T03:04:05.678Z" } as const;
const read = (path: string, more: Partial<Violation> = {}): Violation => ({
  ...{ ...base, rule_id: "disable-access-shadow", rule_path: "spec.policy.enhanceProtect.attackProtectionRules[0].rules[0]" },
  ...{ event: { operation: "File", path, permissions: ["read"] }, ...more },
});
const record = (violations: Violation[], policy: object, dropped = 0) => ({
  ...{ id: "run_1", status: "failed", language: "bash", exit_code: 1, signal: null, reason: null, limits_hit: [], stdout: "", stderr: "", artifacts: [] },
  ...{ violations, violations_dropped: dropped, policy },
});

let place: string;
let server: Server;
let pages: (url: URL, body: string) => { status?: number; body: string };
let asked: { url: string; body: string; headers: IncomingHttpHeaders }[];
const before = { ...process.env };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ url: request.url ?? "", body, headers: request.headers });
    const answer = pages(new URL(request.url ?? "", "http://x"), body);
    response.writeHead(answer.status ?? 200).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-cli-violations-"));
  asked = [];
  process.env.PLASTRON_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.PLASTRON_API_KEY = "k";
});
afterEach(() => {
  process.env = { ...before };
  rmSync(place, { recursive: true, force: true });
});
afterAll(() => void server.close());

async function plastron(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  const stream = (name: "out" | "err") => {
    const write = (chunk: string) => {
      text[name] += chunk;
      return true;
    };
    return { write } as unknown as NodeJS.WritableStream;
  };
  const plain = painter(false);
  const terminal = { out: stream("out"), err: stream("err"), columns: Number.POSITIVE_INFINITY, interactive: false, paint: plain, paintErr: plain };
  return { code: await runCommandLine(args, terminal), ...text };
}
function file(name: string, text: string): string {
  writeFileSync(join(place, name), text);
  return join(place, name);
}
const streamed = (result: object) => `event: result\ndata: ${JSON.stringify(result)}\n\n`;

describe("after a run", () => {
  it("each violation is told on one line, with the rule, its line in the file, and what would allow it", async () => {
    const hits = [read("/etc/shadow"), read("/etc/shadow"), read("/etc/gshadow", { action: "AUDIT" })];
    pages = () => ({ body: streamed(record(hits, { name: "strict", version: null, sha256: "a" }, 7)) });
    const policy = file("strict.yaml", POLICY);
    const { code, err } = await plastron("run", file("a.sh", "cat /etc/shadow"), "--no-stdin", "--policy-file", policy);
    expect(JSON.parse(asked[0]?.body ?? "")).toMatchObject({ policy_yaml: POLICY, code: "cat /etc/shadow" });
    expect(code).toBe(1);
    expect(err.trim().split("\n")).toEqual([
      `plastron: denied: read /etc/shadow (2 times) by disable-access-shadow at ${policy}:13: remove that line to lift the rule`,
      `plastron: let through and recorded: read /etc/gshadow by disable-access-shadow at ${policy}:13`,
      "plastron: 7 more were counted and not recorded",
    ]);
  });

  it("a name that leads nowhere is nobody's denial, and stands in no policy", async () => {
    const event: ViolationEvent = { operation: "Network", type: "http", method: "", host: "a.test", path: "", port: 443 };
    const missing = { ...read("/"), event, rule_id: "egress/unknown-name", rule_path: "", hint: "No rule forbids it." };
    pages = () => ({ body: streamed(record([missing], { name: "strict", version: null, sha256: "a" })) });
    const { err } = await plastron("run", file("a.sh", "x"), "--no-stdin", "--policy-file", file("strict.yaml", POLICY));
    expect(err).toBe("plastron: not reached: connect to a.test:443 by egress/unknown-name: No rule forbids it.\n");
  });

  it("what is denied although the policy lets it pass is the platform's own, and no line of the policy lifts it", async () => {
    pages = () => ({ body: streamed(record([read("/etc/shadow")], { name: "strict", version: null, sha256: "a" })) });
    const observing = file("observing.yaml", POLICY.replace("enhanceProtect:", "enhanceProtect:\n      allowViolations: true\n      auditViolations: true"));
    const { err } = await plastron("run", file("a.sh", "x"), "--no-stdin", "--policy-file", observing);
    expect(err).toContain("observing.yaml:15, which lets it pass: the platform itself denies it");
    expect(err).not.toContain("remove that line");
  });

  it("what nobody asked a record of is told where the run failed, once for each kind, and not with --quiet", async () => {
    const seen = {
      ...read("/etc/shadow"),
      audited: false,
      hint: "remove disable-access-shadow (spec.policy.enhanceProtect.attackProtectionRules[0].rules[0]) from the policy to allow it",
    };
    const policy = file("strict.yaml", POLICY);
    const of = async (status: string, ...flags: string[]) => {
      pages = () => ({
        body: streamed({ ...record([seen, seen], { name: "strict", version: null, sha256: "a" }), status, exit_code: status === "completed" ? 0 : 1 }),
      });
      return (await plastron("run", file("a.sh", "x"), "--no-stdin", "--policy-file", policy, ...flags)).err;
    };
    expect(await of("failed")).toBe(
      `plastron: denied: read /etc/shadow (2 times) by disable-access-shadow at ${policy}:13: remove disable-access-shadow (${policy}:13) from the policy to allow it\n`,
    );
    expect([await of("completed"), await of("failed", "--quiet")]).toEqual(["", ""]);
  });

  it("a policy that the server refuses is told with its file", async () => {
    const errors = [{ path: "spec.policy", message: "no such rule", line: 7, column: 3 }];
    pages = () => ({ status: 422, body: JSON.stringify({ code: "invalid_policy", detail: "line 7, column 3: no such rule", hint: "h", errors }) });
    const policy = file("wrong.yaml", POLICY);
    for (const args of [
      ["run", file("a.sh", "x"), "--no-stdin", "--policy-file", policy],
      ["policy", "put", "p", policy],
    ]) {
      const { code, err } = await plastron(...args);
      expect([code, err.trim()]).toEqual([2, `error ${policy}:7:3: no such rule. h [invalid_policy]`]);
    }
  });

  it("a stored policy is fetched for its lines, in the version that the run had", async () => {
    pages = (url) => ({
      body: url.pathname === "/v1/runs" ? streamed(record([read("/etc/shadow")], { name: "stored", version: 3 })) : JSON.stringify({ yaml: POLICY }),
    });
    const { err } = await plastron("run", file("a.sh", "x"), "--no-stdin", "--policy", "stored");
    expect(asked[1]?.url).toBe("/v1/policies/stored?version=3");
    expect(err).toContain("by disable-access-shadow at stored:13");
  });

  it("what lies under every policy, and a policy that cannot be read, are told without a line", async () => {
    pages = (url) =>
      url.pathname === "/v1/runs"
        ? {
            body: streamed(
              record([read("/proc/kcore", { rule_id: "floor-files", rule_path: "spec.policy.mode" }), read("/etc/shadow")], { name: "p", version: 1 }),
            ),
          }
        : { status: 403, body: "{}" };
    const { err } = await plastron("run", file("a.sh", "x"), "--no-stdin", "--policy", "p");
    expect(err).toContain("by floor-files, which lies under every policy");
    expect(err).toMatch(/disable-access-shadow \(spec\.policy.* of the policy\): a policy without that rule lifts it/);
  });

  it("names that a program made up reach the terminal escaped and cut, and a flood is summed up", async () => {
    const hits = [read(`/x\n\u001b[2J\u202e${"y".repeat(5000)}`), ...Array.from({ length: 40 }, (_, i) => read(`/${i}`))];
    pages = () => ({ body: streamed(record(hits, { name: "default", version: null })) });
    const { err } = await plastron("run", file("a.sh", "x"), "--no-stdin");
    expect(err).not.toMatch(/[\u001b\u202e]/);
    expect(err).toContain("/x\\u000a\\u001b[2J\\u202e");
    const lines = err.trim().split("\n");
    expect([lines.length, lines.at(-1), Math.max(...lines.map(({ length }) => length)) < 400]).toEqual([
      21,
      "plastron: 21 more kinds: plastron violations --run run_1",
      true,
    ]);
  });

  it.each([
    [["--policy", "p", "--policy-file", "f"], "cannot both be given"],
    [["--upstream-compat"], "needs --policy-file"],
    [["--policy-file", "-"], "cannot be standard input"],
    [["--policy-file", "missing.yaml"], "does not exist"],
  ])("%j is wrong use", async (flags, why) => {
    const { code, err } = await plastron("run", file("a.sh", "x"), "--no-stdin", ...flags);
    expect([code, asked.length]).toEqual([2, 0]);
    expect(err).toContain(why);
  });
});

describe("plastron violations", () => {
  const stored = (n: number) => ({
    ...read(`/etc/${n}`),
    id: `run_1.${n}`,
    run_id: "run_1",
    session_id: null,
    policy: { name: "strict", version: 2 },
    recorded_at: base.at,
  });

  it("is a table for people and the API's page for scripts, filtered as asked", async () => {
    pages = () => ({ body: JSON.stringify({ data: [stored(1)], next_cursor: "run_1.1" }) });
    const { out, err, code } = await plastron("violations", "--run", "run_1", "--rule", "disable-access-shadow", "--action", "denied", "--limit", "1");
    expect(out).toMatch(/^TIME +RUN +POLICY +RULE +WHAT\n2026-01-02T03:04:05 +run_1 +strict:2 +disable-access-shadow +denied: read \/etc\/1\n$/);
    expect([code, err]).toEqual([0, "more: --cursor run_1.1\n"]);
    expect(asked[0]?.url).toBe("/v1/violations?run_id=run_1&rule=disable-access-shadow&action=DENIED&limit=1");
    expect(JSON.parse((await plastron("violations", "--json")).out).data).toHaveLength(1);
    await plastron("violations", "--since", "10m");
    const since = new URL(asked.at(-1)?.url ?? "", "http://x").searchParams.get("since");
    expect(Math.abs(Date.parse(since ?? "") - (Date.now() - 600_000))).toBeLessThan(5_000);
    await plastron("violations", "--since", "7d");
    expect(Date.parse(new URL(asked.at(-1)?.url ?? "", "http://x").searchParams.get("since") ?? "")).toBeLessThan(Date.now() - 6 * 86_400_000);
    expect(await plastron("violations", "--since", "yesterday")).toMatchObject({ code: 2 });
  });

  it("filters by whatever is named", async () => {
    pages = () => ({ body: JSON.stringify({ data: [], next_cursor: null }) });
    await plastron("violations", "--rule", "disable-cap-*", "--seen", "--operation", "File", "--enforcer", "BPF", "--text", "a&b", "--policy", "p");
    expect(asked[0]?.url).toBe("/v1/violations?rule_prefix=disable-cap-&audited=false&enforcer=BPF&operation=File&policy=p&text=a%26b&limit=50");
    expect(await plastron("violations", "--seen", "--audited")).toMatchObject({ code: 2 });
  });

  const event = (n: number, id: string) => `id: ${id}\nevent: violation\ndata: ${JSON.stringify(stored(n))}\n\n`;

  it("--follow prints each as it comes until Ctrl-C, and goes on behind the last where it was cut off", { timeout: 10_000 }, async () => {
    let turn = 0;
    pages = () => {
      turn++;
      if (turn === 3) process.emit("SIGTERM");
      return { body: [`: open\n\n${event(1, "10.1")}${event(2, "10.2")}`, event(3, "11.1"), ""][turn - 1] ?? "" };
    };
    const { out, code } = await plastron("violations", "--follow", "--json", "--rule", "r");
    const ids = out.trim().split("\n");
    expect(ids.map((text) => JSON.parse(text).id)).toEqual(["run_1.1", "run_1.2", "run_1.3"]);
    expect(asked.map(({ url }) => url)).toEqual(Array(3).fill("/v1/violations/stream?rule=r"));
    expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "10.2", "11.1"]);
    expect(code).toBe(130);
  });

  it("--follow shows what would allow it and the program's own words for who called, as text", { timeout: 10_000 }, async () => {
    const frames = [{ language: "python", function: "\u001b[2Jevil", file: "/workspace/a.py\nplastron: all is well", line: 3 }];
    const seen = { ...stored(1), audited: false, hint: "remove it", stack: { frames, truncated: false, incomplete: null } };
    let turn = 0;
    pages = () => {
      if (++turn === 2) process.emit("SIGTERM");
      return { body: turn === 1 ? `id: 1.1\nevent: violation\ndata: ${JSON.stringify(seen)}\n\n` : "" };
    };
    const { out } = await plastron("violations", "--follow");
    expect(out.split("\n").slice(1)).toEqual([
      "    allow   remove it",
      "    called  as the program tells it",
      "            \\u001b[2Jevil  a.py\\u000aplastron: all is well:3",
      "",
    ]);
  });

  it("--follow ends where the server refuses", async () => {
    pages = () => ({ status: 403, body: JSON.stringify({ code: "forbidden", detail: "no", hint: "h" }) });
    expect((await plastron("violations", "--follow")).code).toBe(2);
  });
});

it.each<[ViolationEvent, string]>([
  [{ operation: "Capability", capability: "net_raw" }, "use the capability net_raw"],
  [{ operation: "Bprm", path: "/bin/sh", permissions: ["exec"] }, "run /bin/sh"],
  [{ operation: "Network", type: "socket", domain: "AF_INET", socketType: "SOCK_RAW", protocol: "" }, "open a socket AF_INET SOCK_RAW"],
  [{ operation: "Network", type: "connect", ip: "fd00::1", port: 80 }, "connect to [fd00::1]:80"],
  [{ operation: "Network", type: "http", method: "GET", host: "a.b", path: "/x", port: 80 }, "GET http://a.b/x"],
  [{ operation: "Network", type: "http", method: "POST", host: "a.b", path: "/x", port: 8443 }, "POST http://a.b:8443/x"],
  [{ operation: "Network", type: "http", method: "", host: "a.b", path: "", port: 443 }, "connect to a.b:443"],
  [{ operation: "Network", type: "http", method: "", host: "a.b", path: "", port: 53 }, "look up a.b"],
  [{ operation: "Ptrace", permissions: ["trace"], external: false }, "trace another process"],
  [{ operation: "Mount", path: "/mnt", type: "proc", flags: ["bind"] }, "mount proc from /mnt (bind)"],
  [{ operation: "Mount", path: "/proc", type: "", flags: ["umount"] }, "unmount /proc"],
  [{ operation: "Syscall", syscall: "bpf", arguments: [] }, "call bpf"],
])("%j in words", (event, words) => {
  expect(describeViolation({ ...read("/"), event })).toBe(`denied: ${words}`);
});
