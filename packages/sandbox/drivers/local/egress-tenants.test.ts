import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, DEFAULT_LIMITS } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { NAMES, type Outside, outside, wayOut } from "../../testing/outside.ts";
import { openLocalDriver } from "./index.ts";

/** What tenants that share an egress process, and even a policy, may have of each other: nothing. */
const isRoot = process.getuid?.() === 0;
const home = mkdtempSync(join(tmpdir(), "plastron-egress-tenants-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const limits = { ...DEFAULT_LIMITS, wall_ms: 20_000 };
const [API] = NAMES as [string];
const SECRET = "acme-s3cret";
/** What a sandbox sees where a server sends it back. */
const SHOWN = '"authorization":"[secret api/token]"';

/** A policy that has `name`/`key` sent to a host of its author's choice. */
function sending(name: string, key: string): Confinement {
  const mutations = [{ domain: API, headers: [{ name: "Authorization", value: null, secret: { name, key } }] }];
  return wayOut({ http: [{ hosts: [API] }], mitm: { domains: [API], mutations } });
}

/** The egress process of a driver: its own root is the host's, and its directory the one that relays connect to. */
function egressProcess(directory: string): number {
  const at = (pid: string, what: string) => {
    try {
      return readlinkSync(`/proc/${pid}/${what}`);
    } catch {
      return "";
    }
  };
  return Number(readdirSync("/proc").find((pid) => at(pid, "cwd") === directory && at(pid, "root") === "/"));
}

describe.runIf(isRoot)("[needs: root] a tenant's sandboxes", () => {
  let world: Outside;
  let driver: SandboxDriver;
  beforeAll(async () => {
    const secrets = join(home, "secrets");
    mkdirSync(join(secrets, "acme/api"), { recursive: true });
    mkdirSync(join(secrets, "mallory/api"), { recursive: true });
    mkdirSync(join(secrets, "api"));
    for (const place of ["acme/api/token", "api/token"]) writeFileSync(join(secrets, place), SECRET);
    symlinkSync("../acme", join(secrets, "mallory/other"));
    symlinkSync("../../acme/api/token", join(secrets, "mallory/api/token"));
    symlinkSync("../acme", join(secrets, "mallory-again"));
    chmodSync(home, 0o755);
    world = await outside({ secrets });
    driver = await openLocalDriver({ home: join(home, "driver"), egress: world.egress });
  });
  afterAll(async () => {
    await driver.close();
    await world.close();
  });

  const ask = () => `curl -sS https://${API}:${world.https}/get`;
  const as = async (tenant: string, confinement: Confinement) => (await bench(driver, confinement).bash(ask(), { limits, tenant })).stdout;

  it("have their own secrets, and no other's, under the same policy and whatever it names", async () => {
    expect(await as("acme", sending("api", "token"))).toContain(SHOWN);
    expect(world.headers.map(({ authorization }) => authorization)).toEqual([SECRET]);
    const steals: [tenant: string, name: string, key: string][] = [
      ["mallory", "api", "token"], // a link to acme's
      ["mallory", "other", "api"],
      ["mallory", "../acme/api", "token"],
      ["mallory", "acme", "api/token"],
      ["mallory", "..", "acme/api/token"],
      ["mallory-again", "api", "token"],
      ["nobody", "api", "token"],
      ["..", "api", "token"],
      [".", "api", "token"],
      ["", "api", "token"],
      ["mallory/../acme", "api", "token"],
      ["ACME", "api", "token"],
    ];
    for (const [tenant, name, key] of steals) {
      const said = await as(tenant, sending(name, key));
      expect(said, `${tenant}: ${name}/${key}`).toMatch(/^Plastron: secret /);
      expect(said).not.toContain(SECRET);
    }
    expect(world.reached).toHaveLength(1);
  }, 60_000);

  it("have them in a session, too, which is its opener's for good", async () => {
    const confinement = sending("api", "token");
    const open = (tenant: string) => driver.openSession({ session_id: "s", tenant, runtime: "bash", limits, imports: [], confinement, min_tier: 1 });
    const use = bench(driver, confinement);
    const session = await open("acme");
    const run = (tenant: string) => use.inSession(session, { runtime: "bash", code: ask(), limits, tenant });
    expect((await run("acme")).stdout).toContain(SHOWN);
    await expect(run("mallory")).rejects.toMatchObject({ code: "not_found" });
    expect((await run("acme")).stdout).toContain(SHOWN);
    process.kill(egressProcess(join(home, "driver/egress")), "SIGKILL");
    const again = `for i in $(seq 40); do ${ask()} && break; sleep 0.1; done 2>/dev/null`;
    expect((await use.inSession(session, { runtime: "bash", code: again, limits, tenant: "acme" })).stdout).toContain(SHOWN); // the next process knows whose it is
    await session.close("done");
    const other = await open("mallory");
    expect((await use.inSession(other, { runtime: "bash", code: ask(), limits, tenant: "mallory" })).stdout).not.toContain(SHOWN);
    expect(world.headers.map(({ authorization }) => authorization)).toEqual(Array(4).fill(SECRET));
    await other.close("done");
  });

  it("cannot fill the process together: others have their way out, whatever many hold", async () => {
    const command = ["/usr/bin/prlimit", "--nofile=600:600", "--", ...world.egress.command];
    const small = await openLocalDriver({ home: join(home, "small"), egress: { ...world.egress, command } });
    const use = bench(small, wayOut({ http: [{ hosts: [API] }] }));
    const hold = `
import socket, time
address = socket.gethostbyname('${API}')
held = [socket.create_connection((address, ${world.http})) for _ in range(120)]
time.sleep(0.5)
open_ = 0
for s in held:
    s.setblocking(False)
    try: s.recv(1)
    except BlockingIOError: open_ += 1
    except OSError: pass
print(open_, flush=True)
time.sleep(6)`;
    const curl = `curl -s -o /dev/null -w '%{http_code}' http://${API}:${world.http}/`;
    const as = (tenant: string) => ({ limits, tenant });
    try {
      const holders = [1, 2].map(() => {
        const said = Promise.withResolvers<number>();
        const ended = use.watch({ runtime: "python3", code: hold, ...as("acme") }, (text) => said.resolve(Number(text)));
        return { said: said.promise, ended };
      });
      const held = (await Promise.all(holders.map(({ said }) => said))).reduce((sum, count) => sum + count, 0);
      const [same, other] = await Promise.all([use.bash(curl, as("acme")), use.bash(curl, as("other"))]);
      await Promise.all(holders.map(({ ended }) => ended));
      expect(held).toBeGreaterThan(40);
      expect(held).toBeLessThan(60); // of 108 places, for which there are files
      expect([same.stdout, other.stdout]).toEqual(["000", "200"]);
      expect(same.violations.map(({ rule_id }) => rule_id)).toContain("egress/too-many-connections");
    } finally {
      await small.close();
    }
  }, 30_000);

  it("know what went through their way out, run by run, whatever was spoken", async () => {
    const confinement = wayOut({
      http: [{ hosts: [API] }, { hosts: ["other.test"] }],
      addresses: [{ cidr: "127.0.0.0/8", ports: [[world.echo, world.echo]] }],
      mitm: { domains: [API], mutations: [] },
    });
    const use = bench(driver, confinement);
    const none = await use.bash("true", { limits });
    expect(none.usage.network).toEqual({ bytes_in: 0, bytes_out: 0, connections: 0 });
    const ran = async (code: string) => (await use.bash(code, { limits })).usage.network;
    const body = "head -c 100000 /dev/zero";
    const between = (out: number, into: number) => ({
      connections: 1,
      bytes_out: expect.toSatisfy((n: number) => n >= out && n < out + 4000),
      bytes_in: expect.toSatisfy((n: number) => n >= into && n < into + 4000),
    });
    for (const url of [`http://other.test:${world.http}`, `-k https://other.test:${world.https}`, `https://${API}:${world.https}`]) {
      expect(await ran(`${body} | curl -sS --data-binary @- ${url}/post`), url).toEqual(between(100_000, 200));
    }
    const echo = (fd: number) => `exec ${fd}<>/dev/tcp/${API}/${world.echo}; printf '\\n12345' >&${fd}; head -c 6 <&${fd}; `;
    expect(await ran(echo(3) + echo(4))).toEqual({ connections: 2, bytes_in: 12, bytes_out: 12 });
    const session = await driver.openSession({ session_id: "t", tenant: "acme", runtime: "bash", limits, imports: [], confinement, min_tier: 1 });
    const once = (code: string) => use.inSession(session, { runtime: "bash", code, limits, tenant: "acme" });
    await once(`curl -sS http://other.test:${world.http}/one`);
    expect((await once("true")).usage.network).toEqual({ bytes_in: 0, bytes_out: 0, connections: 0 });
    await session.close("done");
    const closed = wayOut({ http: [] });
    const without = { ...closed, network: null, id: createHash("sha256").update("closed").digest("hex") };
    expect((await bench(driver, without).bash("true")).usage.network).toBeNull();
  });
});
