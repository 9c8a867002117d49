/** Python 3, as much of it as there is in a file, to the shape that the engine knows (`../ir.ts`). */
import type { Tree } from "@lezer/common";
import type { LookGap } from "../../analyser.ts";
import type { Class, Fn, Lower, Module } from "../ir.ts";
import { bindAll } from "./bindings.ts";
import { argumentsOf } from "./calls.ts";
import type { Lowering, Parts } from "./context.ts";
import { lowerLambda } from "./definitions.ts";
import { listed, lowerExpression } from "./expressions.ts";
import { parsePython } from "./parse.ts";
import { lowerPattern } from "./patterns.ts";
import { openScope } from "./scope.ts";
import { lowerStatements } from "./statements.ts";
import { errorGap, parseable } from "./text.ts";
import { firstError, kids } from "./tree.ts";

export const lowerPython: Lower = (text) => {
  const tree = parsePython(parseable(text));
  if (tree === null) return { module: null, gaps: [TANGLED] };
  const error = firstError(tree.topNode);
  const lowering = begin(text);
  const module = moduleOf(lowering, tree, error < 0);
  const gaps = [...(error < 0 ? [] : [errorGap(text, error)]), ...(lowering.tooDeep < 0 ? [] : [DEEP])];
  return { module, gaps };
};

const DEEP: LookGap = { kind: "degraded", reason: "depth", detail: "code that nests very deep was left out", matters: true };
const TANGLED: LookGap = { kind: "degraded", reason: "syntax_error", detail: "this is not Python: the parser gave up on it", matters: true };

const PARTS: Parts = { expression: lowerExpression, listed, argument: argumentsOf, pattern: lowerPattern, statements: lowerStatements, lambda: lowerLambda };

function begin(text: string): Lowering {
  const scope = openScope("module", 0, null);
  return {
    text,
    walruses: text.includes(":="),
    variables: [],
    functions: [null],
    classes: [],
    parts: PARTS,
    scope,
    fn: { id: 0, owner: null, generator: false },
    depth: 0,
    tooDeep: -1,
  };
}

function moduleOf(l: Lowering, tree: Tree, whole: boolean): Module {
  const statements = kids(tree.topNode);
  bindAll(l, statements, l.scope);
  const body = lowerStatements(l, statements);
  l.functions[0] = { id: 0, name: "", parameters: [], body, owner: null, generator: false, decorators: [], at: 0, end: l.text.length };
  return {
    language: "python",
    variables: l.variables,
    functions: l.functions as Fn[],
    classes: l.classes as Class[],
    statements: whole ? statements.map(({ from, to }) => [from, to] as const) : null,
    exportsEverything: true,
  };
}
