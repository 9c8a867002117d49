import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "@plastron/egress";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeDown } from "../lifecycle/down.ts";
import { CHECKOUT, resolveHome } from "../lifecycle/home.ts";

const built = existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));
const SECRET = "sk-the-real-one-93b1";

/** What a person types, with the real agent, server, database and sandboxes, and an API on this host that the operator has named. */
describe.runIf(process.getuid?.() === 0 && built)("a run that asks for a network, on the whole platform [needs: root]", { timeout: 90_000 }, () => {
  let place: string;
  let env: NodeJS.ProcessEnv;
  let api: Server;
  let port: number;
  const got: { url: string | undefined; authorization: string | undefined }[] = [];
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), "plastron-network-"));
    chmodSync(place, 0o711);
    const authority = new Authority(null);
    api = createServer({ SNICallback: (name, done) => done(null, authority.contextOf(name)) }, (request, response) => {
      got.push({ url: request.url, authorization: request.headers.authorization });
      response.end(`hello from ${request.url}\n`);
    });
    await new Promise<void>((ready) => api.listen(0, "127.0.0.1", ready));
    port = (api.address() as AddressInfo).port;
    mkdirSync(join(place, "secrets/default/openai"), { recursive: true });
    file("secrets/default/openai/token", `${SECRET}\n`);
    file("hosts", "127.0.0.1 api.internal.test other.internal.test # ours\n");
    file("trust.pem", authority.pem.certificate);
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("PLASTRON_"));
    env = {
      ...Object.fromEntries(clean),
      ...{ PLASTRON_HOME: join(place, "home"), PLASTRON_PORT: "0", PLASTRON_EGRESS_SECRETS: join(place, "secrets") },
      ...{ PLASTRON_EGRESS_HOSTS: join(place, "hosts"), PLASTRON_EGRESS_TRUST: join(place, "trust.pem") },
    };
    const up = await plastron(["up", "--detach"]);
    expect(up.code, up.err).toBe(0);
  }, 60_000);
  afterAll(async () => {
    await takeDown(resolveHome(join(place, "home"))).catch(() => {});
    await new Promise((closed) => api.close(closed));
    rmSync(place, { recursive: true, force: true });
  });

  function file(name: string, text: string): string {
    writeFileSync(join(place, name), text);
    return name;
  }
  function plastron(args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [join(CHECKOUT, "packages/cli/main.ts"), ...args], { env, cwd: place, stdio: ["ignore", "pipe", "pipe"] });
    const ran = { out: "", err: "" };
    child.stdout?.on("data", (chunk) => (ran.out += chunk));
    child.stderr?.on("data", (chunk) => (ran.err += chunk));
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...ran })));
  }
  const url = (path: string, host = "api.internal.test") => `https://${host}:${port}${path}`;
  const fetching = (...urls: string[]) =>
    file(
      "fetch.py",
      `import os, urllib.request, urllib.error\nfor url in ${JSON.stringify(urls)}:\n  request = urllib.request.Request(url, headers={"Authorization": "Bearer " + os.environ.get("API_KEY", "none")})\n  try: print(urllib.request.urlopen(request).read().decode().strip())\n  except urllib.error.HTTPError as e: print(e.code)\n  except urllib.error.URLError as e: print(e.reason)\n`,
    );

  it("reaches nothing unless it asks, then what it asks, and is told which line would allow the rest", async () => {
    expect((await plastron(["run", fetching(url("/v1/me"))])).out).toMatch(/not known|name resolution/);
    const asked = await plastron([
      "run",
      fetching(url("/v1/me"), url("/v2"), url("/", "other.internal.test")),
      "--allow-net",
      `GET https://api.internal.test:${port}/v1/*`,
    ]);
    expect(asked.out.split("\n").slice(0, 2)).toEqual(["hello from /v1/me", "403"]);
    expect(asked.out).toMatch(/\[Errno -2\] Name or service not known/);
    expect(asked.err).toContain("network.allow");
    expect(asked.err).toContain(`--allow-net 'GET https://api.internal.test:${port}/v2'`);
    const [last] = JSON.parse((await plastron(["runs", "list", "--limit", "1", "--json"])).out).data;
    expect(last.network).toMatchObject({ given_by: "request", allow: [{ domains: ["api.internal.test"], methods: ["GET"], paths: ["/v1/*"] }] });
    expect((await plastron(["runs", "show", last.id])).out).toMatch(new RegExp(`Network +api.internal.test:${port} \\(GET /v1/\\*\\)`));
  });

  it("is told by --trace where it was denied what, and hides nothing behind a flood of names", async () => {
    file(
      "flood.py",
      `import socket, urllib.request
for i in range(300):
  try: socket.getaddrinfo(f"n{i}.evil.test", 80)
  except OSError: pass
open("flooded", "w")
try: urllib.request.urlopen("${url("/v2")}")
except OSError as e: print(e)
try: open("/etc/passwd")
except OSError as e: print(e)
`,
    );
    const policy = `
apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: { name: passwd }
spec:
  target: { kind: Pod, selector: { matchLabels: {} } }
  policy:
    enforcer: BPF
    mode: EnhanceProtect
    enhanceProtect:
      auditViolations: true
      bpfRawRules:
        files: [{ qualifiers: [deny, audit], pattern: /etc/passwd, permissions: [read] }]
`;
    const ran = await plastron([
      "run",
      "flood.py",
      "--policy-file",
      file("passwd.yaml", policy),
      "--trace",
      "--allow-net",
      `GET https://api.internal.test:${port}/v1/*`,
    ]);
    expect(ran.out, ran.err).toMatch(/403[\s\S]*passwd/);
    const lines = ran.err.split("\n");
    const at = (words: string) => lines.findIndex((each) => each.includes(words));
    expect(at("asks for n0.evil.test")).toBeGreaterThan(0);
    expect(lines[at("asks for n0.evil.test") + 1]).toMatch(/why +network.allow/);
    expect(at("asks for n7.evil.test")).toBeGreaterThan(at("asks for n0.evil.test"));
    const denied = at("denied: GET ");
    expect(denied).toBeGreaterThan(at("writes flooded"));
    expect(lines.slice(denied, denied + 3).join("\n")).toContain(`--allow-net 'GET https://api.internal.test:${port}/v2'`);
    expect(at("/etc/passwd")).toBeGreaterThan(denied);
    const [last] = JSON.parse((await plastron(["runs", "list", "--limit", "1", "--json"])).out).data;
    const listed = (await plastron(["violations", "--run", last.id])).out;
    for (const words of ["*.evil.test", `://api.internal.test:${port}/v2`, "/etc/passwd"]) expect(listed).toContain(words);
    expect((await plastron(["runs", "show", last.id, "--trace"])).out).toContain("denied: GET ");
  });

  it("uses a secret that it never has, in a run and in a session", async () => {
    got.length = 0;
    const flags = ["--allow-net", `api.internal.test:${port}`, "--secret", "API_KEY=openai/token@api.internal.test"];
    const program = fetching(url("/v1/me"));
    file("show.py", "import os; print(os.environ['API_KEY'])");
    expect((await plastron(["run", program, ...flags])).out).toBe("hello from /v1/me\n");
    expect(got).toEqual([{ url: "/v1/me", authorization: `Bearer ${SECRET}` }]);
    expect((await plastron(["run", "show.py", ...flags])).out).not.toContain(SECRET);
    const opened = await plastron(["session", "open", "-l", "python3", ...flags]);
    expect(opened.code, opened.err).toBe(0);
    const session = opened.out.trim();
    expect((await plastron(["session", "run", session, program])).out).toBe("hello from /v1/me\n");
    expect(got[1]?.authorization).toBe(`Bearer ${SECRET}`);
    expect((await plastron(["session", "show", session])).out).toMatch(/Network +api.internal.test:\d+; secret API_KEY for api.internal.test/);
    expect((await plastron(["session", "close", session])).code).toBe(0);
  });

  it("is refused with a hint what no run may ask for", async () => {
    file("true.py", "print(1)");
    const refused = async (...flags: string[]) => await plastron(["run", "true.py", ...flags]);
    expect(await refused("--allow-net", "10.0.0.0/24:5432")).toMatchObject({ code: 2, out: "", err: expect.stringContaining("PLASTRON_EGRESS_HOSTS") });
    expect(await refused("--allow-net", "*.com")).toMatchObject({ code: 2, err: expect.stringContaining("*.example.com") });
    expect(await refused("--allow-net", "api.internal.test", "--min-tier", "3")).toMatchObject({ code: 2, out: "" });
    expect(await refused("--secret", "API_KEY=openai/token@api.internal.test")).toMatchObject({ code: 2, err: expect.stringContaining("no network") });
  });
});
