import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunSpec, runSpecSchema } from "@plastron/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { bench, type Ran } from "../../testing/harness.ts";
import { denied, watched } from "../../testing/watched.ts";
import { localDriverMissing, openLocalDriver } from "./index.ts";

const SCRIPTS = join(import.meta.dirname, "../../testing");
const script = (name: string) => readFileSync(join(SCRIPTS, name), "utf8");
const FREE = watched({});
const RULES = watched({ paths: [denied("/workspace/secret**"), denied("/workspace/keep/**"), denied("/workspace/ro/**", ["write"])] });
const FILES = Object.entries({ secret: "SECRET", plain: "plain", "keep/key": "SECRET", "ro/f": "ro" }).map(([path, content]) => ({ path, content }));
const LIMITS = { wall_ms: 60_000, pids: 512 };
const more = runSpecSchema.pick({ files: true, limits: true }).parse({ files: FILES, limits: LIMITS }) as Partial<RunSpec>;

/** Lines of `name: outcome`. */
const outcomes = (ran: Ran): Map<string, string> => new Map(ran.stdout.split("\n").map((line) => line.split(/: (.*)/, 2) as [string, string]));

describe.skipIf(localDriverMissing() !== null || process.arch !== "x64")("the open broker [needs: root, x86_64]", () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-broker-"));
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openLocalDriver({ home, uidBase: 1_900_200_000 });
  });
  afterAll(async () => {
    await driver.close();
    rmSync(home, { recursive: true });
  });

  it("gives no way to what a rule forbids: other spellings, links, /proc, renamed parents, descriptors, races", async () => {
    const free = outcomes(await bench(driver, FREE).python(script("path-attacks.py"), more));
    const reads = [...free].filter(([name]) => name.startsWith("read ") || /^(o_path|dirfd|chdir$|symlink2?$|symdir)/.test(name));
    expect(reads.length).toBeGreaterThan(18);
    for (const [name, outcome] of reads) expect(outcome, name).toBe("SECRET");
    expect(["rename", "link", "rename dir", "flip leaked", "swap leaked"].map((name) => free.get(name))).toEqual(["None", "ENOENT", "None", "True", "True"]);

    const ran = await bench(driver, RULES).python(script("path-attacks.py"), more);
    const harmless = new Map(
      Object.entries({
        "link via symlink follow": "None", // a second name of the symbolic link, not of what it leads to
        "rename link dir": "None",
        "ro read": "ro",
        "deleted dir create": "ENOENT",
        "flip leaked": "False",
        "swap leaked": "False",
      }),
    );
    expect(ran).toMatchObject({ status: "completed", stderr: expect.not.stringContaining("SECRET") });
    for (const [name, outcome] of outcomes(ran)) if (name) expect(outcome, name).toBe(harmless.get(name) ?? "EACCES");
    expect(ran.stdout).not.toContain("SECRET");
    expect(ran.violations).toHaveLength(100);
    expect(ran.violations_dropped).toBeGreaterThan(1000);
    expect(ran.violations[0]).toMatchObject({
      rule_id: "one",
      action: "DENIED",
      comm: "python3",
      event: { operation: "File", path: "/workspace/secret", permissions: ["read"] },
    });
  }, 120_000);

  it("does everything else as the kernel does it: the same results and errors of two hundred operations", async () => {
    const [free, brokered] = [
      await bench(driver, FREE).python(script("file-operations.py"), more),
      await bench(driver, RULES).python(script("file-operations.py"), more),
    ];
    expect(free.stdout.split("\n").length).toBeGreaterThan(200);
    expect(brokered.stdout.split("\n")).toEqual(free.stdout.split("\n"));
    expect(brokered).toMatchObject({ status: "completed", stderr: "", violations: [] });
  }, 120_000);

  it("blocks nobody else where one call blocks, and outlives callers that are killed, interrupted, untraceable or many", async () => {
    const ran = await bench(driver, RULES).python(script("broker-lifetimes.py"), more);
    const got = outcomes(ran);
    const wanted = {
      fifo: "(['hi'], 'plain')",
      "many fifos": "x".repeat(20),
      "fifo alarm": "interrupted",
      "fifo restart": "('', [1])",
      "killed in fifo": "plain",
      "sigkill mid-call": "plain",
      "200 threads": "(1000, True)",
      signals: "(200, True)",
      undumpable: "('plain', 'Name:', 'EACCES')",
      another: "['ok', 'ok', 'ok', 'ok']",
      "another undumpable": "['ENOENT', 'ENOENT', 'ENOENT', 'EACCES', 'ENOENT', 'ENOENT']",
      deep: "('ENAMETOOLONG', 20)", // what cannot be named cannot be judged
      lease: "('plain', True, True)",
      "ptrace broker": "[]",
      i386: "-31",
    };
    for (const [name, outcome] of Object.entries(wanted)) expect(got.get(name)?.replace(/ [0-9.]*$/, ""), `${name}\n${ran.stderr}`).toBe(outcome);
  }, 120_000);

  it("lets Node, its child processes and bash work as ever", async () => {
    const { node, bash } = bench(driver, RULES);
    const js = `const fs = require("fs"), cp = require("child_process");
      fs.mkdirSync("a/b", { recursive: true }); fs.writeFileSync("a/b/c", "1"); fs.appendFileSync("a/b/c", "2"); fs.renameSync("a", "z"); fs.cpSync("z", "y", { recursive: true });
      fs.rmSync("z", { recursive: true }); console.log(fs.readFileSync("y/b/c", "utf8"), cp.execSync("cat y/b/c; cat < plain; echo 3 > t; cat t").toString().trim());
      try { fs.readFileSync("secret"); } catch (error) { console.log(error.code); }`;
    expect(await node(js, more)).toMatchObject({ status: "completed", stdout: "12 12plain3\nEACCES\n" });
    const sh =
      "cat <(echo sub) plain > out 2>/dev/stderr; cat out; echo; exec 5<> out; read -u 5 line; echo $line; cat secret || echo no; : > secret || echo never";
    expect((await bash(sh, more)).stdout).toBe("sub\nplain\nsub\nno\nnever\n");
  }, 60_000);

  it("records without denying where a rule only observes, and what is executed, with its interpreter", async () => {
    const observing = watched({
      paths: [denied("/workspace/s**", ["read", "exec"], { deny: false }), denied("/usr/bin/env", ["exec"], { rule: 1, deny: false })],
    });
    const code = "cat secret; printf '#!/usr/bin/env true\\n' > script; chmod +x script; ./script; cp /usr/bin/true sx; ./sx";
    const ran = await bench(driver, observing).bash(code, more);
    expect(ran).toMatchObject({ status: "completed", stdout: "SECRET" });
    const seen = ran.violations.map(({ rule_id, action, event }) => [
      rule_id,
      action,
      "path" in event && event.path,
      "permissions" in event && event.permissions[0],
    ]);
    expect(seen).toEqual(
      expect.arrayContaining([
        ["one", "AUDIT", "/workspace/secret", "read"],
        ["one", "AUDIT", "/workspace/script", "exec"],
        ["two", "AUDIT", "/usr/bin/env", "exec"],
        ["one", "AUDIT", "/workspace/sx", "exec"],
      ]),
    );
  }, 60_000);
});
