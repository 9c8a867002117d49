import { describe, expect, test } from "vitest";
import type { Analyser } from "../analyser.ts";
import { createCode } from "../code/index.ts";
import { codeRules } from "../code/testing/rules.ts";
import { lookAt } from "../testing/look.ts";
import { createAgentware } from "./index.ts";
import { agentRuleSchema } from "./rule.ts";
import { agentwareDocuments, exampleFiles } from "./testing/rules.ts";

const documents = agentwareDocuments();
const analyser = createAgentware(documents);
/** Says what a program does, which some rules hold against what is said of it. */
const code = createCode(codeRules()) as Analyser;
const rules = documents.filter((document) => "id" in (document as object)).map((document) => agentRuleSchema.parse(document));

describe.each(rules.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  test.each(rule.bad.map((example, i) => [i, typeof example === "string" ? example.trim().slice(-70) : example.name, example] as const))(
    "finds bad %i: %s",
    (_i, _name, example) => {
      const { matches } = lookAt(analyser, exampleFiles(example), [code]);
      expect(matches.map((match) => match.rule)).toContain(id);
    },
  );

  test.each(rule.ok.map((example, i) => [i, typeof example === "string" ? example.trim().slice(-70) : example.name, example] as const))(
    "leaves ok %i: %s",
    (_i, _name, example) => {
      const { matches } = lookAt(analyser, exampleFiles(example), [code]);
      expect(matches.filter((match) => match.rule === id).map((match) => match.message)).toEqual([]);
      expect(matches.filter((match) => match.verdict === "malice").map((match) => `${match.rule}: ${match.message}`)).toEqual([]);
    },
  );
});
