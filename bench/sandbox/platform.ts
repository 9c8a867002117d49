import { type ExecFileException, execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "undici";

const CLI = join(import.meta.dirname, "..", "..", "packages", "cli", "main.ts");

/** A server that answers, and a key for it. */
export interface Endpoint {
  url: string;
  key: string;
}

export interface Platform extends Endpoint {
  driver: string | null;
  tier: number | null;
  /** Null for a server that somebody else started: what is not below us is not counted. */
  pids: PlatformPids | null;
  stop(): Promise<void>;
}

export interface PlatformPids {
  supervisor: number;
  agent: number;
  server: number;
}

/** Notes what must be undone even if the bench is interrupted. What it returns undoes it, once however often it is called. */
export type Holds = (undo: () => Promise<void>) => () => Promise<void>;

/**
 * A Plastron of this bench's own, as a user would start it: `up --detach` on a fresh home and any free port. The environment is
 * emptied, so that the defaults are what is measured, and no DATABASE_URL of the caller fills with our runs.
 * Throws with what `up` said where it does not start.
 */
export async function startPlatform(holds: Holds): Promise<Platform> {
  const home = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  const key = `bench-${randomBytes(24).toString("base64url")}`;
  const stop = holds(() => takeDown(home));
  try {
    const ready = JSON.parse(await plastron(["up", "--detach", "--json", "--port", "0", "--home", home], { PLASTRON_ADMIN_KEY: key }));
    return { url: ready.url, key, driver: ready.driver, tier: ready.tier, pids: ready.pids, stop };
  } catch (error) {
    await stop().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}

/** An `up` that was interrupted may still be starting, and cannot be stopped before it is ready. */
async function takeDown(home: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await plastron(["down", "--home", home], {});
      return rmSync(home, { recursive: true, force: true });
    } catch (error) {
      if (tries === 10) throw error;
      await sleep(1000);
    }
  }
}

/** One that runs already; its tier is asked for, and its processes are not ours to look at. */
export async function usePlatform(endpoint: Endpoint): Promise<Platform> {
  const health = (await getJson(endpoint, "/v1/health")) as { tier?: number | null };
  return { ...endpoint, driver: null, tier: health.tier ?? null, pids: null, stop: async () => {} };
}

/** The body of a GET, parsed. Throws on any status but 200. */
export async function getJson({ url, key }: Endpoint, path: string): Promise<unknown> {
  const client = new Client(new URL(url).origin);
  try {
    const { statusCode, body } = await client.request({ method: "GET", path, headers: { authorization: `Bearer ${key}` } });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`GET ${path} answered ${statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text);
  } finally {
    await client.close();
  }
}

function plastron(args: string[], env: Record<string, string>): Promise<string> {
  const { PATH, HOME, TMPDIR, LANG } = process.env;
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [CLI, ...args], { env: { PATH, HOME, TMPDIR, LANG, ...env }, encoding: "utf8" }, (error: ExecFileException | null, out, err) => {
      if (error) reject(new Error(`plastron ${args[0]} failed: ${err.trim() || error.message}`));
      else resolve(out);
    });
  });
}
