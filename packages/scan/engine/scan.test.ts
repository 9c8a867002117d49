import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scanResultSchema } from "@plastron/contracts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Artifact, ChangedError } from "../intake/artifact.ts";
import { openArtifact } from "../intake/open.ts";
import type { ScanOptions } from "./options.ts";
import { scan, scanSource } from "./scan.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plastron-engine-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const registry = join(import.meta.dirname, "testing/trouble.ts");
const OPTIONS: ScanOptions = { registry, analysers: ["code", "secrets"], fileTimeoutMs: 3000, heapMb: 150, memoryMb: 700, workers: 2 };
const put = (path: string, content: string | Uint8Array) => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
};
const run = (options: ScanOptions = {}) => scanSource(root, { ...OPTIONS, ...options });
const gaps = ({ coverage }: Awaited<ReturnType<typeof run>>) =>
  coverage.gaps.map(({ analyser, path, reason, kind, matters }) => [analyser, path, reason, kind, matters]);
/** Workers of this test's own scans: they name its registry. */
const workers = (of = registry) =>
  readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes("worker.ts") && commandOf(pid).includes(of));
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

describe("a scan", () => {
  test("says what every analyser saw of files and of the whole, and is complete", async () => {
    put("a.js", "BAD\nfine\n");
    put("b/c.py", "fine\nSECRET\n");
    put("pic.png", Buffer.from("\x89PNG\0\0\0\0", "latin1"));
    const result = await run();
    expect(scanResultSchema.parse(result).status).toBe("complete");
    expect(result.findings.map(({ rule, place }) => [rule, place.path, place.line]).sort()).toEqual([
      ["code/test/bad", "", 1],
      ["code/test/bad", "a.js", 1],
      ["secrets/test", "b/c.py", 1],
    ]);
    expect(result.findings.find(({ place }) => place.path === "")?.message).toBe("facts of a.js b/c.py among 3");
    expect(result.coverage).toMatchObject({
      files: 3,
      analysers: { code: { files: 2, bytes: 21, cached: 0, version: "code-1" }, secrets: { files: 3, version: "secrets-1" } },
      gaps: [],
    });
  });

  test("says the same each time, in any order of work", async () => {
    for (let at = 0; at < 60; at++) put(`d${at % 7}/f${at}.js`, `BAD ${at}\n${"x".repeat((at * 37) % 500)}\nSECRET`);
    const once = await run({ workers: 1 });
    const again = await run({ workers: 4 });
    const plain = ({ started_at: _, ms: __, coverage, ...rest }: typeof once) => JSON.stringify({ ...rest, gaps: coverage.gaps });
    expect(plain(again)).toBe(plain(once));
  });

  test("of nothing is complete and finds nothing", async () => {
    expect(await run()).toMatchObject({ status: "complete", findings: [], coverage: { files: 0 } });
  });

  test("without an analyser that was asked for is incomplete", async () => {
    put("a.js", "x");
    const result = await run({ analysers: ["code", "agentware"] });
    expect(result.status).toBe("incomplete");
    expect(gaps(result)).toEqual([["agentware", "", "absent", "failed", true]]);
  });

  test("whose analysers do not start at all is no scan", async () => {
    await expect(run({ analysers: ["fuzz"] })).rejects.toThrow("these rules cannot be read");
    expect(workers()).toEqual([]);
  });
});

