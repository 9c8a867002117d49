import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ChangedError } from "./artifact.ts";
import { type OpenOptions, openArtifact } from "./open.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plastron-intake-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const put = (path: string, content: string | Uint8Array = "x") => {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), content);
};
const open = (options: OpenOptions = {}) => openArtifact(root, options);
const gapsOf = async (options: OpenOptions = {}) => (await open(options)).gaps.map(({ path, reason, matters }) => [path, reason, matters]);

describe("a directory", () => {
  test("becomes its files, sorted, with what each of them is", async () => {
    put("b/run", "#!/usr/bin/env python3\n");
    put("a.ts", "export {}");
    put("pic", Buffer.from("\x89PNG\r\n\x1a\n\0\0", "latin1"));
    chmodSync(join(root, "b/run"), 0o755);
    const { files, ref, gaps } = await open();
    expect(files.map(({ key, language, executable }) => [key, language, executable])).toEqual([
      ["a.ts", "typescript", false],
      ["b/run", "python", true],
      ["pic", "binary", false],
    ]);
    expect(ref).toMatchObject({ kind: "tree", name: root, revision: null });
    expect(gaps).toEqual([]);
  });

  test("has a digest of paths, modes and contents, whatever its own place and times", async () => {
    put("a", "1");
    const before = (await open()).ref.digest;
    execFileSync("cp", ["-r", root, `${root}-copy`]);
    const copied = (await openArtifact(`${root}-copy`)).ref.digest;
    rmSync(`${root}-copy`, { recursive: true });
    expect(copied).toBe(before);
    chmodSync(join(root, "a"), 0o755);
    const mode = (await open()).ref.digest;
    put("a", "2");
    const content = (await open()).ref.digest;
    renameSync(join(root, "a"), join(root, "b"));
    expect(new Set([before, mode, content, (await open()).ref.digest]).size).toBe(4);
  });

  test("is not left through links; cyclic ones do no harm", async () => {
    put("real/a", "1");
    symlinkSync("/etc", join(root, "out"));
    symlinkSync("../..", join(root, "real/up"));
    symlinkSync("..", join(root, "real/cycle"));
    symlinkSync("self", join(root, "self"));
    const { files } = await open();
    expect(files.map(({ key }) => key)).toEqual(["real/a"]);
    expect(await gapsOf()).toEqual([
      ["out", "symlink", true],
      ["real/cycle", "symlink", false],
      ["real/up", "symlink", true],
      ["self", "symlink", false],
    ]);
  });

  test("may hold fifos and sockets: they are told and never opened", async () => {
    execFileSync("mkfifo", [join(root, "fifo")]);
    const server = createServer().listen(join(root, "socket"));
    await new Promise((done) => server.once("listening", done));
    expect(await gapsOf()).toEqual([
      ["fifo", "fifo", false],
      ["socket", "socket", false],
    ]);
    await new Promise((done) => server.close(done));
  });

  test("with a sparse file of a terabyte: it is named, and neither read nor counted", async () => {
    put("sparse");
    truncateSync(join(root, "sparse"), 2 ** 40);
    put("a");
    const { files, gaps } = await open();
    expect(files.map(({ key }) => key)).toEqual(["a"]);
    expect(gaps).toMatchObject([{ path: "sparse", kind: "skipped", reason: "too_large", matters: true }]);
  });

  test("is taken within limits of count, bytes and depth, each said", async () => {
    for (const name of ["a", "b", "c"]) put(name, "12345");
    put("d/e/f/g");
    expect(await gapsOf({ limits: { files: 2 } })).toEqual([["c", "too_many_files", true]]);
    expect(await gapsOf({ limits: { totalBytes: 12 } })).toEqual([["c", "too_large", true]]);
    expect(await gapsOf({ limits: { depth: 2 } })).toEqual([["d/e/f", "depth", true]]);
  });

  test("with names that are no text, or that would move a terminal: each stays one file", async () => {
    put("new\nline");
    put("esc\x1b[2J");
    for (const byte of ["\xff", "\xfe"]) writeFileSync(Buffer.from(`${root}/no-utf8-${byte}`, "latin1"), byte, { encoding: "latin1" });
    const artifact = await open();
    expect(artifact.files.map(({ key }) => key)).toEqual(["esc\x1b[2J", "new\nline", "no-utf8-\\xfe", "no-utf8-\\xff"]);
    expect(Buffer.from(await artifact.read(artifact.files[3]!)).toString("latin1")).toBe("\xff");
    expect(artifact.gaps.filter(({ reason }) => reason === "name")).toHaveLength(4);
  });

  test("with names that other disks hold for one", async () => {
    put("README");
    put("readme");
    put("caf\u00e9");
    put("cafe\u0301");
    expect((await gapsOf()).map(([path, reason]) => [path, reason])).toEqual([
      ["caf\u00e9", "collision"],
      ["readme", "collision"],
    ]);
  });

  test("with a file under two names (a hard link): both are looked at", async () => {
    put("a.py", "x = 1");
    linkSync(join(root, "a.py"), join(root, "b.sh"));
    expect((await open()).files.map(({ key, language }) => [key, language])).toEqual([
      ["a.py", "python"],
      ["b.sh", "shell"],
    ]);
  });
});

