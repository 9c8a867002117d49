import type { Analyser } from "../analyser.ts";
import {
  type Clock,
  costOf,
  type ExampleFailure,
  type PackFault,
  type PackFiles,
  type Rule,
  type RuleKind,
  readPack,
  regexesIn,
  slowRegex,
  tryExamples,
} from "../rules/index.ts";
import { createCode } from "./create.ts";
import { readCodeRules, taintKind } from "./spec.ts";
import { STRUCTURAL_KINDS } from "./structural/index.ts";

/** Every kind of rule on code. */
export const CODE_KINDS: readonly RuleKind[] = [taintKind, ...STRUCTURAL_KINDS];

/** How one rule fared. */
export interface Trial {
  readonly rule: Rule;
  readonly examples: number;
  readonly failures: readonly ExampleFailure[];
  /** Milliseconds of processor time for a megabyte; null where it was not measured, as it failed before. */
  readonly cost: number | null;
}

export interface PackTrial {
  readonly version: string;
  readonly faults: readonly PackFault[];
  readonly trials: readonly Trial[];
}

/**
 * Puts a pack of rules on code to the test: every file is a valid rule, finds its bad examples and leaves the ok ones alone, has no
 * regular expression that hostile text makes slow, and keeps its budget of time. `models` are parsed documents that tell of libraries,
 * for rules on data; `only` is the file of one rule.
 */
export function tryPack(name: string, files: PackFiles, { models, clock, only }: { models: readonly unknown[]; clock: Clock; only?: string }): PackTrial {
  const outside = [...files.keys()].filter((file) => /\.ya?ml$/.test(file) && !file.startsWith("code/"));
  const inside = new Map([...files].filter(([file]) => file.startsWith("code/") && (only === undefined || file === only)));
  const { pack, faults } = readPack(name, inside, CODE_KINDS);
  const misplaced = outside.map((file): PackFault => ({ file, message: "rules of a pack stand below code/, as code/python/name.yaml", errors: [] }));
  const plain = analyserOf([], models);
  return {
    version: pack.version,
    faults: [...(only === undefined ? misplaced : []), ...faults],
    trials: pack.rules.map((rule) => tryRule(rule, models, clock, plain)),
  };
}

/** `plain`: the analyser without any rule, whose own time is not the rule's. */
function tryRule(rule: Rule, models: readonly unknown[], clock: Clock, plain: Analyser): Trial {
  const analyser = analyserOf([documentOf(rule)], models);
  const failures = [...slowExpressions(rule), ...tryExamples(rule, analyser)];
  const examples = rule.bad.length + rule.ok.length;
  if (failures.length > 0) return { rule, examples, failures, cost: null };
  const cost = costOf(rule, analyser, rule.kind === taintKind.name ? plain : null, clock);
  return { rule, examples, failures: cost <= rule.budget_ms ? [] : [overBudget(rule, cost)], cost };
}

function analyserOf(rules: readonly unknown[], models: readonly unknown[]): Analyser {
  return createCode(readCodeRules([...rules, ...models])) as Analyser;
}

/** A rule as its file says it, for an analyser of its own. */
function documentOf({ kind: _kind, file: _file, body, ...head }: Rule): unknown {
  return { ...head, ...body };
}

function slowExpressions(rule: Rule): ExampleFailure[] {
  if (CODE_KINDS.find(({ name }) => name === rule.kind)?.expressions !== "backtracking") return [];
  return regexesIn(rule.body).flatMap(({ path, regex }) => {
    const why = slowRegex(regex, "i");
    return why === null ? [] : [{ rule: rule.id, file: rule.file, example: path, message: why }];
  });
}

function overBudget(rule: Rule, cost: number): ExampleFailure {
  const message = `takes ${cost} ms for a megabyte of its own examples, and budget_ms is ${rule.budget_ms}`;
  return { rule: rule.id, file: rule.file, example: "budget_ms", message };
}
