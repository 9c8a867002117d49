import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Match } from "@plastron/contracts";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { openHistory } from "../intake/git-history.ts";
import { fileOf, lookAt } from "../testing/look.ts";
import { HistoryParser, type HistoryPiece } from "./history.ts";
import { createSecrets } from "./index.ts";
import { DOCUMENTS } from "./testing/rules.ts";
import { fill } from "./testing/template.ts";

const analyser = createSecrets(DOCUMENTS);
const [one, two, three] = ["one", "two", "three"].map((seed) => fill("ghp_{{crc62}}", `history ${seed}`)) as [string, string, string];

describe("the text of git log", () => {
  const sha = (digit: string): string => digit.repeat(40);
  const LOG = [
    `commit ${sha("1")}`,
    "",
    "diff --git a/a.env b/a.env",
    "new file mode 100644",
    "index 0000000..1111111",
    "--- /dev/null",
    "+++ b/a.env",
    "@@ -0,0 +1,2 @@",
    "+KEY=1",
    `+commit ${sha("9")}`,
    "@@ -5 +9,2 @@",
    "-old",
    "+++ b/liar.txt",
    "+@@ -1 +1 @@",
    "\\ No newline at end of file",
    'diff --git "a/t\\303\\244b\\t.js" "b/t\\303\\244b\\t.js"',
    "--- /dev/null",
    '+++ "b/t\\303\\244b\\t.js"',
    "@@ -0,0 +1 @@",
    "+x",
    `commit ${sha("2")}`,
    "",
    "diff --git a/gone b/gone",
    "--- a/gone",
    "+++ /dev/null",
    "@@ -1 +0,0 @@",
    "-KEY=2",
    "",
  ].join("\n");

  function pieces(text: string | Buffer, cut = Number.POSITIVE_INFINITY): HistoryPiece[] {
    const told: HistoryPiece[] = [];
    const parser = new HistoryParser((piece) => told.push(piece));
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += Math.min(cut, bytes.length)) parser.feed(bytes.subarray(at, at + Math.min(cut, bytes.length)));
    parser.end();
    return told;
  }

  test("becomes pieces with the numbers of their lines, and no line of theirs is taken for a header", () => {
    expect(pieces(LOG).map(({ commit, path, bytes }) => [commit[0], path, bytes.toString()])).toEqual([
      ["1", "a.env", `KEY=1\ncommit ${sha("9")}\n${"\n".repeat(6)}++ b/liar.txt\n@@ -1 +1 @@\n`],
      ["1", "täb\t.js", "x\n"],
    ]);
  });

  test("is the same in whatever portions it comes", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), (cut) => void expect(pieces(LOG, cut)).toEqual(pieces(LOG))));
  });

  test("may be anything", () => {
    const line = fc.constantFrom(
      "commit ",
      sha("a"),
      "diff --git a/x b/x\n",
      "+++ b/x\n",
      "@@ -1,99999999 +1,4000000000 @@\n",
      "+",
      "-",
      "\n",
      "\0",
      '+++ "b/\\777\\\n',
    );
    fc.assert(fc.property(fc.array(line, { maxLength: 50 }), (parts) => void pieces(parts.join(""))));
  });
});

describe("a repository's history", () => {
  let directory = "";
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...args], { cwd: directory, encoding: "utf8" }).trim();
  function commit(files: Record<string, string | null>): string {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      if (content === null) rmSync(join(directory, path));
      else writeFileSync(join(directory, path), content);
    }
    git("add", "-A");
    git("commit", "-q", "-m", "x");
    return git("rev-parse", "HEAD");
  }

  async function look(limits = {}): Promise<{ matches: Match[]; gaps: string[] }> {
    const history = await openHistory({ repository: directory }, { limits });
    const now = git("ls-files").split("\n").filter(Boolean);
    const files = now.map((path) => fileOf(path, git("show", `HEAD:${path}`)));
    for (const file of history.files) files.push(fileOf(file.path, Buffer.from(await history.read(file)).toString("utf8"), { layers: file.layers }));
    history.close();
    return { matches: lookAt(analyser, files).matches, gaps: history.gaps.map(({ reason }) => reason) };
  }

  test("gives away what was taken out again: once, at the commit that brought it; what is still there is no past [needs: git]", async () => {
    directory = mkdtempSync(join(tmpdir(), "plastron-history-test-"));
    git("init", "-q", "-b", "main");
    writeFileSync(join(directory, ".gitattributes"), "*.env -diff binary\n");
    commit({ "readme.md": "hello\n" });
    const first = commit({ "prod.env": `A=1\nB=2\nTOKEN=${one}\n`, "still.env": `TOKEN=${two}\n` });
    commit({ "moved/prod.env": `A=1\nB=2\nTOKEN=${one}\n`, "prod.env": null });
    commit({ "moved/prod.env": "A=1\n" });
    git("checkout", "-q", "-b", "side");
    const side = commit({ "side.py": `x = "${three}"\n` });
    git("checkout", "-q", "main");
    const { matches, gaps } = await look();
    expect(matches.map(({ place }) => [place.path, place.line, place.layers]).sort()).toEqual([
      ["prod.env", 3, [`commit:${first}`]],
      ["side.py", 1, [`commit:${side}`]],
      ["still.env", 1, []],
    ]);
    expect(gaps).toEqual([]);
    expect(JSON.stringify(matches)).not.toContain(one.slice(8, 24));
  });

  test("is read as far as the limits go, which is said [needs: git]", async () => {
    directory = mkdtempSync(join(tmpdir(), "plastron-history-test-"));
    git("init", "-q", "-b", "main");
    for (let n = 0; n < 4; n += 1) commit({ [`f${n}.txt`]: `line ${n}\n`.repeat(2000) });
    expect((await look({ commits: 2 })).gaps).toEqual(["depth"]);
    expect((await look({ bytes: 3000 })).gaps).toEqual(["too_large"]);
    expect((await look({ pieces: 1 })).gaps).toEqual(["too_large"]);
  });

  test("that is none is a gap [needs: git]", async () => {
    directory = mkdtempSync(join(tmpdir(), "plastron-history-test-"));
    const history = await openHistory({ repository: directory });
    expect(history.gaps).toMatchObject([{ reason: "unreadable", matters: true }]);
    history.close();
  });
});
