import { createHash } from "node:crypto";
import type { ArtifactRef, ScanResult } from "@plastron/contracts";

/** A package URL of what was scanned: an npm package by its name, everything else by its content. */
export function purlOf({ kind, name, digest, revision }: ArtifactRef): string {
  const npm = /^npm:((?:@[a-z0-9._~-]+\/)?[a-z0-9._~-]+)(?:@|$)/i.exec(name);
  if (kind === "npm" && npm && revision) return `pkg:npm/${(npm[1] as string).replace("@", "%40")}@${encodeURIComponent(revision.toWellFormed())}`;
  return `pkg:generic/artifact@${digest.slice(0, 16)}?checksum=sha256:${digest}`;
}

/** A UUID that one artifact and one time always have, so that a report made twice is one (RFC 9562, version 8: by our own rule). */
export function uuidOf(...parts: readonly string[]): string {
  const hex = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const idOf = (result: ScanResult, format: string): string => uuidOf(format, result.artifact.digest, result.artifact.name, result.started_at);
