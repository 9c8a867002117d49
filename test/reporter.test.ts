import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
let directory: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "plastron-reporter-")));
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("ends with the closing line, alone on the last line", () => {
  const { lastLine, status } = runTests("a.test.ts", `test("x", () => {}); test("y", () => {}); test.skip("z [needs: root]", () => {});`);
  expect([lastLine, status]).toEqual(["2 passed, 0 failed, 1 skipped", 0]);
});

test("a failed test fails the run", () => {
  const { lastLine, status } = runTests("a.test.ts", `test("x", () => { expect(1).toBe(2); }); test("y", () => {});`);
  expect([lastLine, status]).toEqual(["1 passed, 1 failed, 0 skipped", 1]);
});

test("a skip that does not say what it needs is a failure, and is named", () => {
  const { lastLine, status, output } = runTests("a.test.ts", `test("x", () => {}); test.skip("y", () => {}); test("z", ({ skip }) => skip("tired"));`);
  expect([lastLine, status]).toEqual(["1 passed, 2 failed, 0 skipped", 1]);
  expect(output).toContain("a.test.ts › y: skipped without naming what it needs");
});

test("what is needed may stand in the note of a skip", () => {
  const { lastLine } = runTests("a.test.ts", `test("x", ({ skip }) => skip("[needs: cgroup v2]"));`);
  expect(lastLine).toBe("0 passed, 0 failed, 1 skipped");
});

test("tests that a name filter leaves out are not counted", () => {
  const { lastLine, status } = runTests("a.test.ts", `test("one", () => {}); test("two", () => {});`, "-t", "one");
  expect([lastLine, status]).toEqual(["1 passed, 0 failed, 0 skipped", 0]);
});

test("a file that does not load and an error outside of any test are failures", () => {
  expect(runTests("a.test.ts", `import "./no-such-file.ts"; test("x", () => {});`).lastLine).toBe("0 passed, 1 failed, 0 skipped");
  const stray = runTests(
    "a.test.ts",
    `test("x", async () => { setTimeout(() => { throw new Error("stray"); }); await new Promise((done) => setTimeout(done, 50)); });`,
  );
  expect([stray.lastLine, stray.status]).toEqual(["1 passed, 1 failed, 0 skipped", 1]);
});

test("tests whose set-up failed have not passed, and are not called dishonest", () => {
  const { lastLine, output } = runTests(
    "a.test.ts",
    `import { beforeAll } from "vitest"; beforeAll(() => { throw new Error("no database"); }); test("x", () => {});`,
  );
  expect(lastLine).toMatch(/^0 passed, [12] failed, 0 skipped$/);
  expect(output).not.toContain("without naming");
});

function runTests(file: string, body: string, ...args: string[]): { lastLine: string; status: number | null; output: string } {
  writeFileSync(join(directory, file), `import { expect, test } from "vitest";\n${body}\n`);
  const config = `import { Tally } from ${JSON.stringify(join(root, "test/reporter.ts"))};\nexport default { test: { reporters: [new Tally()] } };\n`;
  writeFileSync(join(directory, "vitest.config.ts"), config);
  const env = { PATH: process.env.PATH, HOME: directory, NO_COLOR: "1" };
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { stdout, stderr, status } = spawnSync(process.execPath, [vitest, "run", "--root", directory, ...args], { cwd: directory, env, encoding: "utf8" });
  return { lastLine: stdout.trimEnd().split("\n").at(-1) ?? "", status, output: stdout + stderr };
}
