import { describe, expect, test } from "vitest";
import { lookAt } from "../testing/look.ts";
import { createAgentware } from "./index.ts";
import { type CorpusName, corpus } from "./testing/corpus.ts";
import { agentwareDocuments } from "./testing/rules.ts";

const analyser = createAgentware(agentwareDocuments());
const malice = (name: CorpusName) =>
  corpus(name).map((each) => ({ name: each.name, found: lookAt(analyser, each.files).matches.filter(({ verdict }) => verdict === "malice") }));

describe("malice", () => {
  test("is found in every attack of the set, and its place is in a file of the attack", () => {
    const cases = malice("hostile");
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(cases.filter(({ found }) => found.length === 0).map(({ name }) => name)).toEqual([]);
    expect(cases.flatMap(({ found }) => found).filter(({ place }) => place.line < 1 || place.column < 1)).toEqual([]);
  });

  test("is found in nine of ten attacks in other words", () => {
    const cases = malice("rephrased");
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(cases.filter(({ found }) => found.length > 0).length / cases.length).toBeGreaterThanOrEqual(0.9);
  });

  test("is never said of what is honest: guards, deny-lists, teaching, quotes, authority", () => {
    const cases = malice("benign");
    expect(cases.length).toBeGreaterThanOrEqual(50);
    expect(cases.flatMap(({ name, found }) => found.map(({ rule, message }) => `${name}: ${rule}: ${message}`))).toEqual([]);
  });

  test("nothing honest has a high finding of any kind", () => {
    const grave = corpus("benign").flatMap((each) =>
      lookAt(analyser, each.files)
        .matches.filter(({ severity }) => severity === "critical" || severity === "high")
        .map(({ rule }) => `${each.name}: ${rule}`),
    );
    expect(grave).toEqual([]);
  });

  // Floors, not aims: measured, rounded down. At first sight, before anybody had looked at what was missed, 14 of the first set were found and 24 of the
  // second: the latter is what wording that nobody thought of may expect.
  test.each([
    ["varied", 0.88, 0],
    ["unseen", 0.6, 0],
  ] as const)("in wording that is %s is found in %d of the attacks, and said of %d honest texts", (set, floor, wrong) => {
    const attacks = malice(`${set}-hostile`);
    const honest = malice(`${set}-benign`);
    expect(Math.min(attacks.length, honest.length)).toBeGreaterThanOrEqual(42);
    expect(attacks.filter(({ found }) => found.length > 0).length / attacks.length).toBeGreaterThanOrEqual(floor);
    expect(honest.filter(({ found }) => found.length > 0).length).toBeLessThanOrEqual(wrong);
  });
});
