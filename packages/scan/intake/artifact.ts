import { createHash } from "node:crypto";
import type { ArtifactRef, Gap } from "@plastron/contracts";
import type { FileHead } from "../analyser.ts";
import type { ArchiveKind } from "./archives/kind.ts";

/** How bytes become text: `latin1` where they are no UTF-8 and nothing says what else they are. */
export type Encoding = "utf8" | "utf16le" | "utf16be" | "latin1" | "binary";

/** One file of an artifact: what is known of it without its bytes. */
export interface ArtifactFile extends FileHead {
  /** `fileKey` of it: its name among all. */
  readonly key: string;
  readonly sha256: string;
  readonly encoding: Encoding;
  /** Null where it is no archive. What is in one are files of their own. */
  readonly archive: ArchiveKind | null;
}

/** What was taken in. Its bytes stay where they are until they are asked for. */
export interface Artifact {
  readonly ref: ArtifactRef;
  /** Sorted by `key`, each key once. */
  readonly files: readonly ArtifactFile[];
  readonly gaps: readonly IntakeGap[];
  readonly notes: readonly string[];
  /** The bytes that `sha256` names. Rejects with `ChangedError` where they are no longer to be had. */
  read(file: ArtifactFile): Promise<Uint8Array>;
  /** Removes what was unpacked or downloaded. */
  close(): Promise<void>;
}

export type IntakeGap = Omit<Gap, "analyser">;

export class ChangedError extends Error {}

/** A line of the list that an artifact's digest is made of. */
export interface DigestLine {
  readonly path: string;
  /** As git writes it: 100644, 100755, 120000 of a symbolic link (whose content is its target), 160000 of what was left out. */
  readonly mode: string;
  readonly sha256: string;
}

/** sha256 over the sorted list of (path, mode, sha256 of content): equal trees have equal ones, whatever they came in. */
export function digestOf(lines: readonly DigestLine[]): string {
  const hash = createHash("sha256");
  const sorted = [...lines].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const { path, mode, sha256 } of sorted) hash.update(`${mode} ${sha256} ${path}\0`);
  return hash.digest("hex");
}
