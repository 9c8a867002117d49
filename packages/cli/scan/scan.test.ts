import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitOf } from "../commands/scan.ts";

/** `plastron scan` as a person meets it: as a process. */
let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-cli-scan-"));
  mkdirSync(join(place, "tree"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const put = (path: string, content: string) => {
  mkdirSync(join(place, "tree", path, ".."), { recursive: true });
  writeFileSync(join(place, "tree", path), content);
};
/** Looks like a token, and was never given out. */
const TOKEN = ["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"].join("_");

function start(args: string[]): ChildProcess {
  const env = { ...process.env, XDG_CACHE_HOME: join(place, "cache"), PLASTRON_HOME: join(place, "home"), NO_COLOR: "1" };
  return spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), "scan", ...args], { cwd: place, env });
}
function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(args);
  const ran = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (ran.stdout += chunk));
  child.stderr?.on("data", (chunk) => (ran.stderr += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ ...ran, code })));
}

describe("plastron scan --sbom", () => {
  const bill = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    components: [{ type: "library", name: "lodash", version: "4.17.15", purl: "pkg:npm/lodash@4.17.15" }],
  };

  test("holds one bill of materials against advisories, whatever it is called, and nothing else", async () => {
    put("of-the-app.json", JSON.stringify({ ...bill, note: TOKEN }));
    const { code, stdout } = await run("--sbom", "tree/of-the-app.json", "--format", "json");
    const { findings, status } = JSON.parse(stdout) as { findings: { analyser: string; aliases: string[] }[]; status: string };
    expect([code, status]).toEqual([1, "complete"]);
    expect(findings.map(({ analyser }) => analyser)).toEqual(findings.map(() => "dependencies"));
    expect(findings.flatMap(({ aliases }) => aliases)).toContain("CVE-2021-23337");
  });

  test.each([
    ["no bill of materials", ["--sbom", "tree/a.json"], /no bill of materials that is read/],
    ["a broken one", ["--sbom", "tree/cut.json"], /incomplete|syntax_error|not JSON/],
    ["nothing at all", [], /nothing is named/],
    ["a directory", ["--sbom", "tree"], /no file/],
    ["two things", ["tree", "--sbom", "tree/cut.json"], /instead of what to scan/],
  ])("%s exits 2 and says why", async (_, args, words) => {
    put("a.json", "{}");
    put("cut.json", JSON.stringify(bill).slice(0, 100));
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout + stderr]).toEqual([2, expect.stringMatching(words)]);
  });
});

describe("plastron scan", () => {
  test("says what is clean, complete and how much was looked at", async () => {
    put("a.js", "export const answer = 42;\n");
    const { code, stdout, stderr } = await run("tree");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/1 file/);
  });

  test("exits 1 for a finding, and 0 where it is less grave than was asked for", async () => {
    put("config.py", `password_of_ci = "${TOKEN}"\n`);
    const { code, stdout } = await run("tree", "--format", "json", "--analysers", "secrets");
    const result = JSON.parse(stdout);
    expect([code, result.findings.length > 0, result.status]).toEqual([1, true, "complete"]);
    expect(stdout).not.toContain(TOKEN);
    expect((await run("tree", "--analysers", "secrets", "--fail-on", "none")).code).toBe(0);
  });

  test("exits 2 where something that matters was not seen, and names it", async () => {
    put("a.7z", "7z\xbc\xaf\x27\x1c");
    writeFileSync(join(place, "tree/a.7z"), Buffer.from("7z\xbc\xaf\x27\x1c\0\x04", "latin1"));
    const { code, stdout } = await run("tree", "--analysers", "secrets");
    expect(code).toBe(2);
    expect(stdout).toContain("a.7z");
  });

  test("keeps what it saw for the next time, unless it is told not to", async () => {
    put("a.js", "1");
    const cached = async (...more: string[]) =>
      JSON.parse((await run("tree", "--format", "json", "--analysers", "secrets", ...more)).stdout).coverage.analysers.secrets.cached;
    expect(await cached("--no-cache")).toBe(0);
    expect(existsSync(join(place, "cache"))).toBe(false);
    expect([await cached(), await cached()]).toEqual([0, 1]);
  });

  test("writes a report to a file and says so", async () => {
    put("a.js", "1");
    const { stdout, stderr } = await run("tree", "--format", "sarif", "--output", "out.sarif", "--analysers", "secrets");
    expect(stdout).toBe("");
    expect(stderr).toContain("out.sarif");
    expect(JSON.parse(readFileSync(join(place, "out.sarif"), "utf8")).version).toBe("2.1.0");
  });

  test.each([
    [["nowhere"], /there is no .*nowhere/],
    [["tree", "--analysers", "magic"], /no analyser magic/],
    [["tree", "--format", "pdf"], /no format pdf/],
    [["npm:../x"], /no name of a package/],
    [["tree", "--fail-on", "whim"], /whim/],
  ])("refuses %j in words, with exit 2", async (args, words) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
  });

  test("a name that would move the terminal does not", async () => {
    put("evil\x1b[2J\x1b]0;x\x07.py", `password_of_ci = "${TOKEN}"\n`);
    const { stdout } = await run("tree", "--analysers", "secrets");
    expect(stdout).toContain("evil");
    expect(stdout).not.toContain("\x1b");
  });

  test("Ctrl-C ends it with 130, and its processes with it", async () => {
    for (let at = 0; at < 3000; at++) put(`f${at}.js`, `const a${at} = ${at};\n`.repeat(50));
    const child = start(["tree", "--no-cache"]);
    const closed = new Promise((done) => child.once("close", done));
    await until(() => workersOf(child.pid as number).length > 0);
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(workersOf(child.pid as number)).toEqual([]);
  });
});

describe("the exit code", () => {
  const finding = (severity: string, state = "open") => ({ severity, state }) as never;
  test.each([
    [[], "complete", "low", 0],
    [[], "incomplete", "low", 2],
    [[finding("low")], "complete", "low", 1],
    [[finding("info")], "complete", "low", 0],
    [[finding("medium")], "complete", "high", 0],
    [[finding("critical")], "incomplete", "high", 1],
    [[finding("critical", "exempted")], "complete", "low", 0],
    [[finding("critical")], "complete", "none", 0],
    [[finding("critical")], "incomplete", "none", 2],
  ] as const)("of %j, %s, with --fail-on %s is %i", (findings, status, failOn, code) => {
    expect(exitOf({ findings: [...findings], status }, failOn)).toBe(code);
  });
});

/** Worker processes whose parent is this. */
function workersOf(parent: number): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[1] === String(parent);
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("it did not come to pass");
}
