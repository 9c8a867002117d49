import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PlastronError } from "@plastron/contracts";
import { MAX_DOCUMENT_BYTES } from "@plastron/document";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "./parse.ts";

const DIFY = readFileSync(join(import.meta.dirname, "../../../policies/dify-sandbox.yaml"), "utf8");

function refusal(text: string): PlastronError {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof PlastronError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** The reference policy with one piece of text changed, and where that piece stood. */
function changed(from: string, to: string): { text: string; line: number; column: number } {
  const at = DIFY.indexOf(from);
  const before = DIFY.slice(0, at).split("\n");
  return { text: DIFY.slice(0, at) + to + DIFY.slice(at + from.length), line: before.length, column: (before.at(-1) as string).length + 1 };
}

describe("the reference policy", () => {
  test("is read unmodified", () => {
    const policy = parsePolicy(DIFY);
    expect(policy.metadata.name).toBe("dify-sandbox-policy");
    expect(policy.spec.policy.enhanceProtect?.hardeningRules).toHaveLength(8);
  });

  test.each([
    ["a misspelt field", "hardeningRules", "hardenningRules", "spec.policy.enhanceProtect.hardenningRules", "hardeningRules"],
    ["a misspelt rule", "disable-curl", "disable-crul", "spec.policy.enhanceProtect.attackProtectionRules[0].rules[8]", '"disable-curl"'],
    ["a misspelt mode", "EnhanceProtect\n", "EnhancedProtect\n", "spec.policy.mode", '"EnhanceProtect"'],
    ["a misspelt kind", "VarmorPolicy", "VarmorPolcy", "kind", '"VarmorPolicy"'],
    ["another version", "crd.varmor.org/v1beta1", "crd.varmor.org/v1", "apiVersion", "crd.varmor.org/v1beta1"],
    ["no enforcer", "BPFSeccomp", "Magic", "spec.policy.enforcer", "BPF"],
    ["text for a switch", "auditViolations: true", "auditViolations: maybe", "spec.policy.enhanceProtect.auditViolations", "boolean"],
    ["a rule of another list", "disallow-umount", "disable-wget", "spec.policy.enhanceProtect.hardeningRules[1]", "attackProtectionRules"],
  ])("with %s is refused with its place and what was meant", (_, from, to, path, meant) => {
    const { text, line, column } = changed(from, to);
    const error = refusal(text);
    expect(error.code).toBe("invalid_policy");
    const entry = error.errors?.find((each) => each.path === path);
    expect(entry?.line).toBe(line);
    expect(entry?.message).toContain(meant);
    // The place of a value that follows its key on the line, or of the key itself.
    expect([column, column + "auditViolations: ".length]).toContain(entry?.column);
  });

  test("in the names that upstream takes too is read: any case, underscores, aliases", () => {
    expect(() => parsePolicy(changed("disable-curl", "' DISABLE_Curl '").text)).not.toThrow();
    expect(() => parsePolicy(changed("disallow-metadata-service", "block-access-to-metadata-service").text)).not.toThrow();
  });

  test("is read as JSON on one line, too", () => {
    const { positions, upstreamCompat, ...document } = parsePolicy(DIFY);
    expect(positions.size).toBeGreaterThan(40);
    const wide = { ...document, metadata: { ...document.metadata, labels: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`label-${i}`, "x"])) } };
    expect(parsePolicy(JSON.stringify(wide), { upstreamCompat })).toMatchObject(wide);
  });

  test("with an unknown rule is read only for the sake of compatibility", () => {
    const { text } = changed("disable-curl", "disable-crul");
    expect(() => parsePolicy(text)).toThrow(PlastronError);
    expect(parsePolicy(text, { upstreamCompat: true }).upstreamCompat).toBe(true);
  });

  test("reports every error, not the first alone", () => {
    const text = DIFY.replace("disable-curl", "disable-crul").replace("disable-wget", "disable-wgett");
    expect(refusal(text).errors).toHaveLength(2);
  });

  test("with a missing field points at what lacks it", () => {
    const { text, line } = changed("    mode: EnhanceProtect\n", "");
    const entry = refusal(text).errors?.find(({ path }) => path === "spec.policy.mode");
    expect(entry).toMatchObject({ line: line - 1, message: expect.stringContaining("must be one of") });
  });

  test("without its rules' home says what is missing", () => {
    const errors = refusal(DIFY.replace("\nspec:", "\nspek:")).errors;
    expect(errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ message: "spec is missing" }),
        expect.objectContaining({ path: "spek", message: expect.stringContaining('"spec"') }),
      ]),
    );
  });

  test("must select its target by name or by labels, and not by both", () => {
    expect(refusal(changed("kind: Deployment", "kind: Deployment\n    name: x").text).errors?.[0]?.path).toBe("spec.target");
  });
});

