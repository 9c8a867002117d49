import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ScanResult } from "@plastron/contracts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ScanOptions } from "../options.ts";
import { scanSource } from "../scan.ts";
import { CacheDatabase } from "./database.ts";
import { Identity } from "./identity.ts";

let home: string;
let root: string;
let cache: string;
let registry: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "plastron-cache-test-"));
  root = join(home, "tree");
  cache = join(home, "cache");
  registry = join(home, "registry.ts");
  mkdirSync(root);
  chmodSync(home, 0o755); // workers of root's are another user
  analysers("one");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Analysers that say which version of them spoke, and how often they were asked at all. */
function analysers(version: string): void {
  const code = `
    const look = (matches) => ({ matches, facts: "fact", gaps: [] });
    const match = (file, message) => ({ rule: "code/test", analyser: "code", verdict: "weakness", title: "t", message, severity: "high", confidence: "high",
      place: { path: file, line: 1, column: 1, end_line: 1, end_column: 2 }, anchor: message, fix: { text: "f" } });
    export const loadAnalysers = async () => [{
      name: "code", version: ${JSON.stringify(version)}, wants: (file) => file.path.endsWith(".js"),
      file(file) {
        if (file.text.startsWith("DIE")) process.abort();
        return look([match(file.path, ${JSON.stringify(version)} + " says " + file.text.slice(0, 40))]);
      },
      project: (project) => look([match("", [...project.facts("code").keys()].join())]),
    }];`;
  writeFileSync(registry, code);
}

const put = (path: string, content: string | Uint8Array) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
};
/** Old enough that its stamp may be believed. */
const settle = () => new Promise((done) => setTimeout(done, 2100));
const run = (options: ScanOptions = {}) => scanSource(root, { registry, analysers: ["code"], cache, workers: 1, ...options });
const messages = (result: ScanResult) => result.findings.map(({ message }) => message).sort();
const cached = ({ coverage }: ScanResult) => coverage.analysers.code?.cached;

describe("a second scan", () => {
  test("of an unchanged tree says the same, and starts no worker", async () => {
    put("a.js", "1");
    put("b.js", "2");
    const first = await run();
    expect([cached(first), messages(first)]).toEqual([0, ["a.js,b.js", "one says 1", "one says 2"]]);
    const second = await run({ registry });
    expect([cached(second), messages(second)]).toEqual([2, messages(first)]);
    expect(second.coverage.analysers.code).toMatchObject({ files: 2, bytes: 2, version: "one" });
    expect(second.coverage.gaps).toEqual(first.coverage.gaps);
    expect(second.artifact).toEqual(first.artifact);
  });

  test("sees a change of one byte, and looks at that file alone", async () => {
    put("a.js", "1");
    put("b.js", "2");
    await run();
    put("a.js", "3");
    const result = await run();
    expect([cached(result), messages(result)]).toEqual([1, ["a.js,b.js", "one says 2", "one says 3"]]);
  });

  test("sees a change that keeps size and time", async () => {
    put("a.js", "1");
    const { atime, mtime } = statSync(join(root, "a.js"));
    await settle();
    await run();
    writeFileSync(join(root, "a.js"), "2");
    utimesSync(join(root, "a.js"), atime, mtime);
    expect(messages(await run())).toEqual(["a.js", "one says 2"]);
  });

  test("sees a change in the same tick of the clock as the first", async () => {
    for (let round = 0; round < 5; round++) {
      put("a.js", `${round}`);
      expect(messages(await run())).toContain(`one says ${round}`);
    }
  });

  test("sees that a file came, went, or got another name or mode", async () => {
    put("a.js", "1");
    await run();
    put("b.js", "1");
    expect(messages(await run())).toEqual(["a.js,b.js", "one says 1", "one says 1"]);
    rmSync(join(root, "a.js"));
    expect(messages(await run())).toEqual(["b.js", "one says 1"]);
  });

  test("asks again where rules or code of the analysers are others", async () => {
    put("a.js", "1");
    await run();
    analysers("two");
    expect(messages(await run())).toEqual(["a.js", "two says 1"]);
    analysers("one");
    expect(cached(await run())).toBe(1);
  });

  test("asks again where a rule's file was touched, though no version was raised", async () => {
    const rules = join(home, "rules");
    mkdirSync(rules);
    writeFileSync(join(rules, "a.yaml"), "id: a");
    put("a.js", "1");
    await run({ rules: [rules] });
    expect(cached(await run({ rules: [rules] }))).toBe(1);
    writeFileSync(join(rules, "a.yaml"), "id: b");
    expect(cached(await run({ rules: [rules] }))).toBe(0);
  });

  test("tells a failure again without trying it again, but one with more patience tries", async () => {
    put("a.js", "DIE");
    put("b.js", "2");
    const first = await run();
    expect(first.coverage.gaps).toMatchObject([{ path: "a.js", reason: "crash" }]);
    const second = await run();
    expect(second.coverage.gaps).toEqual(first.coverage.gaps);
    expect(second.status).toBe("incomplete");
    expect(cached(second)).toBe(1);
    analysers("two");
    expect(messages(await run())).toContain("two says 2");
  });

  test("takes nothing where it is told so, and two at once do not disturb each other", async () => {
    for (let at = 0; at < 40; at++) put(`f${at}.js`, `${at}`);
    expect(cached(await run({ cache: null }))).toBe(0);
    const results = await Promise.all([run(), run(), run()]);
    expect(new Set(results.map((result) => JSON.stringify(messages(result)))).size).toBe(1);
    expect(cached(await run())).toBe(40);
  });
});

