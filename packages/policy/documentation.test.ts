import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { compilePolicy } from "./compile.ts";
import { parsePolicy } from "./parse/parse.ts";
import { ruleTable } from "./testing/rule-tables.ts";

const docs = join(import.meta.dirname, "../../docs");
const reference = readFileSync(join(docs, "reference/policy.md"), "utf8");
const guide = readFileSync(join(docs, "guides/write-a-policy.md"), "utf8");
const host = TYPICAL_HOST;

describe("docs/reference/policy.md", () => {
  test.each(["floor", "hardeningRules", "attackProtectionRules", "vulMitigationRules"] as const)(
    "has the table of %s as the rules are (else put the expected text there)",
    (category) => {
      expect(reference).toContain(ruleTable(category));
    },
  );
});

describe("docs/guides/write-a-policy.md", () => {
  const policies = [...guide.matchAll(/```yaml\n(apiVersion[\s\S]*?)```/g)].map(([, text]) => text as string);

  test("has policies that compile", () => {
    expect(policies.length).toBeGreaterThan(0);
    for (const text of policies) expect(() => compilePolicy(parsePolicy(text), host)).not.toThrow();
  });
});
