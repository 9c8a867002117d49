/**
 * From bytes to findings: what an artifact is made of, what is wrong with it, what was not looked at, and whether it may pass.
 */
export type { Analyser, FileHead, Language, Look, LookGap, Project, ScanFile } from "./analyser.ts";
export { fileKey } from "./analyser.ts";
export type { Ability, CodeFacts, Import, Outline, Use } from "./outline.ts";
