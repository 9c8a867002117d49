import type { AnalyserName, Approvals, Gap, MatchInput } from "@plastron/contracts";

/** What a file is, as `classify` says it of its name and its first bytes. */
export type Language =
  | "javascript"
  | "typescript"
  | "python"
  | "shell"
  | "markdown"
  | "html"
  | "json"
  | "yaml"
  | "toml"
  | "xml"
  | "sql"
  | "dockerfile"
  | "text"
  | "binary";

/** One file as every analyser gets it. All of it is the artifact's: hostile. */
export interface ScanFile {
  /** Relative, forward slashes. */
  readonly path: string;
  /** Outermost first, as in `Place.layers`; empty for a file that simply lies there. */
  readonly layers: readonly string[];
  readonly sha256: string;
  readonly bytes: Uint8Array;
  /** Decoded: UTF-8, or UTF-16 by its mark; bytes that are no text become U+FFFD. Null where it is binary. */
  readonly text: string | null;
  readonly language: Language;
  readonly executable: boolean;
  /** An archive of which members need a password: nobody has looked into it. */
  readonly sealed?: boolean;
}

/** What an analyser knows of a file before it asks for it. */
export type FileHead = Pick<ScanFile, "path" | "layers" | "language" | "executable" | "sealed"> & { readonly size: number };

/** What one look gave. `facts` is plain JSON: it is kept between scans and handed to `project`. */
export interface Look<Facts> {
  readonly matches: readonly MatchInput[];
  readonly facts: Facts | null;
  /** `analyser`, and `path` where it is absent, are filled in. */
  readonly gaps: readonly LookGap[];
  /** By a `project` alone: what the artifact depends on, as CycloneDX. */
  readonly sbom?: unknown;
  /** By a `project` alone: the hash of each tool and skill, as approvals name them. */
  readonly offers?: Approvals["offers"];
}
export type LookGap = Pick<Gap, "kind" | "reason" | "detail" | "matters"> & { readonly path?: string };

/** All files of the artifact, and what every analyser's `file` said of them; nothing of it can be read again here. */
export interface Project {
  readonly files: readonly FileHead[];
  /** By path (the layered name of `fileKey`). Empty where that analyser did not run. */
  facts<Facts>(analyser: AnalyserName): ReadonlyMap<string, Facts>;
  /** What was approved of what it offers, from outside of it; null: nothing ever was. Absent: what lies in it counts. */
  readonly approvals?: Approvals | null;
}

/**
 * A function over values in two parts. `file` sees one file and nothing else, so its answer can be kept under the hash of the file's
 * content, its path and `version`. `project` sees the facts of all files, and says what none of them says alone.
 *
 * Both run in a worker process that is ended when it takes too long or dies; the scan then says so. They never throw on purpose for
 * anything that a file holds: what cannot be understood is a gap.
 */
export interface Analyser<Facts = unknown> {
  readonly name: AnalyserName;
  /** Changes whenever it could answer otherwise: a hash of its rules and a number of its code. */
  readonly version: string;
  wants(file: FileHead): boolean;
  file(file: ScanFile): Look<Facts>;
  project?(project: Project): Look<null>;
  /** Of the facts, what `project` leans on: told to it again, it says the same, or what it has learnt since. Plain JSON. */
  leansOn?(project: Project): readonly KeptFacts[];
}

/** One file's facts as they are kept with a scan, as little of them as is needed. */
export interface KeptFacts {
  readonly analyser: AnalyserName;
  readonly key: string;
  readonly facts: unknown;
}

/** A file's name among all, layers included: `vendor.zip!/lib/a.js`. */
export function fileKey(file: Pick<ScanFile, "path" | "layers">): string {
  return [...file.layers, file.path].join("!/");
}
