/** JavaScript and TypeScript, with JSX or without, modules or scripts, to the shape that the engine knows (`../ir.ts`). */
import type { Program } from "oxc-parser";
import type { LookGap } from "../../analyser.ts";
import type { Fn, Lower, Module } from "../ir.ts";
import { lowerExpression } from "./expressions.ts";
import { lowerClass, lowerFunction } from "./functions.ts";
import { Lowering, type Parts } from "./lowering.ts";
import { lowerModuleStatement } from "./modules.ts";
import { parseJavascript } from "./parse.ts";
import { lowerPattern } from "./patterns.ts";
import { addPrototypeClasses } from "./prototypes.ts";
import { blockNames, hoistedNames } from "./scope.ts";
import { lowerStatement } from "./statements.ts";

export const lowerJavascript: Lower = (text, path) => {
  const { program, gaps } = parseJavascript(text, path);
  if (program === null) return { module: null, gaps };
  const lowering = new Lowering(PARTS);
  const module = moduleOf(lowering, program, /\.[cm]?tsx?$/.test(path), gaps.length === 0);
  return { module, gaps: lowering.tooDeep ? [...gaps, DEEP] : gaps };
};

const DEEP: LookGap = { kind: "degraded", reason: "depth", detail: "code that nests very deep was left out", matters: true };

const PARTS: Parts = {
  expression: lowerExpression,
  statement: (lowering, node, into) => {
    if (!lowerModuleStatement(lowering, node, into)) lowerStatement(lowering, node, into);
  },
  pattern: lowerPattern,
  fn: lowerFunction,
  classOf: lowerClass,
};

function moduleOf(lowering: Lowering, program: Program, typescript: boolean, whole: boolean): Module {
  const draft: Fn = { id: 0, name: "", parameters: [], body: [], owner: null, generator: false, decorators: [], at: 0, end: program.end };
  lowering.functions.push(draft);
  const names: string[] = [];
  hoistedNames(program.body, names);
  blockNames(program.body, names);
  for (const name of names) lowering.scopes.bind(name);
  lowering.functions[0] = { ...draft, body: lowering.statements(program.body) };
  addPrototypeClasses(lowering.functions, lowering.classes, lowering.scopes.list());
  return {
    language: typescript ? "typescript" : "javascript",
    variables: lowering.scopes.list(),
    functions: lowering.functions,
    classes: lowering.classes,
    statements: whole ? program.body.map(({ start, end }) => [start, end] as const) : null,
    exportsEverything: false,
  };
}
