import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { pages as generated } from "../docs/generate.ts";
import { examples, pages, readPage, root } from "./fixtures/markdown.ts";

describe("generated pages are fresh (else: node docs/generate.ts)", () => {
  test.each(Object.entries(generated()))("%s", (path, content) => {
    expect(readPage(`docs/${path}`)).toBe(content);
  });
});

describe("links lead somewhere", () => {
  test.each(pages())("%s", (page) => {
    const links = [...readPage(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target as string);
    const broken = links.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(page), target)));
    expect(broken).toEqual([]);
  });
});

test("the README has examples that are run, with what they print", () => {
  const found = examples(readPage("README.md"));
  expect(found.length).toBeGreaterThanOrEqual(3);
  expect(found.every(({ expected }) => expected.length > 0)).toBe(true);
});

test("every decision says what was decided, why, and what follows", () => {
  for (const page of pages().filter((path) => path.startsWith("docs/adr/"))) {
    expect(readPage(page), page).toMatch(/^# \d+\. .*\n\nStatus: .*\*\*Context\.\*\*.*\*\*Decision\.\*\*.*\*\*Consequences\.\*\*/s);
  }
});
