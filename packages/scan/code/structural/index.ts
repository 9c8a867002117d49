/**
 * Rules that look at the shape of a file alone: syntax trees by ast-grep's patterns, instructions of a Dockerfile, places in a YAML
 * document. What needs to know where data comes from is the taint engine's.
 */

export type { Rule as StructuralRule } from "../../rules/index.ts";
export { STRUCTURAL_KINDS } from "./kinds.ts";
export { createStructural, readStructuralRules, type Structural } from "./look.ts";
