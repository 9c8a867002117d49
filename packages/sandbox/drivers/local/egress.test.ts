import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault, compilePolicy, parsePolicy } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { hasPythonModule } from "../../testing/installed.ts";
import { NAMES, type Outside, outside, wayOut } from "../../testing/outside.ts";
import { openLocalDriver } from "./index.ts";

const isRoot = process.getuid?.() === 0;
const home = mkdtempSync(join(tmpdir(), "plastron-egress-"));
const secrets = mkdtempSync(join(tmpdir(), "plastron-secrets-"));
afterAll(() => {
  for (const directory of [home, secrets]) rmSync(directory, { recursive: true, force: true });
});

const limits = { ...DEFAULT_LIMITS, wall_ms: 20_000 };
const [API, OTHER] = NAMES as [string, string];
const hasRequests = isRoot && hasPythonModule("requests");

/** The policy of upstream's end-to-end test (test/e2e/manifests/networkproxy), word for word but for the name of the host. */
const ACCEPTANCE = `
apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: { name: networkproxy, namespace: demo }
spec:
  target: { kind: Deployment, name: demo }
  policy:
    enforcer: NetworkProxy
    mode: EnhanceProtect
    networkProxyConfig:
      mitm:
        domains: [api.test]
        headerMutations:
        - domain: api.test
          headers:
          - { name: X-Request-Source, value: varmor-agent }
          - { name: Authorization, secretRef: { name: api, key: token } }
    enhanceProtect:
      networkProxyRawRules:
        egress:
          defaultAction: deny
          httpRules:
          - { qualifiers: [deny], match: { hosts: [api.test], paths: [{ prefix: /admin/ }, { exact: /secret }] } }
          - { qualifiers: [allow, audit], match: { hosts: [api.test], paths: [{ exact: /get }, { prefix: /headers }], methods: [GET] } }
`;

