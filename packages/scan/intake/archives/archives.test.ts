import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type OpenOptions, openArtifact } from "../open.ts";
import { overlappingZip, type ZipMember, zipOf } from "./testing/zip.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plastron-archives-test-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const zip = (...members: ZipMember[]) => zipOf(members);
const SMALL = { limits: { ratioFloor: 1 << 20 } };

interface TarMember {
  name: string;
  type?: "file" | "symlink" | "link" | "directory" | "fifo" | "block-device";
  linkname?: string;
  content?: string;
  mode?: number;
  pax?: Record<string, string>;
}

async function tar(...members: TarMember[]): Promise<Buffer> {
  const archive = pack();
  for (const { content, ...header } of members) archive.entry(header as { name: string }, content ?? "");
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** As the only file of a directory, and by itself. */
async function opened(name: string, bytes: Uint8Array, options: OpenOptions = {}) {
  writeFileSync(join(root, name), bytes);
  const artifact = await openArtifact(root, options);
  const gaps = artifact.gaps.map(({ path, reason, matters }) => [path, reason, matters]);
  return { artifact, keys: artifact.files.map(({ key }) => key), gaps };
}

describe("archives within a tree", () => {
  test("are opened, and those in them", async () => {
    const inner = gzipSync(await tar({ name: "package/b.py", content: "x = 1" }, { name: "run", content: "#!/bin/sh\n", mode: 0o755 }));
    const { artifact, keys, gaps } = await opened("vendor.zip", zip({ name: "lib/a.js", content: "BAD" }, { name: "in.tgz", content: inner }));
    expect(gaps).toEqual([]);
    expect(keys).toEqual(["vendor.zip", "vendor.zip!/in.tgz", "vendor.zip!/in.tgz!/package/b.py", "vendor.zip!/in.tgz!/run", "vendor.zip!/lib/a.js"]);
    const [, , python, run, script] = artifact.files;
    expect(python).toMatchObject({ layers: ["vendor.zip", "in.tgz"], path: "package/b.py", language: "python" });
    expect(run).toMatchObject({ executable: true, language: "shell" });
    expect(Buffer.from(await artifact.read(script!)).toString()).toBe("BAD");
    await artifact.close();
  });

  test("by what they are, not by what they are called", async () => {
    expect((await opened("model.bin", zip({ name: "a", content: "x" }))).keys).toContain("model.bin!/a");
    expect((await opened("notes.txt.gz", gzipSync("text"))).keys).toContain("notes.txt.gz!/notes.txt");
    expect((await opened("tree.zst", zstdCompressSync(await tar({ name: "a", content: "x" })))).keys).toContain("tree.zst!/a");
    expect((await opened("app.pyz", Buffer.concat([Buffer.from("#!/usr/bin/env python3\n"), zip({ name: "__main__.py", content: "x" })]))).keys).toContain(
      "app.pyz!/__main__.py",
    );
  });

  test("behind another archive: what the last list does not name is told", async () => {
    const two = Buffer.concat([zip({ name: "evil", content: "x" }), zip({ name: "good", content: "x" })]);
    const { keys, gaps } = await opened("a.zip", two);
    expect(keys).toContain("a.zip!/good");
    expect(gaps).toEqual([["a.zip", "hidden", true]]);
  });

  test("that cannot be opened are said, and make the scan incomplete", async () => {
    expect((await opened("a.7z", Buffer.from("7z\xbc\xaf\x27\x1c\0\x04", "latin1"))).gaps).toEqual([["a.7z", "unsupported", true]]);
    expect((await opened("a.7z", Buffer.from("Rar!\x1a\x07\x01\0", "latin1"))).gaps).toEqual([["a.7z", "unsupported", true]]);
  });

  test("with a password are a gap, and a fact for who looks at their tree", async () => {
    const { artifact, gaps } = await opened("a.zip", zip({ name: "x.sh", content: "curl", encrypted: true }, { name: "y", content: "plain" }));
    expect(gaps).toEqual([["a.zip", "encrypted", true]]);
    expect(artifact.files.map(({ key, sealed }) => [key, sealed ?? false])).toEqual([
      ["a.zip", true],
      ["a.zip!/y", false],
    ]);
  });
});

describe("names in archives", () => {
  test.each(["../../up.sh", "/abs.sh", "C:\\win.sh", "a/../../up.sh", "..\\up.sh"])("%s stays inside, is looked at and told", async (name) => {
    for (const bytes of [zip({ name, content: "BAD" }), await tar({ name, content: "BAD" })]) {
      const { artifact, gaps } = await opened("a.bin", bytes);
      const inside = artifact.files.find(({ layers }) => layers.length > 0);
      expect(inside?.path.split("/")).not.toContain("..");
      expect(inside?.path.startsWith("/")).toBe(false);
      expect(gaps).toContainEqual([inside?.key, "path_escape", true]);
      expect(Buffer.from(await artifact.read(inside!)).toString()).toBe("BAD");
    }
  });

  test("a NUL hides no ending", async () => {
    const { keys, gaps } = await opened("a.zip", zip({ name: "ok.txt\0.sh", content: "x" }));
    expect(keys[1]).toBe("a.zip!/ok.txt\\x00.sh");
    expect(gaps).toContainEqual([keys[1], "path_escape", true]);
  });

  test("one name twice is two files", async () => {
    const { artifact, keys, gaps } = await opened("a.zip", zip({ name: "a", content: "good" }, { name: "a", content: "evil" }));
    expect(keys).toEqual(["a.zip", "a.zip!/a", "a.zip!/a~2"]);
    expect(Buffer.from(await artifact.read(artifact.files[2]!)).toString()).toBe("evil");
    expect(gaps).toEqual([["a.zip!/a", "collision", false]]);
  });

  test("of any bytes never leave the archive", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 30 }), async (name) => {
        const { artifact } = await opened("a.zip", zip({ name: Buffer.from(name), content: "x" }));
        for (const { path } of artifact.files) expect(path.split("/").filter((part) => part === ".." || part === "")).toEqual([]);
        await artifact.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe("links and devices in archives", () => {
  test("are told, and followed nowhere", async () => {
    const bytes = await tar(
      { name: "in", type: "symlink", linkname: "a" },
      { name: "out", type: "symlink", linkname: "../../etc/passwd" },
      { name: "hard", type: "link", linkname: "/etc/passwd" },
      { name: "fifo", type: "fifo" },
      { name: "disk", type: "block-device" },
      { name: "a", content: "x" },
    );
    const { keys, gaps } = await opened("a.tar", bytes);
    expect(keys).toEqual(["a.tar", "a.tar!/a"]);
    expect(gaps).toEqual([
      ["a.tar!/in", "symlink", false],
      ["a.tar!/out", "symlink", true],
      ["a.tar!/hard", "hardlink", true],
      ["a.tar!/fifo", "device", false],
      ["a.tar!/disk", "device", false],
    ]);
    expect((await opened("a.tar", zip({ name: "l", content: "/etc/shadow", mode: 0o120777 }))).gaps).toEqual([["a.tar!/l", "symlink", false]]);
  });

  test("sparse members of GNU tar are told", async () => {
    writeFileSync(join(root, "plain"), "");
    execFileSync("truncate", ["-s", "300M", join(root, "plain")]);
    execFileSync("tar", ["-C", root, "--format=gnu", "--sparse", "-cf", join(root, "s.tar"), "plain"]);
    rmSync(join(root, "plain"));
    const { artifact } = { artifact: await openArtifact(root) };
    expect(artifact.gaps).toMatchObject([{ path: "s.tar!/plain", matters: true }]);
  });
});

describe("bombs", () => {
  const zeros = Buffer.alloc(8 << 20);

  test.each([
    ["a zip", async () => zip({ name: "a", content: zeros }, { name: "b", content: zeros })],
    ["a gzip", async () => gzipSync(zeros)],
    ["a tar.gz", async () => gzipSync(await tar({ name: "a", content: zeros.toString("latin1") }))],
    ["a zstd", async () => zstdCompressSync(zeros)],
  ])("%s that grows past its ratio is left", async (_, make) => {
    const { artifact, gaps } = await opened("bomb", await make(), SMALL);
    expect(gaps).toEqual([["bomb", "bomb", true]]);
    expect(artifact.files.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(10 << 20);
  });

  test("members that share bytes", async () => {
    const { gaps } = await opened("a.zip", overlappingZip(50, Buffer.alloc(4000, 65)));
    expect(gaps).toEqual([["a.zip", "bomb", true]]);
  });

  test("an archive that says of a member another size than it has", async () => {
    const { gaps } = await opened("a.zip", zip({ name: "a", content: "four", saysSize: 1 }, { name: "b", content: "x" }));
    expect(gaps).toEqual([["a.zip!/a", "malformed", true]]);
  });

  test("archives in archives without end, and more files than there may be", async () => {
    let bytes = zip({ name: "core.txt", content: "x" });
    for (let depth = 0; depth < 8; depth++) bytes = zip({ name: "in.zip", content: bytes });
    expect((await opened("a.zip", bytes)).gaps).toEqual([[`a.zip${"!/in.zip".repeat(4)}`, "depth", true]]);
    const many = zip(...Array.from({ length: 500 }, (_, at) => ({ name: `f${at}`, content: "" })));
    expect((await opened("a.zip", many, { limits: { files: 100 } })).gaps).toEqual([["a.zip!/f99", "too_many_files", true]]);
  });

  test("many archives with many archives in each end at the limit of the whole", async () => {
    let bytes: Uint8Array = zip({ name: "0", content: Buffer.alloc(100_000, 66) });
    for (let depth = 0; depth < 3; depth++) bytes = zip(...Array.from({ length: 16 }, (_, at) => ({ name: `${at}.zip`, content: bytes })));
    const { artifact } = await opened("a.zip", bytes, { limits: { totalBytes: 20 << 20 } });
    expect(artifact.gaps.some(({ reason, matters }) => reason === "too_large" && matters)).toBe(true);
    expect(artifact.files.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(20 << 20);
  });
});

describe("damage", () => {
  test("whatever is cut or changed is a gap, never a crash, and never silence about what was lost", async () => {
    const sound = [
      zip({ name: "a.js", content: "BAD".repeat(100) }, { name: "b", content: "x" }),
      await tar({ name: "a.js", content: "BAD" }, { name: "b", content: "x" }),
      gzipSync("text".repeat(100)),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sound),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        async (bytes, share, value, cut) => {
          const at = Math.floor(share * bytes.length);
          const broken = Buffer.from(cut ? bytes.subarray(0, at) : bytes);
          if (!cut) broken[at] = value;
          const { artifact } = await opened("a.zip", broken);
          for (const file of artifact.files) expect((await artifact.read(file)).length).toBe(file.size);
          await artifact.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a zip that ends early", async () => {
    const bytes = zip({ name: "a", content: "x" });
    expect((await opened("a.zip", bytes.subarray(0, bytes.length - 5))).gaps).toEqual([["a.zip", "malformed", true]]);
  });
});

describe("an archive that was named itself", () => {
  test("is its members", async () => {
    const path = join(root, "skill.zip");
    writeFileSync(path, zip({ name: "mine/SKILL.md", content: "---\nname: x\n---" }, { name: "mine/run.sh", content: "#!/bin/sh", mode: 0o100755 }));
    const artifact = await openArtifact(path);
    expect(artifact.files.map(({ key }) => key)).toEqual(["mine/SKILL.md", "mine/run.sh"]);
    expect(artifact.ref).toMatchObject({ kind: "skill", name: path });
    await artifact.close();
  });

  test("has the digest of the tree that it unpacks to", async () => {
    writeFileSync(join(root, "a.tgz"), gzipSync(await tar({ name: "d/a", content: "1", mode: 0o644 }, { name: "run", content: "2", mode: 0o755 })));
    execFileSync("mkdir", [join(root, "tree")]);
    execFileSync("tar", ["-xzf", join(root, "a.tgz"), "-C", join(root, "tree")]);
    const [packed, unpacked] = [await openArtifact(join(root, "a.tgz")), await openArtifact(join(root, "tree"))];
    expect(packed.ref.digest).toBe(unpacked.ref.digest);
    expect(packed.ref.kind).toBe("archive");
  });

  test("nothing of it is left on the disk once it is closed, nor while it is open", async () => {
    writeFileSync(join(root, "a.zip"), zip({ name: "a", content: deflateRawSync("x") }));
    const before = execFileSync("sh", ["-c", "ls -d /tmp/plastron-intake-* 2>/dev/null | grep -v test || true"], { encoding: "utf8" });
    const artifact = await openArtifact(join(root, "a.zip"));
    expect(execFileSync("sh", ["-c", "ls -d /tmp/plastron-intake-* 2>/dev/null | grep -v test || true"], { encoding: "utf8" })).toBe(before);
    await artifact.close();
  });
});
