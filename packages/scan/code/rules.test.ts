/** Every rule's own examples, through the whole analyser. */
import { describe, expect, test } from "vitest";
import { scoreVector, severityOfScore } from "../findings/cvss.ts";
import { fileOf, lookAt } from "../testing/look.ts";
import { createCode } from "./create.ts";
import { codeRules } from "./testing/rules.ts";

const rules = codeRules("javascript");
const analyser = createCode(rules);

describe.each(rules.rules)("$id", (rule) => {
  const run = (example: (typeof rule.bad)[number]) => {
    const files = typeof example === "string" ? { [/<\w+ .*=\{/.test(example) ? "example.jsx" : "example.js"]: example } : example.files;
    return lookAt(
      analyser,
      Object.entries(files).map(([path, text]) => fileOf(path, text)),
    );
  };
  test.each(rule.bad.map((example, index) => [index, example] as const))("bad %i is found", (_, example) => {
    const { matches, gaps } = run(example);
    expect(gaps).toEqual([]);
    expect(matches.filter((match) => match.rule === rule.id).length, JSON.stringify(example)).toBeGreaterThan(0);
  });
  test.each(rule.ok.map((example, index) => [index, example] as const))("ok %i is left alone", (_, example) => {
    const { matches, gaps } = run(example);
    expect(gaps).toEqual([]);
    expect(
      matches.filter((match) => match.rule === rule.id).map(({ flow, place }) => flow.map(({ message }) => message).concat(place.snippet)),
      JSON.stringify(example),
    ).toEqual([]);
  });
  test("its vectors say its severity", () => {
    for (const vector of rule.cvss) expect(severityOfScore(scoreVector(vector)?.score ?? 0)).toBe(rule.severity);
  });
});
