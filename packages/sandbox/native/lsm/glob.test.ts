import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bpfLsmTables, globMatches } from "../../../policy/index.ts";

/** The kernel's matcher as an ordinary program: reads a table file with one file rule for each path, prints 1 or 0 for each. */
const HARNESS = `
#include <linux/types.h>
#include <stdio.h>
#include <string.h>
#include "plastron-lsm.h"
#define SEC(name)
#define __uint(name, value) int name
#define __type(name, type) type *name
#define BPF_MAP_TYPE_ARRAY 2
static struct set_bits set_bits[MAX_SETS];
static void *bpf_map_lookup_elem(void *map, const void *key) { (void)map; return &set_bits[*(const __u32 *)key]; }
static long bpf_loop(__u32 steps, long (*step)(__u32, void *), void *context, __u64 flags) {
    (void)flags;
    for (__u32 i = 0; i < steps; i++) if (step(i, context)) return i + 1;
    return steps;
}
#include "glob.bpf.h"
static char text[PATH_BYTES];
int main(int argc, char **argv) {
    __u32 head[9];
    struct capability_rule capabilities[MAX_CAPABILITIES];
    struct file_rule rule;
    FILE *tables = fopen(argv[1], "r"), *paths = fopen(argv[2], "r");
    (void)argc;
    if (fread(head, sizeof head, 1, tables) != 1 || fread(capabilities, sizeof capabilities, 1, tables) != 1) return 1;
    if (fread(set_bits, sizeof *set_bits, head[3], tables) != head[3]) return 1;
    for (__u32 i = 0; i < head[4]; i++) {
        unsigned length;
        if (fread(&rule, sizeof rule, 1, tables) != 1 || fread(&length, 4, 1, paths) != 1 || fread(text, 1, length, paths) != length) return 1;
        putchar(glob_matches(&rule.glob, text, 0, length) ? '1' : '0');
    }
    return 0;
}
`;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "plastron-glob-"));
  writeFileSync(join(directory, "harness.c"), HARNESS);
  const sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  execFileSync("cc", ["-std=gnu11", "-O1", ...sanitize, "-I", import.meta.dirname, "-o", join(directory, "harness"), join(directory, "harness.c")]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** All pairs in one process. */
function kernelMatches(pairs: readonly (readonly [glob: string, path: string])[]): boolean[] {
  const intents = pairs.map(([glob]) => ({ kind: "file" as const, glob, permissions: ["read" as const] }));
  const { tables, rows } = bpfLsmTables([{ rule: "r", path: "p", enforcer: "BPF", deny: true, audit: true, intents }]);
  expect(rows).toEqual([]);
  const paths = pairs.map(([, path]) => {
    const text = Buffer.from(path);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return Buffer.concat([length, text]);
  });
  writeFileSync(join(directory, "tables"), tables);
  writeFileSync(join(directory, "paths"), Buffer.concat(paths));
  const output = execFileSync(join(directory, "harness"), [join(directory, "tables"), join(directory, "paths")], { encoding: "latin1" });
  return [...output].map((character) => character === "1");
}

test.each([
  ["/**/wget", "/wget", true],
  ["/**/wget", "/usr/bin/wget", true],
  ["/**/wget", "/usr/bin/xwget", false],
  ["/etc/**", "/etc", false],
  ["/etc/**", "/etc/a/b", true],
  ["/proc/*/mem", "/proc/1/mem", true],
  ["/proc/*/mem", "/proc/1/task/mem", false],
  ["/a/**/b*/c?[x-z]", "/a/1/2/b3/b/c1y", true],
  ["/a/**/b*/c?[^x-z]", "/a/b/c1y", false],
  ["/**/a*b*c/**/d", "/a/abxc/q/abc/e/d", true],
  ["/**ping", "/usr/sbin/fping", true],
])("%s and %s: %s", (glob, path, matches) => {
  expect(kernelMatches([[glob, path]])).toEqual([matches]);
  expect(globMatches(glob, path)).toBe(matches);
});

test("the kernel's matcher and the policy's agree on what they say of any path", () => {
  const piece = fc.constantFrom("a", "b", "ab", "/", "/", "*", "**", "/**/", "?", "[ab]", "[^a]", "[a-b]");
  const glob = fc.array(piece, { maxLength: 10 }).map((pieces) => `/${pieces.join("")}`);
  const path = fc.array(fc.constantFrom("a", "b", "c", "/", "ab"), { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(glob, path), { minLength: 400, maxLength: 400 }), (pairs) => {
      const answers = kernelMatches(pairs);
      for (const [i, [each, text]] of pairs.entries()) if (answers[i] !== globMatches(each, text)) expect([each, text, answers[i]]).toBe("the other");
    }),
    { numRuns: 15 },
  );
});