describe("YAML made to hurt", () => {
  test.each([
    ["duplicate keys", "a: 1\na: 2", "unique", 2],
    ["two documents", "a: 1\n---\nb: 2", "second document", 2],
    ["a tag of its own", "a: !!js/function 'x'", "tag", 1],
    ["an alias without anchor", "a: *b", "anchor", 1],
    ["a cycle of aliases", "a: &a [*a]", "unfolds", 1],
    ["deep flow nesting", "[".repeat(100_000), "nested", 1],
    ["deep block nesting", "- ".repeat(100_000), "nested", 1],
    ["deep indentation", Array.from({ length: 300 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), "unfolds", undefined],
    ["deep nesting further down", `a: [x]\nb:\n  - ${"[".repeat(100)}`, "nested", 3],
    ["a key that is no text", "1: x", "must be text", 1],
    ["a key that is a map", "? {a: 1}\n: x", "must be text", 1],
  ])("%s is refused", (_, text, message, line) => {
    const error = refusal(text);
    expect(error.code).toBe("invalid_policy");
    expect(error.message).toContain(message);
    if (line !== undefined) expect(error.errors?.[0]?.line).toBe(line);
  });

  test("a billion laughs are refused at once", () => {
    const lines = [
      "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
      ...Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(", ")}]`),
    ];
    const start = performance.now();
    expect(refusal(lines.join("\n")).message).toContain("unfolds");
    expect(performance.now() - start).toBeLessThan(2_000);
  });

  test("more than 256 KiB is refused, counted in bytes", () => {
    expect(refusal(`# ${"x".repeat(MAX_DOCUMENT_BYTES)}`).message).toContain("bytes");
    expect(refusal(`# ${"é".repeat(MAX_DOCUMENT_BYTES / 2)}`).message).toContain("bytes");
  });

  test("two documents come with a hint", () => {
    expect(refusal(`${DIFY}\n---\n${DIFY}`).hint).toContain("its own file");
  });

  test.each([
    "",
    "   ",
    "# only words",
    "---",
    "null",
    "42",
    "[]",
    "- a",
    "\u0000",
    "\ufeff",
    "%YAML 9.9\n---\na: 1",
    "a: b: c",
    "{",
    "'",
    "__proto__: {polluted: 1}",
    "!<x> y",
    "? ",
  ])("%j is refused and not more", (text) => {
    expect(refusal(text).code).toBe("invalid_policy");
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test("a prototype is never set from a document", () => {
    const error = refusal(DIFY.replace("metadata:", "__proto__:\n  polluted: true\nmetadata:"));
    expect(error.message).toContain("__proto__");
  });
});

describe("any text at all", () => {
  const piece = fc.constantFrom(
    "spec",
    "policy",
    ":",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!str ",
    "!t ",
    "|\n",
    ">-\n",
    "'",
    '"',
    "#",
    "? ",
    "---\n",
    "...\n",
    "%TAG ! x\n",
    "<<: ",
    "\t",
    "\u0085",
    "\ud800",
    "__proto__",
    "disable-wget",
    "0x1F",
    ".inf",
    "~",
  );
  const soup = fc
    .array(fc.oneof({ weight: 5, arbitrary: piece }, fc.string({ unit: "binary", maxLength: 8 })), { maxLength: 60 })
    .map((parts) => parts.join(""));
  /** A valid policy with a part cut out or something put in: gets further than noise. */
  const mutant = fc.tuple(fc.nat(DIFY.length), fc.nat(40), soup).map(([at, cut, put]) => DIFY.slice(0, at) + put + DIFY.slice(at + cut));

  test("gives a policy or a PlastronError with places, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          soup,
          mutant,
          fc.jsonValue().map((value) => JSON.stringify(value)),
        ),
        fc.boolean(),
        (text, upstreamCompat) => {
          try {
            expect(parsePolicy(text, { upstreamCompat }).metadata.name).toBeTypeOf("string");
          } catch (error) {
            expect(error).toBeInstanceOf(PlastronError);
            const { errors = [], code } = error as PlastronError;
            expect(code).toBe("invalid_policy");
            expect(errors.length).toBeGreaterThan(0);
            for (const { line, column } of errors) if (line !== undefined) expect(Math.min(line, column as number)).toBeGreaterThanOrEqual(1);
          }
        },
      ),
      { numRuns: 800 },
    );
  });
});