describe.runIf(isRoot)("[needs: root] a sandbox with a way out", () => {
  let world: Outside;
  let driver: SandboxDriver;
  let use: Bench;
  beforeAll(async () => {
    chmodSync(secrets, 0o755);
    mkdirSync(join(secrets, "acme/api"), { recursive: true });
    writeFileSync(join(secrets, "acme/api/token"), "Bearer s3cret-token\n");
    world = await outside({ secrets });
    driver = await openLocalDriver({ home, egress: world.egress });
    const { confinement } = compilePolicy(parsePolicy(ACCEPTANCE), { ...TYPICAL_HOST, egress: true });
    use = bench(driver, confinement);
  });
  afterAll(async () => {
    await driver.close();
    await world.close();
  });

  const url = (path: string) => `https://${API}:${world.https}${path}`;

  it("reaches what is allowed, with the header that only the proxy knows, and curl --fail ends with 22 for the rest", async () => {
    const code = `
curl -sS --fail ${url("/get")} && echo; echo "get $?"
curl -sS --fail ${url("/headers?x=1")}; echo "headers $?"
for path in /admin/login /secret /elsewhere; do curl -sS --fail ${url("$path")} > /dev/null 2>&1; echo "$path $?"; done
curl -sS --fail -X POST ${url("/get")} > /dev/null 2>&1; echo "post $?"
curl -sS ${url("/admin/login")}
env | grep -c s3cret`;
    const ran = await use.bash(code, { limits, tenant: "acme" });
    const lines = ran.stdout.trim().split("\n");
    expect(JSON.parse(lines[0] as string)).toMatchObject({
      method: "GET",
      url: "/get",
      headers: { "x-request-source": "varmor-agent", authorization: "Bearer [secret api/token]" },
    });
    expect(world.headers[0]).toMatchObject({ "x-request-source": "varmor-agent", authorization: "Bearer s3cret-token" });
    expect(ran.stdout).not.toContain("s3cret-token");
    expect(lines).toEqual(expect.arrayContaining(["get 0", "headers 0", "/admin/login 22", "/secret 22", "/elsewhere 22", "post 22", "0"]));
    expect(ran.stdout).toMatch(/Plastron: GET https:\/\/api.test:\d+\/admin\/login was denied: networkProxyRawRules.egress.httpRules\[0\]/);
    expect(world.reached).toEqual([`GET ${API}:${world.https}/get`, `GET ${API}:${world.https}/headers?x=1`]);
    const http = (path: string, method = "GET") => ({ operation: "Network", type: "http", method, host: API, path, port: world.https });
    const said = ran.violations.map(({ action, event }) => ({ action, event }));
    expect(said).toEqual(
      expect.arrayContaining([
        { action: "ALLOWED", event: http("/get") },
        { action: "DENIED", event: http("/admin/login") },
        { action: "DENIED", event: http("/elsewhere") },
        { action: "DENIED", event: http("/get", "POST") },
      ]),
    );
    expect(JSON.stringify(ran.violations)).not.toContain("s3cret");
    expect(ran.violations.find(({ action }) => action === "DENIED")).toMatchObject({
      enforcer: "NetworkProxy",
      rule_path: expect.stringContaining("httpRules[0]"),
    });
  });

  const python = (body: string) => `import urllib.request, urllib.error\n${body}`;
  it("from Python, with what comes with it", async () => {
    const ran = await use.python(
      python(`print(urllib.request.urlopen('${url("/get")}').status)
try: urllib.request.urlopen('${url("/admin/x")}')
except urllib.error.HTTPError as e: print(e.code, e.read().decode().split(' was ')[1].split(':')[0])`),
      { limits, tenant: "acme" },
    );
    expect(ran).toMatchObject({ stdout: "200\n403 denied\n", stderr: "" });
  });

  it.runIf(hasRequests)("[needs: python3-requests] from Python's requests", async () => {
    const ran = await use.python(`import requests\nprint(requests.get('${url("/get")}').status_code, requests.get('${url("/secret")}').status_code)`, {
      limits,
      tenant: "acme",
    });
    expect(ran).toMatchObject({ stdout: "200 403\n" });
  });

  it("from Node's fetch", async () => {
    const ran = await use.node(`Promise.all(['/get','/secret'].map(p => fetch('${url("")}' + p))).then(all => console.log(...all.map(r => r.status)))`, {
      limits,
      tenant: "acme",
    });
    expect(ran).toMatchObject({ stdout: "200 403\n", stderr: "" });
  });

  it.runIf(existsSync("/usr/bin/wget"))("[needs: wget] from wget, which asks no variable whom to trust", async () => {
    expect((await use.bash(`wget -q -O - ${url("/get")} | head -c 15; wget -q ${url("/secret")}; echo " $?"`, { limits, tenant: "acme" })).stdout).toBe(
      '{"method":"GET" 8\n',
    );
  });

  it.runIf(existsSync("/usr/bin/git"))("[needs: git] from git", async () => {
    const ran = await bench(driver, wayOut({ http: [{ hosts: [API] }], mitm: { domains: [API], mutations: [] } })).bash(
      `git ls-remote ${url("/repo.git")} 2>&1; true`,
      { limits },
    );
    expect(ran.stdout).toContain("not valid: is this a git repository?"); // the server speaks no git, but answered
    expect(world.reached.at(-1)).toContain("/repo.git/info/refs?service=git-upload-pack");
  });

  it("tells whoever is denied what was denied, by which rule, and what would allow it, in the words of every client", async () => {
    const rules = wayOut({
      http: [
        { hosts: [API], paths: [["exact", "/get"]] },
        { hosts: [OTHER], ports: [[world.https, world.https]], methods: ["GET"] },
      ],
      mitm: { domains: [API], mutations: [] },
    });
    const code = `
import json, subprocess, urllib.request
def run(*command): return subprocess.run(command, capture_output=True, text=True)
def fetch(url): return run('node', '-e', "fetch(process.argv[1]).then(async r => console.log(r.status, await r.text()), e => console.log(e.cause.code, e.cause.message))", url).stdout
def requests(url): return run('python3', '-c', "import requests, sys\\ntry: r = requests.get(sys.argv[1]); print(r.status_code, r.text)\\nexcept Exception as e: print(e)", url).stdout
def curl(url): r = run('curl', '-sS', '-w', '%{http_code}', url); return r.stdout + r.stderr
for kind, url in (('page', '${url("/other")}'), ('blind', 'https://${OTHER}:${world.https}/get'), ('address', 'http://8.8.8.8/'), ('name', 'https://evil.example/')):
    for client in (curl, requests, fetch): print(json.dumps([kind, client.__name__, client(url)]))`;
    const ran = await bench(driver, rules).python(code, { limits, tenant: "acme" });
    expect(ran.stderr).toBe("");
    const said = ran.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as [kind: string, client: string, text: string]);
    const of = (kind: string) => said.filter(([one, client]) => one === kind && (hasRequests || client !== "requests")).map(([, , text]) => text);
    for (const text of of("page")) {
      expect(text).toContain(`Plastron: GET ${url("/other")} was denied: default (spec.default)`);
      expect(text).toContain(`To allow it: --allow-net 'GET https://${API}:${world.https}/other', or in the policy httpRules`);
      expect(text).toContain("403");
    }
    for (const text of of("blind")) expect(text).toMatch(/access denied|ACCESS_DENIED/i);
    for (const text of of("address")) expect(text).toMatch(/a connection to 8\.8\.8\.8:80 was denied: default[\s\S]*--allow-net 8\.8\.8\.8/);
    for (const text of of("name")) expect(text).toMatch(/resolve|ENOTFOUND|Name or service not known/i);
    const hints = ran.violations
      .filter(({ action }) => action === "DENIED")
      .map(({ event, hint }) => [("host" in event && event.host) || ("ip" in event && event.ip), hint]);
    const hintOf = (place: string) => hints.find(([one]) => one === place)?.[1];
    expect(hintOf(API)).toContain("--allow-net 'GET https://");
    expect(hintOf(OTHER)).toContain("TLS hides those");
    expect(hintOf("8.8.8.8")).toContain("cidr: 8.8.8.8");
    expect(hintOf("evil.example")).toContain("--allow-net evil.example");
  });

  it("keeps its own servers to itself, on 127.0.0.1 and ::1", async () => {
    const code = `
import socket, threading
for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
    server = socket.socket(family); server.bind((host, 0)); server.listen()
    threading.Thread(target=lambda: server.accept()[0].sendall(b'mine')).start()
    print(socket.create_connection(server.getsockname()[:2]).recv(9).decode())`;
    expect(await use.python(code)).toMatchObject({ stdout: "mine\nmine\n", stderr: "" });
  });

  it("passes clear HTTP, TLS that it does not end, and other streams, by name and by address", async () => {
    const rules = wayOut({ http: [{ hosts: [API, "*.test"] }], addresses: [{ cidr: "127.0.0.0/8", ports: [[world.echo, world.echo]] }] });
    const code = `
curl -sS http://${API}:${world.http}/clear | head -c 30; echo
curl -sSk https://${OTHER}:${world.https}/opaque | head -c 30; echo
exec 3<>/dev/tcp/${OTHER}/${world.echo}; echo hello >&3; head -1 <&3`;
    const ran = await bench(driver, rules).bash(code, { limits, tenant: "acme" });
    expect(ran.stdout).toBe('{"method":"GET","url":"/clear"\n{"method":"GET","url":"/opaque\nhello\n');
  });

  it("keeps half of a connection open when the other half has ended", async () => {
    const rules = wayOut({ addresses: [{ cidr: "127.0.0.1/32" }] });
    const code = `
import socket
s = socket.create_connection(('${API}', ${world.echo}))
import threading
threading.Thread(target=lambda: (s.sendall(b'y' * 3_000_000), s.shutdown(socket.SHUT_WR))).start()
n = 0
while chunk := s.recv(65536): n += len(chunk)
print(n)`;
    expect(await bench(driver, rules).python(code, { limits, tenant: "acme" })).toMatchObject({ stdout: "3000000\n", stderr: "" });
  });

  it("in a session, run after run, each with its own records", async () => {
    const rules = wayOut({ http: [{ hosts: [API], paths: [["exact", "/get"]] }] });
    const session = await driver.openSession({
      session_id: "s",
      tenant: "ten_conformance",
      runtime: "python3",
      limits,
      imports: [],
      confinement: rules,
      min_tier: 1,
    });
    const once = (path: string) =>
      use.inSession(session, {
        runtime: "python3",
        code: python(`print(urllib.request.urlopen('http://${API}:${world.http}${path}').status)`),
        confinement: rules,
        limits,
      });
    expect(await once("/get")).toMatchObject({ stdout: "200\n", violations: [{ action: "ALLOWED" }] });
    expect(await once("/other")).toMatchObject({ stderr: expect.stringContaining("403"), violations: [{ action: "DENIED" }] });
    await session.close("done");
  });

  it("is refused by a driver without an egress process, and leaves all others as they were", async () => {
    const bare = await openLocalDriver({ home: join(home, "bare") });
    await expect(bench(bare, use.confinement).bash("true")).rejects.toMatchObject({
      code: "sandbox_failed",
      message: expect.stringContaining("no egress process"),
    });
    await bare.close();
    const { confinement } = compileDefault(TYPICAL_HOST);
    expect(confinement.network).toBeNull();
    expect((await bench(driver, confinement).bash(`curl -sS -m 2 ${url("/get")} 2>&1; true`)).stdout).toContain("Could not resolve host");
  });
});
