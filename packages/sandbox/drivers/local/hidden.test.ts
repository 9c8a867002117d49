import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Confinement } from "@plastron/contracts";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, describe, expect, it } from "vitest";
import { bench } from "../../testing/harness.ts";
import { resolveHidden } from "./hidden.ts";
import { openLocalDriver } from "./index.ts";

const usr = mkdtempSync(join(tmpdir(), "plastron-usr-"));
afterAll(() => rmSync(usr, { recursive: true, force: true }));
mkdirSync(join(usr, "bin/deep/er"), { recursive: true });
for (const name of ["bin/wget", "bin/deep/er/wget", "bin/wget2", "bin/busybox", "bin/log.txt"]) writeFileSync(join(usr, name), "");
symlinkSync("busybox", join(usr, "bin/su"));
symlinkSync("/etc/passwd", join(usr, "bin/outside"));

const hide = (part: Partial<Confinement>) => resolveHidden({ hidden: [], forbidden_programs: [], unexecutable: [], ...part } as Confinement, usr);

describe("what a confinement hides", () => {
  it("is a program wherever it lies, and nothing with a longer name", async () => {
    expect(await hide({ forbidden_programs: ["wget"] })).toEqual(["/usr/bin/deep/er/wget", "/usr/bin/wget"]);
  });

  it("is both a link and what it leads to, but nothing outside the root", async () => {
    expect(await hide({ forbidden_programs: ["su", "outside"] })).toEqual(["/usr/bin/busybox", "/usr/bin/outside", "/usr/bin/su"]);
  });

  it("may be an absolute path, there or not, or a glob", async () => {
    expect(await hide({ hidden: ["/run/secrets", "/usr/bin/*.txt", "/proc/**/mem"] })).toEqual(["/run/secrets", "/usr/bin/log.txt"]);
  });

  it("is every name of the same file, and what stays readable is told apart", async () => {
    linkSync(join(usr, "bin/deep/er/wget"), join(usr, "bin/fetch"));
    expect(await hide({ hidden: ["/usr/bin/fetch"] })).toEqual(["/usr/bin/deep/er/wget", "/usr/bin/fetch"]);
    expect(await hide({ unexecutable: ["/usr/bin/deep/**/wge*", "/usr/bin/su"], hidden: ["/usr/bin/su"] })).toEqual([
      "/usr/bin/busybox",
      "/usr/bin/su",
      "noexec:/usr/bin/deep/er/wget",
      "noexec:/usr/bin/fetch",
    ]);
    rmSync(join(usr, "bin/fetch"));
  });

  it.each([
    ["/usr/bin/wge?", ["/usr/bin/wget"]],
    ["/usr/bin/[vw]get", ["/usr/bin/wget"]],
    ["/usr/bin/[^v]get*", ["/usr/bin/wget", "/usr/bin/wget2"]],
    ["/usr/bin/d**get", ["/usr/bin/deep/er/wget"]],
    ["/usr/b[h-j]n/log.txt", ["/usr/bin/log.txt"]],
    ["/**/node", ["/opt/plastron/node/bin/node"]],
  ])("may be any glob that a rule can have: %s", async (glob, paths) => {
    expect(await hide({ hidden: [glob] })).toEqual(paths);
  });

  it("is found while others are served, whatever the globs, and not for ever", async () => {
    mkdirSync(join(usr, "much"), { recursive: true });
    for (let i = 0; i < 2000; i++) writeFileSync(join(usr, `much/${"e".repeat(200)}${i}`), "");
    let served = 0;
    const other = setInterval(() => served++, 20);
    const globs = Array.from({ length: 1000 }, (_, i) => `/usr/much/${"**e".repeat(20)}**[x]${i % 10}`);
    await expect(hide({ hidden: globs })).rejects.toThrow("too long");
    clearInterval(other);
    rmSync(join(usr, "much"), { recursive: true });
    expect(served).toBeGreaterThan(50);
    const begun = performance.now();
    expect(await hide({ hidden: [`/usr/${"**e".repeat(40)}`] })).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(2_000);
  }, 60_000);

  it("is a directory instead of all that is in it, and never more than can be covered", async () => {
    mkdirSync(join(usr, "share/many"), { recursive: true });
    for (let i = 0; i < 5000; i++) writeFileSync(join(usr, `share/many/${i}.x`), "");
    expect(await hide({ unexecutable: ["/usr/share/**"] })).toEqual(["noexec:/usr/share/many"]);
    expect(await hide({ hidden: ["/usr/share/**"] })).toEqual(["/usr/share/many"]);
    await expect(hide({ unexecutable: ["/usr/share/many/*.x"] })).rejects.toThrow("4096");
    rmSync(join(usr, "share"), { recursive: true });
  });

  it("[needs: root] cannot be executed, by whatever glob its rule names it", async () => {
    const driver = await openLocalDriver({ home: join(usr, "globs") });
    const tried = "for p in /usr/bin/id /usr/bin/whoami /opt/plastron/node/bin/node; do $p --version >/dev/null 2>&1; echo $?; done";
    const { confinement } = compileDefault(TYPICAL_HOST);
    try {
      expect((await bench(driver, confinement).bash(tried)).stdout).toBe("0\n0\n0\n");
      const denied = { ...confinement, id: "f".repeat(64), unexecutable: ["/usr/bin/[h-j]d", "/usr/bin/whoam?", "/**/node", "/usr/lib/git-core/**"] };
      expect((await bench(driver, denied).bash(tried)).stdout).toBe("126\n126\n126\n");
    } finally {
      await driver.close();
    }
  }, 60_000);

  it("[needs: root] covers a program that was installed after the first run", async () => {
    const facts = TYPICAL_HOST;
    const name = `plastron-late-${process.pid}`;
    const late = `/usr/local/bin/${name}`;
    const confinement = { ...compileDefault(facts).confinement, forbidden_programs: [name] };
    const driver = await openLocalDriver({ home: join(usr, "home") }, { hiddenMaxAgeMs: 100, zygoteCores: 1000 });
    const { bash } = bench(driver, confinement);
    try {
      expect((await bash("echo first")).exit_code).toBe(0);
      writeFileSync(late, "#!/bin/sh\necho late\n", { mode: 0o755 });
      await expect.poll(async () => (await bash(late)).exit_code, { timeout: 20_000, interval: 300 }).toBe(126);
    } finally {
      rmSync(late, { force: true });
      await driver.close();
    }
  }, 60_000);

  it("[needs: root] that could not be looked up fails the runs that need it by name, and is looked up again for the next", async () => {
    const facts = TYPICAL_HOST;
    const confinement = { ...compileDefault(facts).confinement, forbidden_programs: ["no-such-program"] };
    const driver = await openLocalDriver({ home: join(usr, "lost") }, { hiddenMaxAgeMs: 100 });
    const { bash } = bench(driver, confinement);
    const path = process.env.PATH;
    try {
      process.env.PATH = "/nonexistent"; // the search is find's
      await expect(bash("echo 1")).rejects.toThrow("find");
      process.env.PATH = path;
      expect(await bash("echo 2")).toMatchObject({ stdout: "2\n" });
      process.env.PATH = "/nonexistent";
      await new Promise((later) => setTimeout(later, 1500)); // looked up again in the background, in vain
      expect(await bash("echo 3")).toMatchObject({ stdout: "3\n" });
    } finally {
      process.env.PATH = path;
      await driver.close();
    }
  }, 60_000);
});
