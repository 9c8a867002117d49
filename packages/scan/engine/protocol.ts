import type { AnalyserName } from "@plastron/contracts";
import type { FileHead, Language, LookGap } from "../analyser.ts";
import type { Encoding } from "../intake/artifact.ts";

/** What a worker is told at its start, as JSON in its arguments. */
export interface WorkerSetup {
  /** Path of the module that exports `loadAnalysers`. */
  readonly registry: string;
  readonly config: AnalyserConfig;
}

/** What `loadAnalysers` gets. Plain JSON. */
export interface AnalyserConfig {
  readonly analysers: readonly AnalyserName[];
  /** Directories of rules: ours first, then the user's packs. */
  readonly rules: readonly string[];
  /** The directory of compiled advisories; null where there is none beside the seed. */
  readonly advisories: string | null;
}

/** From parent to worker. The body of `file` is its bytes, that of `facts` one file's facts as JSON, and that of `approvals` them or null. */
export type Order =
  | { readonly type: "file"; readonly file: FileOrder; readonly analysers: readonly AnalyserName[] }
  | { readonly type: "head"; readonly file: FileHead }
  | { readonly type: "facts"; readonly analyser: AnalyserName; readonly key: string }
  | { readonly type: "approvals" }
  /** `keep`: the answer's body is what its `leansOn` gives. */
  | { readonly type: "project"; readonly analyser: AnalyserName; readonly keep?: boolean }
  | { readonly type: "forget" };

export interface FileOrder {
  readonly path: string;
  readonly layers: readonly string[];
  readonly sha256: string;
  readonly language: Language;
  readonly encoding: Encoding;
  readonly executable: boolean;
  readonly sealed?: boolean;
}

/** From worker to parent. The worker has read hostile bytes: every field is checked before it is believed. */
export type Answer =
  | { readonly type: "ready"; readonly versions: Readonly<Partial<Record<AnalyserName, string>>> }
  | { readonly type: "broken"; readonly detail: string }
  | { readonly type: "began"; readonly analyser: AnalyserName }
  | ({ readonly type: "looked"; readonly analyser: AnalyserName; readonly ms: number } & RawLook)
  | { readonly type: "done" };

export interface RawLook {
  /** False where the analyser does not want this file: then there is nothing else. */
  readonly wanted: boolean;
  readonly matches: readonly unknown[];
  readonly gaps: readonly LookGap[];
  readonly sbom?: unknown;
  readonly offers?: unknown;
}

/** A look as it arrives: its facts, as JSON, are the frame's body; of a look at the whole, what it leans on. The parent never looks into them. */
export interface Arrived extends RawLook {
  readonly ms: number;
  readonly facts: Buffer | null;
}
