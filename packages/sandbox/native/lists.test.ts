import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { globMatches } from "@plastron/contracts";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const build = mkdtempSync(join(tmpdir(), "plastron-lists-"));
afterAll(() => rmSync(build, { recursive: true, force: true }));

/**
 * Reads NUL-ended words: a number of entries, each a permission mask and a glob; then a number of questions, each `o` (open: mask, path),
 * `m` (move: directory, from, to) or `l` (link: from, to). Answers 0 or 1 for each: whether the one list, of read and write, refuses.
 */
const HARNESS = `
#define _GNU_SOURCE
#include "lists.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static char *word(void) { char *text = NULL; size_t room = 0; return getdelim(&text, &room, 0, stdin) > 0 ? text : (free(text), NULL); }
static int read_rule(const struct record *r, struct rule *rule) { (void)r; *rule = (struct rule){.id = 1, .deny = 1, .permissions = 3}; return 0; }
int main(void) {
    int count = atoi(word());
    struct spec spec = {0};
    struct record *records = calloc((size_t)count + 1, sizeof *records);
    char name[2][12] = {"watch-list", "watch-allow"};
    for (int i = 0; i <= count; i++) {
        char *of[5] = {name[i > 0], i ? word() : "1", i ? word() : "3", "1", "1"};
        records[i].count = i ? 3 : 5;
        for (int f = 0; f < records[i].count; f++) records[i].field[f].data = of[f], records[i].field[f].len = (unsigned)strlen(of[f]);
    }
    spec.record = records;
    spec.count = count + 1;
    struct watch_counts counts = {0};
    struct watcher w = {.spec = &spec, .counts = &counts};
    struct call call = {.w = &w};
    if (lists_prepare(&w, read_rule)) { puts("unprepared"); return 0; }
    if (lists_refuse(&call, "/x", 3)) { puts("held before a program was given"); return 0; }
    atomic_store(&counts.began, 1);
    for (char *what; (what = word());) {
        const char *blamed = NULL;
        if (*what == 'o') { unsigned mask = (unsigned)atoi(word()); printf("%d\\n", lists_refuse(&call, word(), mask) != NULL); }
        else if (*what == 'm') { int dir = atoi(word()); char *from = word(), *to = word(); printf("%d\\n", lists_refuse_move(&call, from, to, dir, &blamed) != NULL); }
        else { char *from = word(), *to = word(); printf("%d\\n", lists_refuse_link(&call, from, to) != NULL); }
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
  const sources = ["lists.c", "glob.c", "wire.c"].map((name) => join(import.meta.dirname, name));
  execFileSync("cc", [...flags, "-o", join(build, "lists"), join(build, "harness.c"), ...sources]);
}, 60_000);

type Entry = [mask: number, glob: string];
type Question = ["o", mask: number, path: string] | ["m", directory: number, from: string, to: string] | ["l", from: string, to: string];

function ask(entries: Entry[], questions: Question[]): boolean[] {
  const input = [entries.length, ...entries.flat(), ...questions.flat()].map((word) => `${word}\0`).join("");
  const lines = execFileSync(join(build, "lists"), { input, env: { ASAN_OPTIONS: "detect_leaks=0" } })
    .toString()
    .trimEnd()
    .split("\n");
  if (lines[0] === "unprepared") throw new Error("unprepared");
  expect(lines).toHaveLength(questions.length);
  return lines.map((line) => line === "1");
}

const given = (entries: Entry[], path: string): number =>
  entries
    .filter(([, glob]) => globMatches(glob, path) || (path.endsWith(" (deleted)") && globMatches(glob, path.slice(0, -10))))
    .reduce((all, [mask]) => all | mask, 0);

describe("a list of all that may be done to files, with sanitizers on,", () => {
  const part = fc.constantFrom("a", "b", "c", "*", "**", "?", "[ab]", "a*", "[", "a (deleted)", "é");
  const glob = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  const name = fc.constantFrom("a", "b", "c", "ab", "é", "a (deleted)", "[", "\u{1f600}");
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  const entries = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), glob), { maxLength: 6 }) as fc.Arbitrary<Entry[]>;

  it("refuses what no entry gives and nothing else, as globs mean it everywhere", () => {
    fc.assert(
      fc.property(
        entries,
        fc.array(fc.tuple(fc.constant("o" as const), fc.integer({ min: 1, max: 3 }), path), { minLength: 1, maxLength: 20 }),
        (list, questions) => {
          expect(ask(list, questions)).toEqual(questions.map(([, mask, where]) => (mask & ~given(list, where)) !== 0));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("lets nothing be moved or linked to where it gives more", () => {
    fc.assert(
      fc.property(entries, path, path, path, (list, from, to, below) => {
        const [file, directory, link] = ask(list, [
          ["m", 0, from, to],
          ["m", 1, from, to],
          ["l", from, to],
        ]);
        if (!file) expect([given(list, from) & 3, given(list, to) & 2]).toEqual([3, 2]);
        else expect(directory).toBe(true);
        if (!directory) expect(given(list, to + below) & ~given(list, from + below)).toBe(0);
        expect(link).toBe((given(list, to) & 3 & ~given(list, from)) !== 0);
      }),
      { numRuns: 300 },
    );
  });

  it("takes long paths, and refuses entries that it cannot read", () => {
    const long = `/${"x".repeat(4000)}`;
    expect(
      ask(
        [[3, long]],
        [
          ["o", 3, long],
          ["o", 3, `${long}y`],
          ["m", 1, long, `/${"y".repeat(4000)}`],
        ],
      ),
    ).toEqual([false, true, true]);
    expect(() => ask([[3, `/${"?".repeat(400)}`]], [["o", 1, "/a"]])).toThrow("unprepared");
    expect(ask([], [["o", 1, "pipe:[7]"]])).toEqual([false]);
  });
});
