/**
 * VarmorPolicy → Confinement, and an honest report of how true each rule is. Functions over values: no effects, no clock, no
 * files. What must be tried is tried through a port that the caller gives (`runSelfTests`).
 */

export { ADVISED_ENFORCERS, type Advice, type AdviseRequest, adviceText, advise, type Behavior, FEATURES, readBehavior } from "./advisor/index.ts";
export { appArmorProfile } from "./backends/apparmor.ts";
export { type BpfLsmTables, bpfLsmTables } from "./backends/bpf-lsm.ts";
export { EXPORT_KINDS, type Exported, type ExportKind, exportPolicy } from "./backends/export.ts";
export { exportPolicyText, type PortableExport, portableExport } from "./backends/export-text.ts";
export type { BackendRow } from "./backends/said.ts";
export { parseCluster } from "./cluster.ts";
export { type Compiled, compilePolicy, MIN_TIER_ANNOTATION } from "./compile.ts";
export { compileDefault, defaultPolicy } from "./default.ts";
export { explainFloor } from "./explain/floor.ts";
export { denialKey, type Explain, type Explanation, explainTelemetry, isTold, PLATFORM_RULES, seenViolation } from "./explain/index.ts";
export { assembleHooks, type HookRules } from "./hooks/hooks.ts";
export { armorProfileModel, type LearnedOptions, learnedPolicy, learnedPolicyText, profileSummary, withBehavior } from "./learned/index.ts";
export {
  type BehaviorProfile,
  behaviorProfileSchema,
  EMPTY_PROFILE,
  isBehaviorProfile,
  type Learning,
  mergeProfiles,
  profileOf,
  readProfile,
} from "./modelling/index.ts";
export { type Requested, withNetwork } from "./network-request.ts";
export { allowHint } from "./network-request-hint.ts";
export { REQUEST_RULE } from "./network-request-rules.ts";
export { type NetworkSeed, networkSeed } from "./network-seed.ts";
export { globMatches } from "./orders/glob.ts";
export type { Intent, MountFlag, Order, Permission, PortRange } from "./orders/order.ts";
export { type ParsedPolicy, parsePolicy } from "./parse/parse.ts";
export type { PolicyDocument } from "./parse/schema.ts";
export { ruleNames } from "./rules/registry.ts";
export { assembleFilter } from "./seccomp/assemble.ts";
export { readOciProfile } from "./seccomp/oci.ts";
export type { Condition, Entry, Profile, Verdict } from "./seccomp/profile.ts";
export { syscallNumbers } from "./seccomp/syscalls.ts";
export { type ProgramOutcome, type RowResult, recordsOf, runSelfTests, type SelfTestPort, type SelfTestResult } from "./self-test.ts";
export { IGNORED } from "./unsupported.ts";
export { weakConfinement } from "./weak.ts";
