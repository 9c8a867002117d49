/**
 * From lock files, manifests, installed packages and bills of materials to what is known to be wrong with what they name. `createDependencies`
 * is the analyser; `compileAdvisories`, `openIndex` and `seedIndex` are its knowledge; effects (files, downloads) are in `../intake/advisories`.
 */

export { type Advisory, fixesAbove, isAffected } from "./advisories/advisory.ts";
export { type Compiled, type CompileOptions, Compiler, compileAdvisories } from "./advisories/compile.ts";
export { type Exploitation, IndexDamaged, type IndexManifest, type IndexSource, sha256 } from "./advisories/index-format.ts";
export { type AdvisoryIndex, checkSignature, damagedIndex, openIndex, parseManifest, type ReadPage } from "./advisories/open.ts";
export { advisoryNotes, ageInDays, asOf } from "./age.ts";
export { createDependencies } from "./analyser.ts";
export type { DependencyFacts, Group, Listed, Listing, Need, Origin, Role, Root, Tool } from "./facts.ts";
export { isSbom } from "./readers/choose.ts";
export { type Rematch, type Rematched, rematch, type StoredSbom } from "./sbom/rematch.ts";
export { seedIndex } from "./seed/index.ts";
export { purlOf } from "./shown.ts";
export { CODE, versionUnder } from "./version.ts";
