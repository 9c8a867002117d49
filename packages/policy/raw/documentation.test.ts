import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MAX_PATHS } from "./apparmor/globs.ts";
import { MAX_STATEMENTS } from "./apparmor/index.ts";
import { MAX_RULES } from "./files.ts";
import { MAX_PART_BYTES } from "./pattern.ts";
import { wordTable } from "./testing/raw-table.ts";

const reference = readFileSync(join(import.meta.dirname, "../../../docs/reference/policy.md"), "utf8");

test("docs/reference/policy.md has every word that raw rules may use (else put the expected text there)", () => {
  expect(reference).toContain(wordTable());
});

test("docs/reference/policy.md has the limits of raw rules", () => {
  for (const text of [
    `less than ${MAX_PART_BYTES} bytes`,
    `the first ${MAX_RULES} of a type`,
    `at most ${MAX_STATEMENTS} rules`,
    `more than ${MAX_PATHS} paths`,
  ]) {
    expect(reference.replace(/\s+/g, " ")).toContain(text);
  }
});