describe("a file that changes under the scan", () => {
  test("is not handed on as what it was", async () => {
    put("a", "good");
    const artifact = await open();
    put("a", "evil");
    await expect(artifact.read(artifact.files[0]!)).rejects.toThrow(ChangedError);
    rmSync(join(root, "a"));
    await expect(artifact.read(artifact.files[0]!)).rejects.toThrow(ChangedError);
  });

  test("cannot lead out of the root by becoming a link, nor can a directory above it", async () => {
    const outside = mkdtempSync(join(tmpdir(), "plastron-intake-outside-"));
    writeFileSync(join(outside, "a"), "good");
    put("d/a", "good");
    const artifact = await open();
    rmSync(join(root, "d"), { recursive: true });
    symlinkSync(outside, join(root, "d"));
    // The same content, and a plain open would find it: only the way there differs.
    await expect(artifact.read(artifact.files[0]!)).rejects.toThrow(ChangedError);
    rmSync(outside, { recursive: true });
  });

  test("while a directory and a link change places again and again: nothing from outside is ever taken in", async () => {
    const outside = mkdtempSync(join(tmpdir(), "plastron-intake-outside-"));
    writeFileSync(join(outside, "secret"), "from outside");
    mkdirSync(join(root, "swap"));
    put("swap/secret", "from inside");
    symlinkSync(outside, join(root, "link"));
    const swapper = execSwapper(root);
    try {
      let led = 0; // how often a walk by paths is led astray
      for (let round = 0; round < 20_000 && led === 0; round++) if (naive(root).includes("from outside")) led++;
      expect(led).toBe(1);
      for (let round = 0; round < 150; round++) {
        const artifact = await open();
        for (const file of artifact.files) {
          const bytes = await artifact.read(file).catch(() => Buffer.from("gone"));
          expect(Buffer.from(bytes).toString()).not.toBe("from outside");
        }
      }
    } finally {
      swapper.kill("SIGKILL");
      rmSync(outside, { recursive: true });
    }
  });
});

describe("what its owner may not read", () => {
  test.skipIf(process.geteuid?.() === 0)("is a gap [needs: an ordinary user]", async () => {
    put("a");
    chmodSync(join(root, "a"), 0);
    expect(await gapsOf()).toEqual([["a", "unreadable", true]]);
  });
});

test("what is not there, is no place or is a device is refused in words", async () => {
  await expect(openArtifact(join(root, "nothing"))).rejects.toMatchObject({ code: "not_found" });
  await expect(openArtifact("/dev/zero")).rejects.toMatchObject({ code: "invalid_request" });
});

test("a scan that is stopped while it takes in says so", async () => {
  for (let at = 0; at < 300; at++) put(`f${at}`);
  const stop = new AbortController();
  await expect(open({ signal: stop.signal, onFile: () => stop.abort(new Error("enough")) })).rejects.toThrow("enough");
});

function naive(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [];
    try {
      return [readFileSync(join(directory, entry.name, "secret"), "utf8")];
    } catch {
      return [];
    }
  });
}

/** Renames `swap` and `link` into each other's place as fast as it can. */
function execSwapper(directory: string) {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const code = `const fs=require("fs");process.chdir(${JSON.stringify(directory)});for(;;){try{fs.renameSync("swap","t");fs.renameSync("link","swap");fs.renameSync("t","link")}catch{process.exit(1)}}`;
  return spawn(process.execPath, ["-e", code], { stdio: "ignore" });
}
