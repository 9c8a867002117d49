/**
 * Where data from outside reaches what does harm with it: JavaScript, TypeScript and Python, over functions and files.
 */
export { createCode } from "./create.ts";
export type { FileFacts } from "./engine/facts.ts";
export { type Lower, type Lowered, MAX_DEPTH, type Module } from "./ir.ts";
export { type CodeRules, type Model, readCodeRules, type TaintRule, taintKind, taintRuleSchema } from "./spec.ts";
