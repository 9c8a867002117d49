import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { testIdentity } from "../testing/database.ts";
import { findPostgres, OLDEST_MAJOR } from "./binaries.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { openClient } from "./pool.ts";

const cleanups: (() => unknown)[] = [];
/** A cluster that was stopped well: copying it costs a tenth of making one. */
let pattern: string;
beforeAll(async () => {
  pattern = mkdtempSync(join(tmpdir(), "plastron-test-pattern-"));
  chmodSync(pattern, 0o755);
  const cluster = await startCluster({ home: join(pattern, "pg"), ...testIdentity(), settings: ["fsync=off"] });
  await cluster.stop();
}, 60_000);
afterAll(() => rmSync(pattern, { recursive: true, force: true }));
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "plastron-test-cluster-"));
  chmodSync(directory, 0o755);
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The home of a cluster that exists. */
function prepared(home: string = join(temporary(), "pg")): string {
  execFileSync("cp", ["-a", join(pattern, "pg"), home]);
  rmSync(join(home, "socket"), { recursive: true });
  return home;
}

async function start(home: string, settings: string[] = ["fsync=off"]): Promise<Cluster> {
  const cluster = await startCluster({ home, ...testIdentity(), settings });
  cleanups.push(() => cluster.stop());
  return cluster;
}

async function ask(cluster: Cluster, query: string): Promise<unknown[]> {
  const client = await openClient(cluster.connection, () => {});
  const { rows } = await client.query(query);
  await client.end();
  return rows;
}

describe("the private cluster", () => {
  it("keeps what was committed over a stop and a start, and listens on its socket alone", async () => {
    const home = prepared();
    const first = await start(home);
    await ask(first, "create table kept (n int); insert into kept values (7)");
    await first.stop();
    const second = await start(home);
    expect(await ask(second, "select n from kept")).toEqual([{ n: 7 }]);
    expect(await ask(second, "select current_setting('listen_addresses') as addresses, current_setting('jit') as jit")).toEqual([
      { addresses: "", jit: "off" },
    ]);
  });

  it("writes through to the disk unless a test says otherwise", async () => {
    const cluster = await start(prepared(), []);
    expect(await ask(cluster, "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit")).toEqual([
      { fsync: "on", commit: "on" },
    ]);
  });

  it("stops a postmaster that a dead server left, and starts its own", async () => {
    const home = prepared();
    const orphan = await start(home);
    await ask(orphan, "create table kept (n int)");
    const next = await start(home);
    expect(await orphan.ended).toMatch(/ended/);
    expect(next.pid).not.toBe(orphan.pid);
    expect(await ask(next, "select count(*)::int as n from kept")).toEqual([{ n: 0 }]);
  });

  it("starts over lock files whose pid belongs to somebody else by now", async () => {
    const home = prepared();
    const first = await start(home);
    const lock = readFileSync(join(home, "data", "postmaster.pid"), "utf8");
    process.kill(first.pid, "SIGKILL");
    await first.ended;
    writeFileSync(join(home, "data", "postmaster.pid"), lock.replace(/^\d+/, String(process.pid)));
    const second = await start(home);
    expect(await ask(second, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("works in a home whose path is too long for a socket address", async () => {
    const deep = join(temporary(), "d".repeat(100));
    mkdirSync(deep, { mode: 0o755 });
    const home = prepared(join(deep, "pg"));
    const first = await start(home);
    cleanups.push(() => rmSync(first.connection.host, { recursive: true, force: true }));
    expect(first.connection.host.length).toBeLessThan(80);
    await first.stop();
    const second = await start(home);
    expect(second.connection.host).toBe(first.connection.host);
    expect(await ask(second, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  it("does not take a recorded socket directory that others may enter", async () => {
    const deep = join(temporary(), "d".repeat(100));
    mkdirSync(deep, { mode: 0o755 });
    const home = prepared(join(deep, "pg"));
    const trap = temporary();
    writeFileSync(join(home, "socket-directory"), trap);
    const cluster = await start(home);
    cleanups.push(() => rmSync(cluster.connection.host, { recursive: true, force: true }));
    expect(cluster.connection.host).not.toBe(trap);
  });

  it("says what PostgreSQL said where it cannot start", async () => {
    await expect(startCluster({ home: prepared(), ...testIdentity(), settings: ["fsync=off", "shared_buffers=nonsense"] })).rejects.toThrow(/shared_buffers/);
  });

  it("makes a whole cluster or none: what a killed initdb left is not used", async () => {
    const home = join(temporary(), "pg");
    mkdirSync(join(home, "data.new"), { recursive: true });
    writeFileSync(join(home, "data.new", "PG_VERSION"), "1");
    const cluster = await start(home);
    expect(existsSync(join(home, "data.new"))).toBe(false);
    expect(await ask(cluster, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("finding PostgreSQL", () => {
  it("takes programs that are new enough", async () => {
    expect((await findPostgres(temporary())).major).toBeGreaterThanOrEqual(OLDEST_MAJOR);
  });

  it("says what to do where a cluster's version is not to be had", async () => {
    await expect(findPostgres(temporary(), 9)).rejects.toThrow(/no PostgreSQL 9 \(the cluster's version\) was found.*DATABASE_URL/);
  });
});
