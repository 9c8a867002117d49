/**
 * From bytes to findings: what an artifact is made of, what is wrong with it, what was not looked at, and whether it may pass.
 */
export type { Analyser, FileHead, Language, Look, LookGap, Project, ScanFile } from "./analyser.ts";
export { fileKey } from "./analyser.ts";
export { CODE_KINDS, type PackTrial, type Trial, tryPack } from "./code/pack.ts";
export { isQuietPlace } from "./code/role.ts";
export {
  type AdvisoryIndex,
  ageInDays,
  asOf,
  compileAdvisories,
  IndexDamaged,
  type IndexManifest,
  isSbom,
  openIndex,
  type Rematch,
  type Rematched,
  rematch,
  type StoredSbom,
  seedIndex,
} from "./dependencies/index.ts";
export { APPROVALS_FILE, parseApprovals } from "./engine/approvals.ts";
export { defaultCacheDirectory } from "./engine/cache/index.ts";
export { ATTESTATIONS, type Change, GATE_FILE, type Judgement, judgeChange } from "./engine/change.ts";
export { askForge, type Forge, ForgeError, type ForgeQuestion, type Patience, sendToForge } from "./engine/forge-requests.ts";
export { OWN_RULES, type ScanOptions } from "./engine/options.ts";
export { type JudgedUpdate, judgePush, type Push } from "./engine/push.ts";
export type { Matchable } from "./engine/rematch/matchable.ts";
export { type AdvisoriesInUse, advisoriesInUse, Rematcher, type RematchOptions } from "./engine/rematch/rematcher.ts";
export { type OnProgress, scan, scanSource } from "./engine/scan.ts";
export {
  type Approval,
  type Approved,
  addDays,
  applyExemptions,
  approvedBy,
  daysBetween,
  EXEMPTIONS_PATH,
  type Exempted,
  type Exemption,
  type ExemptionContext,
  MOST_DAYS,
  parseExemptions,
  type Scope,
  withExemptions,
} from "./exemptions/index.ts";
export { findingsOf, type Judged, scoreVector, severityOfScore } from "./findings/index.ts";
export { identitiesOf, type Kinship, knownAt, type Move, movesOf, type Pair, type Reconciled, reconcile } from "./findings/reconcile/index.ts";
export {
  FUZZ_VERSION,
  type FuzzCase,
  type FuzzOrder,
  type FuzzResult,
  type FuzzSandbox,
  type FuzzSettings,
  fuzzArtifact,
  type HarnessReport,
  type Replayed,
  readCases,
  replayCases,
  writeCase,
} from "./fuzz/index.ts";
export { decide, type GateInput } from "./gate/decide.ts";
export { CHECK_NAME, githubCheck, githubCheckEnd, githubCheckStart } from "./gate/forges/github.ts";
export type { ForgeRequest, Target } from "./gate/forges/request.ts";
export { giteaStatus, gitlabStatus } from "./gate/forges/statuses.ts";
export { fits } from "./gate/glob.ts";
export { attestPentest, type Pentest, pentestEnds } from "./gate/pentest.ts";
export { DEFAULT_GATE, type GatePolicy, parseGatePolicy, policyFor } from "./gate/policy.ts";
export { countAdvisories, DEFAULT_SOURCES, openAdvisories, openPreviousAdvisories, updateAdvisories, verifyStore } from "./intake/advisories/index.ts";
export type { Artifact, ArtifactFile } from "./intake/artifact.ts";
export { fetchCommits } from "./intake/clone.ts";
export { makeScratch } from "./intake/download.ts";
export { DEFAULT_LIMITS, type Limits } from "./intake/limits.ts";
export { type OpenOptions, openArtifact } from "./intake/open.ts";
export { packArtifact } from "./intake/pack.ts";
export { fetchBundle, listPacks, openNew, type PackEntry, packFolders, packNamed, putPack, readRuleFolder, removePack } from "./intake/rule-packs/index.ts";
export type { Ability, CodeFacts, Import, Outline, Use } from "./outline.ts";
export { REPORT_FORMATS, type ReportFormat, type ReportOptions, render } from "./report/index.ts";
export { keyId, makeKeys, openBundle, type PackFault, type PackFiles, publicKeyOf, type Rule, readPack, sealBundle, type TrustedPack } from "./rules/index.ts";
export { redactSecrets } from "./secrets/index.ts";
