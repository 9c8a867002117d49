import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import type { Artifact } from "./artifact.ts";
import { openRevision } from "./git-revision.ts";

let repository: Repository;
const opened: Artifact[] = [];
const open = async (revision = "HEAD", at = repository.path): Promise<Artifact> => {
  const artifact = await openRevision(revision, { repository: at });
  opened.push(artifact);
  return artifact;
};
const contents = async (artifact: Artifact) =>
  Object.fromEntries(await Promise.all(artifact.files.map(async (file) => [file.key, Buffer.from(await artifact.read(file)).toString("latin1")])));

beforeEach(() => {
  repository = Repository.made();
});
afterEach(async () => {
  for (const artifact of opened.splice(0)) await artifact.close();
  repository.remove();
});

describe("a commit as an artifact", () => {
  test("is what was committed, whatever lies in the work tree now", async () => {
    const first = repository.commit({ "a.js": "1", "deep/er/b.py": "2" });
    repository.commit({ "a.js": "3" });
    repository.write({ "a.js": "4", "c.js": "5" });
    expect(await contents(await open())).toEqual({ "a.js": "3", "deep/er/b.py": "2" });
    const before = await open(first);
    expect(await contents(before)).toEqual({ "a.js": "1", "deep/er/b.py": "2" });
    expect(before.ref).toMatchObject({ kind: "git", revision: first });
  });

  test("is read from a bare repository too, and from a directory below the top", async () => {
    repository.commit({ "a.js": "1", "deep/b.js": "2" });
    const bare = new Repository(`${repository.path}.bare`);
    repository.git("clone", "-q", "--bare", ".", bare.path);
    try {
      expect(await contents(await open("main", bare.path))).toEqual({ "a.js": "1", "deep/b.js": "2" });
    } finally {
      bare.remove();
    }
    expect(await contents(await open("HEAD", join(repository.path, "deep")))).toEqual({ "a.js": "1", "deep/b.js": "2" });
  });

  test("has the same digest whenever it holds the same", async () => {
    repository.commit({ "a.js": "1" });
    const { digest } = (await open()).ref;
    repository.commit({ "a.js": "2" });
    expect((await open()).ref.digest).not.toBe(digest);
    repository.commit({ "a.js": "1" });
    expect((await open()).ref.digest).toBe(digest);
  });

  test("names that are bytes, lines or escapes are kept apart and named as trouble", async () => {
    repository.commit({ "a\nb.js": "1", "e\x1b[31m.js": "2", "sp ace\t.js": "3" });
    const artifact = await open();
    expect(await contents(artifact)).toEqual({ "a\nb.js": "1", "e\x1b[31m.js": "2", "sp ace\t.js": "3" });
    expect(artifact.gaps.map(({ reason }) => reason)).toEqual(["name", "name", "name"]);
  });
});

describe("nothing that a commit says can hide a file of it", () => {
  test("export-ignore, filters, .gitignore, assume-unchanged", async () => {
    repository.commit({ ".gitattributes": "evil.js export-ignore filter=x -text\n", ".gitignore": "evil.js\n" });
    repository.write({ "evil.js": "eval(1)\r\n" });
    repository.git("add", "-f", "evil.js");
    repository.git("commit", "-q", "-m", "x");
    expect(repository.git("archive", "HEAD", "--format=tar")).not.toContain("eval(1)"); // what an archive would have given
    expect((await contents(await open()))["evil.js"]).toBe("eval(1)\r\n");
  });

  test("a replaced object", async () => {
    repository.commit({ "a.js": "evil" });
    const evil = repository.git("rev-parse", "HEAD:a.js");
    repository.write({ clean: "clean" });
    repository.git("replace", evil, repository.git("hash-object", "-w", "clean"));
    expect(repository.git("cat-file", "blob", evil)).toBe("clean"); // what git itself shows
    expect((await contents(await open()))["a.js"]).toBe("evil");
  });

  test("links, submodules, files elsewhere and files that are too large are told", async () => {
    symlinkSync("/etc/passwd", join(repository.path, "out"));
    symlinkSync("a.js", join(repository.path, "in"));
    const inner = repository.commit({ "a.js": "1", large: "x".repeat(5000), "lfs.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n" });
    repository.git("update-index", "--add", "--cacheinfo", `160000,${inner},sub`);
    repository.git("commit", "-q", "-m", "x");
    const artifact = await openRevision("HEAD", { repository: repository.path, limits: { fileBytes: 4000 } });
    opened.push(artifact);
    expect(artifact.files.map(({ key }) => key)).toEqual(["a.js", "lfs.bin"]);
    const gaps = Object.fromEntries(artifact.gaps.map(({ path, reason, matters }) => [path, [reason, matters]]));
    expect(gaps).toEqual({ in: ["symlink", false], out: ["symlink", true], sub: ["submodule", false], large: ["too_large", true], "lfs.bin": ["lfs", true] });
  });
});

describe("a hostile repository", () => {
  test("starts no program to fetch what it lacks", async () => {
    repository.commit({ "a.js": "1" });
    const marker = join(repository.path, "ran");
    const hash = repository.git("rev-parse", "HEAD:a.js");
    repository.git("config", "core.repositoryFormatVersion", "1");
    repository.git("config", "extensions.partialClone", "origin");
    repository.git("config", "remote.origin.promisor", "true");
    repository.git("config", "remote.origin.url", `ext::touch ${marker}`);
    repository.git("config", "protocol.ext.allow", "always");
    const { unlinkSync } = await import("node:fs");
    unlinkSync(join(repository.path, ".git/objects", hash.slice(0, 2), hash.slice(2)));
    expect(() => repository.git("cat-file", "blob", hash)).toThrow(); // git itself obeys it:
    expect(existsSync(marker)).toBe(true);
    unlinkSync(marker);
    const artifact = await open();
    expect(existsSync(marker)).toBe(false);
    expect(artifact.gaps).toMatchObject([{ path: "a.js", reason: "unreadable", matters: true }]);
  });

  test.each(["nothing", "-h", "--all", "HEAD:a.js", "HEAD\nx", ""])("has no commit %j", async (revision) => {
    repository.commit({ "a.js": "1" });
    await expect(open(revision)).rejects.toMatchObject({ code: "invalid_request" });
  });
});

test("many files and large ones come whole", async () => {
  const files = Object.fromEntries(Array.from({ length: 600 }, (_, i) => [`f${i}.txt`, `${i}\n`.repeat(i)]));
  repository.commit({ ...files, "big.bin": Buffer.alloc(20_000_000, "ab") });
  const found = await contents(await open());
  expect(Object.keys(found)).toHaveLength(601);
  for (const [path, content] of Object.entries(files)) expect(found[path]).toBe(content);
  expect(found["big.bin"]?.length).toBe(20_000_000);
});
