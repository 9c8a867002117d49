import { describe, expect, test } from "vitest";
import { slowRegex } from "../rules/regex.ts";
import { fileOf, lookAt } from "../testing/look.ts";
import { createSecrets, detectorsOf } from "./index.ts";
import { longest } from "./pattern.ts";
import { DOCUMENTS } from "./testing/rules.ts";
import { fill } from "./testing/template.ts";

const detectors = detectorsOf(DOCUMENTS);
const analyser = createSecrets(DOCUMENTS);
const rulesIn = (text: string, path: string): string[] => lookAt(analyser, [fileOf(path, text)]).matches.map(({ rule }) => rule);

describe("detectors", () => {
  test("there are more than 150, each of its own name", () => {
    expect(detectors.length).toBeGreaterThan(150);
    expect(new Set(detectors.map(({ provider }) => provider)).size).toBeGreaterThan(100);
  });

  for (const detector of detectors) {
    test(`${detector.id}: finds what is bad`, () => {
      for (const [index, template] of detector.bad.entries()) {
        const text = fill(template, `${detector.id}:bad:${index}`);
        expect(rulesIn(text, "src/settings.conf"), text).toContain(`secrets/${detector.id}`);
      }
    });

    test(`${detector.id}: leaves alone what is ok`, () => {
      for (const [index, template] of detector.ok.entries()) {
        const text = fill(template, `${detector.id}:ok:${index}`);
        expect(rulesIn(text, "src/settings.conf"), text).not.toContain(`secrets/${detector.id}`);
      }
    });
  }
});

describe("no pattern can be made slow", () => {
  // Without its bounds a pattern is judged in milliseconds, and the claim is stronger: not even then could any part of it be matched in many ways.
  const shape = (pattern: string): string =>
    pattern.replace(/(?<!\\)\{(\d+)(,\d+)?\}/g, (_, least: string, most) => (most === undefined ? "{2}" : least === "0" ? "*" : "+"));
  const shapes = new Map(detectors.map(({ id, pattern }) => [shape(pattern), { id, pattern }]));
  test.each([...shapes].map(([form, { id, pattern }]) => [id, form, pattern] as const))("%s", (_, form, pattern) => {
    if (slowRegex(`^(?:${form})`) !== null) expect(slowRegex(`^(?:${pattern})`)).toBeNull();
  });

  test("what has no bound is no pattern of a detector", () => {
    for (const pattern of ["a*", "a+", "(?:ab{2,})c", "(a)\\1", "[a-z]+", "a{3", "(a"]) expect(longest(pattern), pattern).toBeNull();
    expect(longest("(?:ab|cde{2,5})[x)]{1,3}\\d?(?=zzz)\\u0041")).toBe(7 + 3 + 1 + 1);
  });
});
