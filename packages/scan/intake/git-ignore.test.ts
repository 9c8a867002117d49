import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { IgnoreRules } from "./git-ignore.ts";
import { openArtifact } from "./open.ts";

let home: string;
let root: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "plastron-ignore-test-"));
  root = join(home, "repo");
  mkdirSync(root);
  git("init", "-q");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const git = (...args: string[]) => execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.com", ...args], { cwd: root, encoding: "utf8" });
const put = (path: string, content = "x") => {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const gitSees = () => git("-c", "core.quotePath=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0").filter(Boolean).sort();
const weSee = async () => (await openArtifact(root)).files.map(({ key }) => key).sort();

test("a checkout is what git would say that it is", async () => {
  put(
    ".gitignore",
    "*.log\nbuild/\n/only-top\n!keep.log\ndocs/**/tmp\n**/deep/x?\n\\#hash\nsp\\ ace\nq[a-c].txt\nn[!z].txt\ntrail   \n# comment\n\nfoo/*\n!foo/bar\nabc/**\n",
  );
  put("sub/.gitignore", "!special.log\nlocal\n");
  put(".git/info/exclude", "excluded\n");
  for (const path of [
    ...["a.log", "keep.log", "sub/keep.log", "sub/special.log", "build/a", "x/build/b", "only-top", "x/only-top", "docs/tmp", "docs/a/b/tmp", "docs/a/tmp2"],
    ...[
      "deep/x1",
      "q/deep/x2",
      "q/deep/xyz",
      "#hash",
      "sp ace",
      "qa.txt",
      "qd.txt",
      "na.txt",
      "nz.txt",
      "trail",
      "foo/bar",
      "foo/baz",
      "abc/d/e",
      "abcd",
      "excluded",
    ],
    ...["sub/local", "sub/a/local", "local", "forced/f.log"],
  ])
    put(path);
  git("add", "-f", "forced/f.log", "build/a", "keep.log");
  expect(await weSee()).toEqual(gitSees());
  const artifact = await openArtifact(root);
  expect(artifact.notes.join()).toMatch(/files and directories that \.gitignore leaves out/);
  const all = await openArtifact(root, { all: true });
  expect(all.files.map(({ key }) => key)).toContain("build/a");
  expect(all.files.map(({ key }) => key)).toContain(".git/HEAD");
});

test("the same for patterns and names of all kinds", async () => {
  const piece = fc.constantFrom("a", "b", "ab", "*", "**", "?", "[ab]", "[!a]", "a*", "*b");
  const pattern = fc
    .tuple(fc.constantFrom("", "!", "/"), fc.array(piece, { minLength: 1, maxLength: 3 }), fc.constantFrom("", "/"))
    .map(([mark, parts, end]) => mark + parts.join("/") + end);
  const paths = ["a", "b", "ab", "abb", "d/a", "d/b", "d/ab", "d/e/a", "d/e/ab", "a2/b", "ab2/a/b"];
  for (const path of paths) put(path);
  await fc.assert(
    fc.asyncProperty(fc.array(pattern, { minLength: 1, maxLength: 4 }), async (patterns) => {
      put(".gitignore", `${patterns.join("\n")}\n`);
      expect(await weSee()).toEqual(gitSees());
    }),
    { numRuns: 150 },
  );
});

test.each([2, 3, 4])("reads an index of version %i", async (version) => {
  put(".gitignore", "*\n");
  for (const path of ["a", "dir/b", "dir/bc", "dir/deep/d", "e"]) put(path);
  git("add", "-f", "a", "dir", "e");
  if (version === 3) git("update-index", "--skip-worktree", "e");
  git("update-index", "--index-version", String(version === 3 ? 3 : version));
  expect(await weSee()).toEqual(gitSees());
});

test("an index that cannot be read leaves nothing out", async () => {
  put(".gitignore", "*\n");
  put("hidden");
  writeFileSync(join(root, ".git/index"), "DIRC damaged");
  expect(await weSee()).toContain("hidden");
});

test("what a checkout's configuration would have git run is not run", async () => {
  put("a");
  git("config", "core.fsmonitor", `touch ${root}/ran; false`);
  git("config", "core.worktree", "/etc");
  const { files } = await openArtifact(root);
  expect(files.map(({ key }) => key)).toEqual(["a"]);
  expect(existsSync(join(root, "ran"))).toBe(false);
});

test("nor where its history is read", async () => {
  put("a");
  put(".gitattributes", "a diff=evil\n");
  git("add", "-A");
  git("commit", "-qm", "one");
  const signed = git("cat-file", "commit", "HEAD").replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n");
  writeFileSync(join(root, "../commit.txt"), signed);
  git("update-ref", "HEAD", git("hash-object", "-t", "commit", "-w", join(root, "../commit.txt")).trim());
  for (const program of ["textconv", "external"]) writeFileSync(join(root, program), `#!/bin/sh\ntouch ${root}/ran-${program}\n`, { mode: 0o755 });
  writeFileSync(join(root, "gpg"), `#!/bin/sh\ntouch ${root}/ran-gpg\n`, { mode: 0o755 });
  for (const [name, value] of [
    ["diff.evil.textconv", `${root}/textconv`],
    ["diff.external", `${root}/external`],
    ["log.showSignature", "true"],
    ["gpg.program", `${root}/gpg`],
    ["core.fsmonitor", `${root}/external`],
  ] as const)
    git("config", name, value);
  git("log", "-p", "--ext-diff", "--textconv"); // the attack works where nobody minds it
  expect(
    readdirSync(root)
      .filter((name) => name.startsWith("ran-"))
      .sort(),
  ).toContain("ran-gpg");
  for (const name of readdirSync(root)) if (name.startsWith("ran-")) rmSync(join(root, name));
  await (await openArtifact(root, { history: true })).close();
  expect(readdirSync(root).filter((name) => name.startsWith("ran"))).toEqual([]);
});

test("patterns that are made to take long take no time", () => {
  const rules = new IgnoreRules();
  rules.add("", `${"*a".repeat(200)}b\n${"**/".repeat(100)}x\n${"[".repeat(400)}\n`);
  const before = process.cpuUsage().user;
  rules.ignores(`${"a".repeat(200)}`, false);
  rules.ignores(`${"a/".repeat(100)}y`, false);
  expect((process.cpuUsage().user - before) / 1000).toBeLessThan(1000);
});
