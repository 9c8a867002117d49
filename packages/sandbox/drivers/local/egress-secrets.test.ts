import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, type SecretGrant } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { hasPythonModule } from "../../testing/installed.ts";
import { NAMES, type Outside, outside, wayOut } from "../../testing/outside.ts";
import { processesOf, searchFiles, searchMemory } from "../../testing/search.ts";
import { untilThen } from "../../testing/waiting.ts";
import { placeSecrets } from "./egress-secrets.ts";
import { openLocalDriver } from "./index.ts";

/** A secret that a program uses is nowhere in its sandbox: not in a byte of memory, not in a file, before, while and after. */
const isRoot = process.getuid?.() === 0;
const home = mkdtempSync(join(tmpdir(), "plastron-egress-secrets-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const limits = { ...DEFAULT_LIMITS, wall_ms: 30_000 };
const [API, OTHER] = NAMES as [string, string];
/** Made here, so that it is in no file that a sandbox could see. */
const SECRET = `sk-${randomBytes(18).toString("hex")}`;
const forms = {
  plain: Buffer.from(SECRET),
  utf16: Buffer.from(SECRET, "utf16le"),
  base64: Buffer.from(Buffer.from(SECRET).subarray(0, 36).toString("base64")),
  "base64 after a name": Buffer.from(Buffer.from(`me:${SECRET}`).subarray(0, 36).toString("base64")),
  hexadecimal: Buffer.from(Buffer.from(SECRET).toString("hex")),
};
const grants: SecretGrant[] = [{ env: "API_KEY", name: "api", key: "token", hosts: [API] }];
const hasRequests = isRoot && hasPythonModule("requests");

describe.runIf(isRoot)("[needs: root] a secret that a program uses", () => {
  let world: Outside;
  let driver: SandboxDriver;
  let use: Bench;
  beforeAll(async () => {
    mkdirSync(join(home, "secrets/acme/api"), { recursive: true });
    writeFileSync(join(home, "secrets/acme/api/token"), SECRET);
    chmodSync(home, 0o755);
    world = await outside({ secrets: join(home, "secrets") });
    driver = await openLocalDriver({ home: join(home, "driver"), egress: world.egress });
    use = bench(driver, wayOut({ http: [{ hosts: [API, OTHER] }], mitm: { domains: [API, OTHER], mutations: [] } }));
  });
  afterAll(async () => {
    await driver.close();
    await world.close();
  });

  /** Runs until it says `ready`, looks into all that it has, lets it go on. */
  async function searched(runtime: "python3" | "nodejs" | "bash", code: string, env: Record<string, string>, secrets: SecretGrant[]) {
    const marker = `marker-${randomBytes(8).toString("hex")}`;
    const found: ReturnType<typeof searchMemory> = [];
    let looked = 0;
    let placeholders = 0;
    const done = Promise.withResolvers<void>();
    const look = () => {
      const pids = processesOf(marker);
      looked = pids.length;
      found.push(...searchMemory(pids, forms), ...searchFiles(pids[0] as number, forms));
      placeholders = searchMemory(pids, { placeholder: Buffer.from("plastron-secret-") }).length;
      done.resolve();
    };
    const onOutput = (text: string) => void (text.includes("ready") && setTimeout(look, 200));
    const ran = await use.watch({ runtime, code, env: { MARK: marker, ...env }, secrets, limits, tenant: "acme" }, onOutput, {
      stdin: untilThen(done.promise),
    });
    return { ran, found, looked, placeholders };
  }

  const url = (path = "/get", host = API) => `https://${host}:${world.https}${path}`;
  const WAIT = { bash: "echo ready; cat > /dev/null", python3: "import subprocess\nprint('ready', flush=True)\nsubprocess.run(['cat'], stdout=-3)" };
  const curl = (key: string) => `
for path in get gzip split missing; do curl -sS -H "Authorization: Bearer ${key}" ${url("/$path")} | tee -a /workspace/$path /tmp/$path; done
curl -sS -u "me:${key}" ${url()} | tee /workspace/basic
curl -sS -d "key=${key}" "${url("/post")}?k=${key}"
curl -sS --http1.0 -i -H "X-Key: ${key}" ${url()}
${WAIT.bash}`;

  it("is found in a sandbox that is given it: so the search finds what is there", async () => {
    const { found, looked } = await searched("bash", curl("$API_KEY"), { API_KEY: SECRET }, []);
    expect(looked).toBeGreaterThan(1);
    expect(found.map(({ where }) => where)).toEqual(expect.arrayContaining(["/workspace/get", "/tmp/get", expect.stringMatching(/^\d+ /)]));
  });

  it("with curl is nowhere in its sandbox, though the server has it and says it back", async () => {
    world.reached.length = 0;
    const { ran, found, looked, placeholders } = await searched("bash", curl("$API_KEY"), {}, grants);
    expect(world.reached).toContain(`POST ${API}:${world.https}/post?k=${SECRET}`);
    expect(ran.stderr).toBe("");
    expect(looked).toBeGreaterThan(1);
    expect(placeholders).toBeGreaterThan(0);
    expect(found).toEqual([]);
    expect(JSON.stringify(ran)).not.toContain(SECRET);
    const [placeholder] = /plastron-secret-[0-9a-f]{32}/.exec(ran.stdout) as RegExpExecArray;
    expect(ran.stdout.split(`Bearer ${placeholder}`)).toHaveLength(5);
    expect(ran.stdout).toContain(Buffer.from(`me:${placeholder}`).toString("base64"));
  });

  it.runIf(hasRequests)("[needs: python3-requests] with Python's requests is nowhere in its sandbox", async () => {
    const code = `import os, requests
key = os.environ['API_KEY']
answers = [requests.get('${url("/")}' + path, headers={'X-Key': key}, params={'k': key}) for path in ('get', 'gzip', 'split')]
answers += [requests.get('${url()}', auth=('me', key)), requests.post('${url("/post")}', json={'key': key}), requests.post('${url("/post")}', data={'key': key})]
print(*[a.status_code for a in answers], answers[0].json()['headers']['x-key'] == key, answers[3].request.headers['authorization'] == answers[3].json()['headers']['authorization'])
${WAIT.python3}`;
    const { ran, found, looked } = await searched("python3", code, {}, grants);
    expect(ran).toMatchObject({ stdout: "200 200 200 200 200 200 True True\nready\n", stderr: "" });
    expect(looked).toBeGreaterThan(1);
    expect(found).toEqual([]);
  });

  it("with Node's fetch is nowhere in its sandbox", async () => {
    const code = `
const key = process.env.API_KEY;
const get = async (path) => (await (await fetch('${url("/")}' + path, { headers: { 'x-key': key } })).json()).headers['x-key'] === key;
Promise.all(['get', 'gzip', 'split'].map(get)).then((all) => {
  console.log(...all, 'ready');
  require('node:child_process').execFileSync('cat', { stdio: ['inherit', 'pipe', 'inherit'] });
});`;
    const { ran, found, looked } = await searched("nodejs", code, {}, grants);
    expect(ran).toMatchObject({ stdout: "true true true ready\n", stderr: "" });
    expect(looked).toBeGreaterThan(1);
    expect(found).toEqual([]);
  });

  it("does not go to a host that its grant does not name, nor with a redirect, and that is recorded with what would help", async () => {
    world.reached.length = 0;
    const ran = await use.bash(`curl -sS -H "X-Key: $API_KEY" '${url("/get?stray=", OTHER)}'$API_KEY`, { limits, tenant: "acme", secrets: grants });
    const redirected = await use.bash(`curl -sSL -H "X-Key: $API_KEY" '${url(`/redirect?${url("/get", OTHER)}`)}'`, {
      limits,
      tenant: "acme",
      secrets: grants,
    });
    for (const { stdout } of [ran, redirected]) expect(stdout).toMatch(/"x-key":"plastron-secret-/);
    expect(world.reached.at(-1)).toContain(`GET ${OTHER}`);
    expect(JSON.stringify([ran, redirected, world.reached])).not.toContain(SECRET);
    expect(ran.violations.filter(({ rule_id }) => rule_id === "secrets")).toMatchObject([
      { rule_path: "secrets.api/token", action: "AUDIT", event: { host: OTHER }, hint: expect.stringContaining(API) },
    ]);
  });

  it("of another tenant cannot be named, and the program is told which is missing", async () => {
    const ran = await use.bash(`curl -sS -H "X-Key: $API_KEY" ${url()}`, { limits, tenant: "mallory", secrets: grants });
    expect(ran.stdout).toBe("Plastron: secret api/token cannot be read: ENOENT\n");
    expect(ran.violations.map(({ rule_id, action }) => [rule_id, action])).toContainEqual(["secrets", "DENIED"]);
  });

  it("has another placeholder in every sandbox, and in a session the same for all of its runs", async () => {
    const echo = { limits, tenant: "acme", secrets: grants };
    const [first, second] = [await use.bash("echo $API_KEY", echo), await use.bash("echo $API_KEY", echo)];
    expect(first.stdout).toMatch(/^plastron-secret-[0-9a-f]{32}\n$/);
    expect(second.stdout).not.toBe(first.stdout);
    const { confinement } = use;
    const session = await driver.openSession({
      session_id: "s",
      tenant: "acme",
      runtime: "bash",
      limits,
      imports: [],
      confinement,
      min_tier: 1,
      secrets: grants,
    });
    const once = async (code: string) => (await use.inSession(session, { runtime: "bash", code, limits, tenant: "acme" })).stdout;
    const placeholder = await once("echo $API_KEY");
    expect(placeholder).toMatch(/^plastron-secret-/);
    expect(await once("echo $API_KEY")).toBe(placeholder);
    world.reached.length = 0;
    await once(`curl -sS "${url("/get")}?k=$API_KEY"`);
    expect(world.reached).toEqual([`GET ${API}:${world.https}/get?k=${SECRET}`]);
    await session.close("done");
  });

  it("is refused by name to a run that has no way out to use it", async () => {
    const closed = bench(driver, { ...use.confinement, network: null, id: "c".repeat(64) });
    await expect(closed.bash("true", { secrets: grants })).rejects.toMatchObject({ code: "invalid_request", message: expect.stringContaining("API_KEY") });
  });
});

it("a placeholder is long, random, and made of what no program has to escape", () => {
  const { secrets, environment } = placeSecrets([...grants, { ...(grants[0] as SecretGrant), env: "OTHER" }]);
  const [one, other] = secrets.map(({ placeholder }) => placeholder) as [string, string];
  expect(environment).toEqual({ API_KEY: one, OTHER: other });
  expect(one).not.toBe(other);
  expect(encodeURIComponent(one)).toBe(one);
  expect(JSON.stringify(secrets)).not.toContain("API_KEY");
});

/** Standard input that ends when `then` does: until then, a `cat` waits. */