describe("a cache that cannot be believed is not", () => {
  const poison = () => {
    const db = new DatabaseSync(join(cache, "scan-1.db"));
    db.exec(`update kept set value = cast(replace(cast(value as text), 'one says', 'nothing') as blob)`);
    db.close();
  };

  test("a row that was changed", async () => {
    put("a.js", "1");
    await run();
    poison();
    expect(messages(await run())).toContain("one says 1");
  });

  test.each([
    ["junk in its file's place", (path: string) => writeFileSync(path, "junk".repeat(5000))],
    ["its file cut", (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 5000))],
    [
      "bytes of its file changed",
      (path: string) =>
        writeFileSync(
          path,
          readFileSync(path).map((byte, at) => (at > 4096 && at % 97 === 0 ? byte ^ 255 : byte)),
        ),
    ],
    ["an empty file", (path: string) => writeFileSync(path, "")],
  ])("%s: it is made anew, and the scan is right", async (_, damage) => {
    for (let at = 0; at < 30; at++) put(`f${at}.js`, `${at}`);
    const first = await run();
    damage(join(cache, "scan-1.db"));
    for (const name of ["scan-1.db-wal", "scan-1.db-shm"]) rmSync(join(cache, name), { force: true });
    const result = await run();
    expect(messages(result)).toEqual(messages(first));
    await run();
    expect(cached(await run())).toBe(30);
  });

  test.each([
    ["others may write to its directory", () => chmodSync(cache, 0o777)],
    ["others may read its file", () => chmodSync(join(cache, "scan-1.db"), 0o644)],
    [
      "its file is a link",
      () => {
        rmSync(join(cache, "scan-1.db"));
        writeFileSync(join(home, "elsewhere"), "");
        symlinkSync(join(home, "elsewhere"), join(cache, "scan-1.db"));
      },
    ],
    ["others may write above it", () => chmodSync(home, 0o777)],
  ])("%s: neither read nor written, and the report says so", async (_, spoil) => {
    put("a.js", "1");
    await run();
    spoil();
    const result = await run();
    chmodSync(home, 0o755);
    expect(cached(result)).toBe(0);
    expect(result.coverage.notes.join()).toMatch(/nothing was kept of this scan nor taken from earlier ones/);
  });

  test("another user made it [needs: root]", async (context) => {
    if (process.geteuid?.() !== 0) context.skip();
    put("a.js", "1");
    await run();
    chownSync(join(cache, "scan-1.db"), 12345, 12345);
    expect(cached(await run())).toBe(0);
    chownSync(join(cache, "scan-1.db"), 0, 0);
    chownSync(cache, 12345, 12345);
    expect((await run()).coverage.notes.join()).toMatch(/belongs to another user/);
  });
});

describe("the database", () => {
  test("stays within its size: what was not used for longest goes", () => {
    const limit = 4 << 20;
    for (let day = 0; day < 6; day++) {
      const database = new CacheDatabase(cache, limit);
      for (let row = 0; row < 40; row++) database.put(`day ${day} row ${row}`, Buffer.alloc(50_000, day));
      database.close();
    }
    const last = new CacheDatabase(cache, limit);
    last.close();
    expect(statSync(join(cache, "scan-1.db")).size).toBeLessThan(limit + (2 << 20));
  });

  test("survives the death of a process in the middle of writing", async () => {
    const code = `
      import { CacheDatabase } from ${JSON.stringify(join(import.meta.dirname, "database.ts"))};
      const database = new CacheDatabase(${JSON.stringify(cache)}, 1 << 30);
      for (let at = 0; ; at++) database.put("key " + at, Buffer.alloc(2000, at % 256));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
    await new Promise((done) => setTimeout(done, 1500));
    child.kill("SIGKILL");
    await new Promise((done) => child.once("close", done));
    const database = new CacheDatabase(cache, 1 << 30);
    expect(database.trouble).toBeNull();
    expect(database.get("key 7")?.value).toEqual(Buffer.alloc(2000, 7));
    database.close();
  });

  test("that is full or cannot be written loses what it was given, and says nothing", () => {
    const database = new CacheDatabase(cache, 1 << 30);
    const other = new DatabaseSync(join(cache, "scan-1.db"));
    other.exec("begin exclusive");
    database.put("a", Buffer.from("1"));
    database.flush();
    other.exec("rollback");
    other.close();
    expect(database.get("a")).toBeNull();
    database.close();
  });
});

describe("the identity of what analysers are made of", () => {
  test("is that of contents; its stamp changes with any touch", async () => {
    const directory = join(home, "sources");
    mkdirSync(directory);
    writeFileSync(join(directory, "a.ts"), "1");
    const identity = new Identity([directory]);
    const [stamp, content] = [identity.stamp(), identity.content()];
    await new Promise((done) => setTimeout(done, 20));
    writeFileSync(join(directory, "a.ts"), "1");
    expect(identity.stamp()).not.toBe(stamp);
    expect(identity.content()).toBe(content);
    writeFileSync(join(directory, "a.ts"), "2");
    expect(identity.content()).not.toBe(content);
    writeFileSync(join(directory, "a.test.ts"), "x");
    writeFileSync(join(directory, "a.ts"), "1");
    expect(identity.content()).toBe(content);
  });
});

test("nothing of the cache is readable to others", async () => {
  put("a.js", "1");
  await run();
  const modes = execFileSync("find", [cache, "-printf", "%m %y\n"], { encoding: "utf8" }).trim().split("\n");
  expect(new Set(modes)).toEqual(new Set(["700 d", "600 f"]));
});
