/**
 * Rules as data: how a rule's file is read, what makes a pack of them one to be trusted, and how a pack is put to the test. Nothing here
 * reads a file: texts come in, rules go out.
 */

export { type Clock, costOf } from "./budget.ts";
export {
  BUNDLE_FORMAT,
  keyId,
  MAX_BUNDLE_BYTES,
  type Manifest,
  makeKeys,
  openBundle,
  publicKeyOf,
  sealBundle,
  type Trust,
  type TrustedPack,
} from "./bundle.ts";
export { type Example, type ExampleFailure, examplesOf, fileOf, lookThrough, tryExamples } from "./examples.ts";
export { type Pack, type PackFault, type PackFiles, packVersion, readPack } from "./pack.ts";
export { type Rule, type RuleKind, readRule } from "./read.ts";
export { regexesIn, slowRegex } from "./regex.ts";
export { RULE_LANGUAGES, type RuleHead, ruleFields } from "./schema.ts";
