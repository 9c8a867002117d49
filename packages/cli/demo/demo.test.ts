import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { parsePolicy } from "@plastron/policy";
import { type DriverOptions, hostFacts, openDriver } from "@plastron/sandbox";
import { afterAll, describe, expect, it } from "vitest";
import type { Attack } from "./attack.ts";
import { ATTACKS } from "./catalogue.ts";
import { demoCommand } from "./index.ts";
import { judge } from "./judge.ts";
import { openStage, type Platform } from "./stage/stage.ts";

const root = process.getuid?.() === 0;
const temporary = mkdtempSync(join(tmpdir(), "plastron-demo-test-"));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

class Text extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString("utf8");
    done();
  }
}

async function demo(platform: Platform): Promise<{ code: number; rows: Record<string, unknown>[]; err: string }> {
  const [out, err] = [new Text(), new Text()];
  const code = await demoCommand({ json: true, color: false, out, err }, platform);
  const rows = out.text
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  return { code, rows, err: err.text };
}

const childrenOf = (pid: number): string[] =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name) && (stat(name).split(") ")[1] ?? "").split(" ")[1] === String(pid));
const stat = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
};

/** Control groups that the driver of that home made (drivers/local names them by a hash of it). */
function controlGroupsOf(home: string): string[] {
  const name = `plastron-${createHash("sha256").update(home).digest("hex").slice(0, 12)}`;
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const places = mounts.flatMap((text) => (/ cgroup2? /.test(text) ? [text.split(" ")[1] as string] : []));
  return places.filter((place) => readdirSync(place).includes(name));
}

describe("the catalogue", () => {
  it("has every attack once, and names rules that the shipped policy has", () => {
    const policy = parsePolicy(readFileSync(new URL("../../../policies/dify-sandbox.yaml", import.meta.url), "utf8"));
    const text = JSON.stringify(policy.spec);
    expect(new Set(ATTACKS.map(({ id }) => id)).size).toBe(ATTACKS.length);
    expect(new Set(ATTACKS.map(({ title }) => title)).size).toBe(ATTACKS.length);
    for (const { rule } of ATTACKS) if (!rule.startsWith("built-in")) expect(text).toContain(`"${rule}"`);
  });
});

describe("the guide", () => {
  it("tells of every attack what the demo tells", () => {
    const guide = readFileSync(new URL("../../../docs/guides/demo.md", import.meta.url), "utf8");
    for (const { title, story, rule } of ATTACKS) for (const text of [title, story, rule]) expect(guide).toContain(text);
  });
});

describe.skipIf(!root)("the demo", () => {
  it("shows every attack at work without the policy and contained with it, and leaves nothing", { timeout: 180_000 }, async () => {
    const homes: string[] = [];
    const before = childrenOf(process.pid);
    const watched = (options: DriverOptions, preference: "local") => {
      homes.push(options.home);
      return openDriver(options, preference);
    };
    const { code, rows, err } = await demo({ openDriver: watched, hostFacts });
    for (const row of rows) expect(row).toMatchObject({ without: "succeeded", contained: true });
    expect(code).toBe(0);
    const absent = ATTACKS.filter(({ optional, title }) => optional && err.includes(`not shown: ${title}:`));
    const shown = ATTACKS.filter((attack) => !absent.includes(attack));
    expect(rows.map(({ rule }) => rule)).toEqual(shown.map(({ rule }) => rule));
    for (const [index, row] of rows.entries()) expect(row.attack).toContain(shown[index]?.title);
    expect(rows[0]).toEqual({
      attack: expect.stringMatching(/^CVE-2024-10252: /),
      without: "succeeded",
      contained: true,
      rule: expect.stringContaining("preload"),
    });

    expect(homes).toHaveLength(1);
    expect(readdirSync(tmpdir())).not.toContain(homes[0]?.split("/").at(-1));
    expect(controlGroupsOf(homes[0] as string)).toEqual([]);
    expect(childrenOf(process.pid).filter((pid) => !before.includes(pid))).toEqual([]);
  });

  it("would notice a policy that contains nothing", { timeout: 120_000 }, async () => {
    const stage = await openStage({ openDriver, hostFacts }, new AbortController().signal);
    const weakened = ({ without, with: trials }: Attack) => trials.map((trial) => ({ ...trial, place: (without[0] as (typeof trials)[0]).place }));
    try {
      for (const id of ["service-account-token", "metadata-address", "user-namespace-clone", "write-etc", "socket-filter-high-bits"]) {
        const attack = ATTACKS.find((each) => each.id === id) as Attack;
        for (const trial of weakened(attack)) expect([id, judge(trial.sign, await stage.run(trial)).kind]).toEqual([id, "succeeded"]);
      }
    } finally {
      await stage.close();
    }
  });

  it("cleans up on Ctrl-C and exits 130", { timeout: 60_000 }, async () => {
    const entry = fileURLToPath(new URL("./index.ts", import.meta.url));
    const script = `import { demoCommand } from ${JSON.stringify(entry)};
      process.exitCode = await demoCommand({ json: true, color: false, out: process.stdout, err: process.stderr });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ["ignore", "pipe", "pipe"],
    });
    await expect.poll(() => childrenOf(child.pid as number).length, { timeout: 30_000, interval: 50 }).toBeGreaterThan(2);
    const [home] = readdirSync(temporary);
    const made = childrenOf(child.pid as number);
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([130, null]);
    expect(home).toMatch(/^plastron-demo-/);
    expect(readdirSync(temporary)).toEqual([]);
    expect(controlGroupsOf(join(temporary, home as string))).toEqual([]);
    expect(made.filter((pid) => stat(pid) !== "" && !stat(pid).includes(") Z "))).toEqual([]);
  });
});

describe("the demo where no sandbox can be made", () => {
  it("says for every row what cannot be shown and why, and exits 1", async () => {
    const { code, rows } = await demo({ openDriver: () => Promise.reject(new Error("it needs root")), hostFacts });
    expect(code).toBe(1);
    expect(rows).toHaveLength(ATTACKS.length);
    for (const row of rows) expect(row).toMatchObject({ without: "unavailable: it needs root", contained: false });
  });
});
