import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SHADOW } from "../../testing/scripted-agent.ts";
import { oneLine, ViolationLog } from "./log.ts";
import { RotatingFile } from "./log-file.ts";
import { recordOf, type ViolationRecord } from "./record.ts";

let place: string;
let path: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-violations-"));
  path = join(place, "logs", "violations.log");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const context = {
  ...{ node: "n", run_id: "run_1", session_id: null, tenant: "t", runtime: "bash", driver: "local", confinement: "c" },
  policy: { name: "p", version: 1, kind: "VarmorPolicy", namespace: "" },
};
const record = (file = "/etc/shadow"): ViolationRecord => recordOf({ ...SHADOW, event: { operation: "File", path: file, permissions: ["read"] } }, context, 0);
const log = (bytes = 10_000_000, kept = 3) => new ViolationLog(path, new RotatingFile(path, { bytes, kept }));
const lines = (file = path) => readFileSync(file, "utf8").split("\n").slice(0, -1);
const paths = (file = path) => lines(file).map((line) => JSON.parse(line).event.path);

describe("violations.log", () => {
  it("has one record a line, whoever chose the text in it", async () => {
    const hostile = '/tmp/x\n{"level":"warn"}\r\u001b[2J\u0085\u2028\u2029\u202e\u009b31m\u007f\0\ufeff';
    const one = log();
    one.write(record(hostile));
    one.write(record());
    await one.close();
    const text = readFileSync(path, "utf8");
    expect(text.split("\n")).toHaveLength(3);
    expect(text.replaceAll("\n", "")).toMatch(/^[\x20-\x7e]*$/);
    expect(paths()).toEqual([hostile, "/etc/shadow"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is rotated by size and keeps three, with no line lost or cut", async () => {
    const one = log(5_000);
    for (let i = 0; i < 40; i++) {
      one.write(record(`/etc/${i}`));
      if (i % 15 === 14) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await one.close();
    expect(readdirSync(join(place, "logs")).sort()).toEqual(["violations.log", "violations.log.1", "violations.log.2", "violations.log.3"]);
    const all = [3, 2, 1].flatMap((age) => paths(`${path}.${age}`)).concat(paths());
    expect(all.at(-1)).toBe("/etc/39");
    expect(all).toEqual(Array.from({ length: all.length }, (_, i) => `/etc/${40 - all.length + i}`));
    for (const name of readdirSync(join(place, "logs"))) expect(statSync(join(place, "logs", name)).size).toBeLessThanOrEqual(5_000);
  });

  it("goes on after a restart, behind a line that a crash had cut, and closes the gap of a rotation that was interrupted", async () => {
    const first = log();
    first.write(record("/1"));
    await first.close();
    writeFileSync(path, `${readFileSync(path, "utf8")}{"half":`);
    const second = log();
    second.write(record("/2"));
    await second.close();
    expect(lines().map((line, i) => (i === 1 ? line : JSON.parse(line).event.path))).toEqual(["/1", '{"half":', "/2"]);
    writeFileSync(`${path}.2`, "older\n"); // .1 is missing
    const third = log(10);
    third.write(record("/3"));
    await third.close();
    expect([paths(), existsSync(`${path}.1`), lines(`${path}.3`)]).toEqual([["/3"], true, ["older"]]);
  });

  it("follows no link, be it the file or its directory", async () => {
    const victim = join(place, "victim");
    writeFileSync(victim, "precious");
    mkdirSync(join(place, "logs"));
    symlinkSync(victim, path);
    const one = log();
    one.write(record());
    await one.close();
    expect([readFileSync(victim, "utf8"), one.state.lost]).toEqual(["precious", 1]);
    rmSync(join(place, "logs"), { recursive: true });
    mkdirSync(join(place, "elsewhere"));
    symlinkSync(join(place, "elsewhere"), join(place, "logs"));
    const other = log();
    other.write(record());
    await other.close();
    expect([readdirSync(join(place, "elsewhere")), other.state.lost]).toEqual([[], 1]);
  });

  it("is written nowhere on a full disk, which costs lines, is told, and heals", async () => {
    mkdirSync(join(place, "logs"));
    let full = true;
    const file = new RotatingFile(path, { bytes: 1e6, kept: 3 });
    const one = new ViolationLog(path, {
      append: (chunk) => (full ? Promise.reject(Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })) : file.append(chunk)),
      close: () => file.close(),
    });
    for (let i = 0; i < 5; i++) one.write(record());
    await expect.poll(() => one.state.lost).toBe(5);
    expect(one.state.error).toContain("no space left");
    full = false;
    one.write(record("/after"));
    await one.close();
    expect([one.state.written, one.state.error, paths()]).toEqual([1, null, ["/after"]]);
  });

  it("ends a line that the disk had no room for before the next one", async () => {
    const file = new RotatingFile("/dev/full", { bytes: 1e6, kept: 3 });
    await expect(file.append(Buffer.from("x\n"))).rejects.toThrow(/not a file|ENOSPC/);
    const real = new RotatingFile(path, { bytes: 1e6, kept: 3 });
    await real.append(Buffer.from("whole\ncut in the mid"));
    await real.close();
    truncateSync(path, 12);
    await real.append(Buffer.from("next\n"));
    await real.close();
    expect(readFileSync(path, "utf8")).toBe("whole\ncut in\nnext\n");
  });

  it("lets a flood pass rather than hold it in memory", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const one = new ViolationLog(path, { append: () => held, close: async () => {} });
    for (let i = 0; i < 3_000; i++) one.write(record("x".repeat(4_000)));
    expect(one.state.lost).toBeGreaterThan(1_000);
    release();
    await one.close();
    expect(one.state.written + one.state.lost).toBe(3_000);
  });

  it("killed at any moment holds whole lines, but for the last", { timeout: 30_000 }, async () => {
    const program = `
      import { RotatingFile } from ${JSON.stringify(join(import.meta.dirname, "log-file.ts"))};
      const file = new RotatingFile(${JSON.stringify(path)}, { bytes: 2000, kept: 3 });
      for (let i = 0; ; i++) await file.append(Buffer.from(JSON.stringify({ i, pad: "x".repeat(i % 300) }) + "\\n"));`;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore" });
      const gone = new Promise((resolve) => child.once("exit", resolve));
      await expect.poll(() => existsSync(`${path}.2`), { timeout: 10_000 }).toBe(true);
      await new Promise((resolve) => setTimeout(resolve, 30 * round + 7));
      child.kill("SIGKILL");
      await gone;
      const one = new RotatingFile(path, { bytes: 1e6, kept: 3 });
      await one.append(Buffer.from('{"i":-1}\n'));
      await one.close();
      const whole = readFileSync(path, "utf8").split("\n").slice(0, -1);
      const broken = whole.filter((line) => !line.startsWith("{") || !line.endsWith("}"));
      expect([JSON.parse(whole.at(-1) as string).i, broken.length <= 1]).toEqual([-1, true]);
    }
  });
});

it("escapes what JSON leaves and a terminal acts on", () => {
  expect(oneLine("a\u009b\u2028\u202e\u200fé漢")).toBe('"a\\u009b\\u2028\\u202e\\u200fé漢"');
});
