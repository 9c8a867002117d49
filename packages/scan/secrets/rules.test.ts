import { describe, expect, test } from "vitest";
import { slowRegex } from "../rules/regex.ts";
import { fileOf, lookAt } from "../testing/look.ts";
import { createSecrets, detectorsOf } from "./index.ts";
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
  // A stronger claim than is needed: even without its bounds no part of it can be matched in two ways.
  const unbounded = (pattern: string): string => `^(?:${pattern.replace(/(?<!\\)\{(\d+),\d+\}/g, (_, least: string) => (least === "0" ? "*" : "+"))})`;
  test.each(detectors.map(({ id, pattern }) => [id, pattern] as const))("%s", (_, pattern) => {
    const bounded = slowRegex(`^(?:${pattern})`);
    expect(bounded === null || slowRegex(unbounded(pattern)) === null ? null : bounded).toBeNull();
  });
});