describe("an analyser that misbehaves costs its look at that file alone", () => {
  test.each([
    ["throws", "throw", "exception"],
    ["recurses without end", "recurse", "exception"],
    ["aborts", "abort", "crash"],
    ["exits", "exit", "crash"],
    ["is killed", "kill", "crash"],
    ["never returns", "hang", "timeout"],
    ["fills its heap", "heap", "memory"],
    ["leaks outside of its heap", "buffers", "memory"],
  ])("%s", { timeout: 60_000 }, async (_, word, reason) => {
    for (let at = 0; at < 12; at++) put(`ok${at}.js`, "BAD SECRET");
    put("evil.js", `OBEY ${word} SECRET`);
    const result = await run();
    expect(result.status).toBe("incomplete");
    expect(gaps(result)).toEqual([["code", "evil.js", reason, "failed", true]]);
    expect(result.findings.filter(({ rule }) => rule === "code/test/bad").length).toBe(13);
    expect(result.findings.filter(({ rule }) => rule === "secrets/test").map(({ place }) => place.path)).toContain("evil.js");
    expect(workers()).toEqual([]);
  });

  test("sleeps in native code: waited for longer than for one that works, and ended", { timeout: 60_000 }, async () => {
    put("evil.js", "OBEY sleep");
    expect(gaps(await run({ fileTimeoutMs: 700 }))).toEqual([["code", "evil.js", "timeout", "failed", true]]);
  });

  test("answers what is no answer", async () => {
    put("evil.js", "OBEY lie");
    const result = await run();
    expect(gaps(result)).toEqual([["code", "evil.js", "invalid_answer", "failed", true]]);
    expect(result.findings.filter(({ place }) => place.path === "evil.js")).toEqual([]);
  });

  test("answers in another shape altogether", async () => {
    put("evil.js", "OBEY babble");
    put("ok.js", "BAD");
    const result = await run();
    expect(gaps(result)).toEqual([["code", "evil.js", "invalid_answer", "failed", true]]);
    expect(result.findings.map(({ place }) => place.path)).toContain("ok.js");
  });

  test("answers without end", async () => {
    put("evil.js", "OBEY flood");
    const result = await run();
    expect(gaps(result)).toEqual([["code", "evil.js", "too_many_matches", "degraded", true]]);
    expect(result.status).toBe("incomplete");
  });

  test("tells more facts than can be joined", async () => {
    put("evil.js", "OBEY boast");
    expect(gaps(await run({ heapMb: 1000, memoryMb: 2000 }))).toEqual([["code", "evil.js", "facts_too_large", "degraded", true]]);
  });

  test.each([
    ["hangs", "PROJECT-HANG", "timeout"],
    ["dies", "PROJECT-DIE", "crash"],
  ])("%s over the whole: the others still look at it", { timeout: 60_000 }, async (_, word, reason) => {
    put("a.js", word);
    const result = await run({ projectTimeoutMs: 2500 });
    expect(gaps(result)).toEqual([["code", "", reason, "failed", true]]);
    expect(result.coverage.analysers.secrets?.files).toBe(1);
  });
});

describe("a worker", () => {
  test.each(["write", "read", "spawn"])("may not %s", async (word) => {
    put("evil.js", `OBEY ${word}`);
    const { coverage } = await run();
    expect(coverage.gaps).toMatchObject([{ reason: "exception", detail: expect.stringContaining("refused: ERR_ACCESS_DENIED") }]);
  });

  test("sees no network, no variable of its caller's and no other user's rights [needs: root]", async (context) => {
    if (process.geteuid?.() !== 0) context.skip();
    process.env.PLASTRON_TEST_SECRET = "hush";
    put("evil.js", "OBEY tell");
    const { coverage } = await run();
    delete process.env.PLASTRON_TEST_SECRET;
    const told = coverage.gaps[0]?.detail ?? "";
    expect(told).toMatch(/uid=61312 /);
    expect(told).toMatch(/interfaces= /);
    expect(told).not.toContain("hush");
    expect(coverage.notes).toEqual([]);
  });
});

