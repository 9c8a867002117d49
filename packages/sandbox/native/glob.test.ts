import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const build = mkdtempSync(join(tmpdir(), "plastron-glob-"));
afterAll(() => rmSync(build, { recursive: true, force: true }));

/** Reads glob, path and another path, NUL after each; says whether the first path matches, and whether what is below it is within what is below the other. */
const HARNESS = `
#define _GNU_SOURCE
#include "glob.h"
#include <stdio.h>
int main(void) {
    char *field[3] = {0};
    size_t room[3] = {0};
    while (getdelim(&field[0], &room[0], 0, stdin) > 0 && getdelim(&field[1], &room[1], 0, stdin) > 0 && getdelim(&field[2], &room[2], 0, stdin) > 0) {
        struct glob glob;
        if (glob_compile(&glob, field[0])) { puts("- -"); continue; }
        struct glob_states a = glob_after(&glob, field[1]), b = glob_after(&glob, field[2]);
        printf("%d %d\\n", glob_accepts(&glob, &a), glob_within(&a, &b));
    }
}`;

beforeAll(() => {
  writeFileSync(join(build, "harness.c"), HARNESS);
  const flags = [
    "-std=gnu11",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    `-I${import.meta.dirname}`,
  ];
  execFileSync("cc", [...flags, "-o", join(build, "globs"), join(build, "harness.c"), join(import.meta.dirname, "glob.c")]);
}, 60_000);

interface Answer {
  matches: boolean;
  within: boolean;
}

function ask(questions: [glob: string, path: string, other?: string][]): (Answer | "too long")[] {
  const input = questions.map(([glob, path, other = ""]) => `${glob}\0${path}\0${other}\0`).join("");
  const output = execFileSync(join(build, "globs"), { input, env: { ASAN_OPTIONS: "detect_leaks=0" } }).toString();
  return output
    .trimEnd()
    .split("\n")
    .map((line) => (line === "- -" ? "too long" : { matches: line[0] === "1", within: line[2] === "1" }));
}

/** The same language, by way of the regular expressions of this runtime. */
function pattern(glob: string): RegExp {
  const source = glob.replace(/\/\*\*(?=\/)|\*\*|\*|\?|\[([\^!])?([^\]]+)\]|[\s\S]/g, (sign, not, set) => {
    if (sign === "/**") return "(?:/.*)?";
    if (sign === "**") return ".*";
    if (sign === "*") return "[^/]*";
    if (sign === "?") return "[^/]";
    if (set !== undefined) return `(?!/)[${not ? "^" : ""}${set}]`;
    return sign.replace(/[.+^${}()|[\]\\/]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "su");
}

const piece = fc.constantFrom("/", "/", "a", "b", "ab", "é", "*", "**", "?", "[a-b]", "[^a]", "/**/");
const glob = fc.array(piece, { maxLength: 8 }).map((parts) => `/${parts.join("").replace(/\*{3,}/g, "**")}`);
const path = fc.array(fc.constantFrom("/", "a", "b", "c", "é", "日"), { maxLength: 8 }).map((parts) => `/${parts.join("")}`);

describe("globs of rules on paths, with sanitizers on,", () => {
  it("name what they name everywhere", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(glob, path), { minLength: 20, maxLength: 60 }), (pairs) => {
        const answers = ask(pairs);
        for (const [i, [each, name]] of pairs.entries()) expect((answers[i] as Answer).matches, `${each} on ${name}`).toBe(pattern(each).test(name));
      }),
      { numRuns: 30 },
    );
  });

  it("tell when a rename could change what they name: whatever matches below one directory matches below the other, if they say so", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(glob, path, path, path), { minLength: 20, maxLength: 60 }), (tuples) => {
        const answers = ask(tuples.map(([each, from, to]) => [each, `${from}/`, `${to}/`]));
        for (const [i, [each, from, to, below]] of tuples.entries()) {
          const rest = below.slice(1);
          if ((answers[i] as Answer).within && pattern(each).test(`${from}/${rest}`))
            expect(pattern(each).test(`${to}/${rest}`), `${each}: ${from} → ${to}, ${rest}`).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("take what no text should hold: open brackets, broken UTF-8, and more signs than they can", () => {
    expect(ask([["/[", "/["]])).toEqual([{ matches: true, within: false }]);
    expect(ask([["/[a", "/a"]])).toEqual([{ matches: false, within: true }]);
    expect(ask([[`/${"a".repeat(300)}`, "/a"]])).toEqual(["too long"]);
    const broken = execFileSync(join(build, "globs"), {
      input: Buffer.concat([Buffer.from("/?x\0/"), Buffer.from([0xff]), Buffer.from("x\0\0")]),
      env: { ASAN_OPTIONS: "detect_leaks=0" },
    });
    expect(broken.toString()).toMatch(/^1 /);
  });

  it("take little time, whatever they are", () => {
    const begun = performance.now();
    expect(ask([[`/${"**a".repeat(80)}`, `/${"a".repeat(4000)}b`]])).toMatchObject([{ matches: false }]);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
