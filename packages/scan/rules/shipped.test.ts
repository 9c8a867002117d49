import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { createCode, readCodeRules, taintKind } from "../code/index.ts";
import { STRUCTURAL_KINDS } from "../code/structural/index.ts";
import { readPack, regexesIn, slowRegex, tryExamples } from "./index.ts";

/** The project's own rules on code, as they lie in rules/. */
const root = join(import.meta.dirname, "../../../rules");
const files = new Map(
  readdirSync(join(root, "code"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => [`code/${name}`, readFileSync(join(root, "code", name), "utf8")]),
);
const KINDS = [taintKind, ...STRUCTURAL_KINDS];
const { pack, faults } = readPack("plastron", files, KINDS);
const analyser = createCode(readCodeRules([...files.values()].map((text) => parse(text))));

test("every file is a rule, or a model of a language", () => {
  expect(faults).toEqual([]);
  expect(pack.rules.filter(({ kind }) => kind !== "taint").length).toBeGreaterThanOrEqual(60);
});

test.each(pack.rules)("$id finds what is bad, and leaves alone what is ok", (rule) => expect(tryExamples(rule, analyser)).toEqual([]));

const backtracking = pack.rules.flatMap((rule) =>
  KINDS.find(({ name }) => name === rule.kind)?.expressions === "backtracking" ? regexesIn(rule.body).map(({ regex }) => regex) : [],
);
test.each([...new Set(backtracking)])("no hostile text makes %j slow", (regex) => expect(slowRegex(regex, "i")).toBeNull(), 60_000);