describe("bad input", () => {
  test("files of 100 MB on one line, of every encoding, and of junk are scanned in bounded memory", { timeout: 120_000 }, async () => {
    const fd = openSync(join(root, "line.js"), "w");
    for (let at = 0; at < 100; at++) writeSync(fd, "x".repeat(1 << 20));
    closeSync(fd);
    put("utf16.py", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("BAD = 1", "utf16le")]));
    put("latin1.py", Buffer.from("# caf\xe9\nBAD", "latin1"));
    put("junk.js", Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7919) % 256)));
    put("lone.js", Buffer.from([0xed, 0xa0, 0x80, 0x42, 0x41, 0x44]));
    const result = await run({ heapMb: 1024, memoryMb: 2000 });
    expect(
      result.findings
        .filter(({ place }) => place.path.endsWith(".py"))
        .map(({ place }) => place.path)
        .sort(),
    ).toEqual(["latin1.py", "utf16.py"]);
    expect(result.coverage.gaps.map(({ path, reason }) => [path, reason])).toEqual([
      ["junk.js", "encoding"],
      ["latin1.py", "encoding"],
      ["lone.js", "encoding"],
    ]);
    expect(result.status).toBe("complete");
  });

  test("a tree far larger than what is on its way to workers at once does not pile up in memory", { timeout: 120_000 }, async () => {
    for (let at = 0; at < 60; at++) {
      const fd = openSync(join(root, `f${at}.js`), "w");
      ftruncateSync(fd, 8 << 20);
      closeSync(fd);
    }
    let most = 0;
    const before = process.memoryUsage.rss();
    await scanSource(root, OPTIONS, () => {
      most = Math.max(most, process.memoryUsage.rss());
    });
    expect((most - before) / 2 ** 20).toBeLessThan(300);
  });

  test("a file that changed since it was taken in is not handed on, and said", async () => {
    put("a.js", "BAD");
    put("b.js", "BAD");
    const artifact = await openArtifact(root);
    put("a.js", "good");
    const result = await scan(artifact, OPTIONS);
    expect(gaps(result)).toEqual([["intake", "a.js", "changed", "failed", true]]);
    expect(result.findings.map(({ place }) => place.path)).toEqual(["", "b.js"]);
  });

  test("keys that are names of JavaScript's own", async () => {
    for (const name of ["__proto__", "constructor", "toString"]) put(name, "BAD");
    put("x/__proto__/a.js", "__proto__");
    const { findings } = await run();
    expect(
      findings
        .filter(({ place }) => place.path !== "")
        .map(({ place }) => place.path)
        .sort(),
    ).toEqual(["__proto__", "constructor", "toString"]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe("an end from outside", () => {
  test("a signal ends the scan and every process of it", async () => {
    put("evil.js", "OBEY hang");
    const stop = new AbortController();
    const artifact = await openArtifact(root);
    const running = scan(artifact, { ...OPTIONS, fileTimeoutMs: 60_000 }, undefined, stop.signal);
    await until(() => workers().length > 0);
    stop.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect(workers()).toEqual([]);
  });

  test("kill -9 of a worker costs nothing but its time", async () => {
    for (let at = 0; at < 400; at++) put(`f${at}.js`, `BAD ${at} ${"y".repeat(2000)}`);
    const artifact = await openArtifact(root);
    let kills = 0;
    const result = await scan(artifact, OPTIONS, ({ phase, done }) => {
      if (phase !== "files" || done !== 100 + kills * 100 || kills === 2) return;
      kills++;
      const pid = workers()[0];
      if (pid) process.kill(Number(pid), "SIGKILL");
    });
    expect(kills).toBe(2);
    expect(result.status).toBe("complete");
    expect(result.findings.filter(({ place }) => place.path !== "")).toHaveLength(400);
  });

  test("kill -9 of the parent leaves no worker, even one that hangs", async () => {
    put("evil.js", "OBEY hang");
    const mark = join(root, "registry.ts");
    writeFileSync(mark, `export { loadAnalysers } from ${JSON.stringify(registry)};`);
    const code = `import { scanSource } from ${JSON.stringify(join(import.meta.dirname, "scan.ts"))};
      await scanSource(${JSON.stringify(root)}, ${JSON.stringify({ ...OPTIONS, registry: mark, fileTimeoutMs: 60_000 })});`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "ignore" });
    await until(() => workers(mark).length > 0);
    await new Promise((done) => setTimeout(done, 300));
    parent.kill("SIGKILL");
    await until(() => workers(mark).length === 0);
  });
});

test("an artifact whose bytes are not to be had is incomplete, not an error", async () => {
  const file = {
    key: "a.js",
    path: "a.js",
    layers: [],
    sha256: "0".repeat(64),
    language: "javascript",
    encoding: "utf8",
    archive: null,
    executable: false,
    size: 3,
  } as const;
  const artifact: Artifact = {
    ref: { kind: "tree", digest: "0".repeat(64), name: "x", revision: null },
    files: [file],
    gaps: [],
    notes: [],
    read: () => Promise.reject(new ChangedError("it is gone")),
    close: async () => {},
  };
  expect(await scan(artifact, OPTIONS)).toMatchObject({ status: "incomplete", findings: [] });
});

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (condition()) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("it did not come to pass");
}
