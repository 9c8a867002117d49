import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { RunResult } from "@plastron/contracts";
import { globMatches } from "./glob.ts";

/** All artefacts of a run together, before base64. */
export const ARTIFACT_BUDGET = 16 * 1024 * 1024;
const MAX_FILES = 1000;
const MAX_DEPTH = 32;

export interface Collected {
  artifacts: RunResult["artifacts"];
  /** Something was cut or left out. */
  incomplete: boolean;
}

/**
 * Takes the files that fit a glob out of `root`, a workspace whose every process is dead: nothing can change a name between
 * our look and our open. Symbolic links, devices, sockets and pipes are skipped; O_NOFOLLOW holds all the same.
 */
export function collectArtifacts(root: string, globs: string[]): Collected {
  const collected: Collected = { artifacts: [], incomplete: false };
  if (globs.length === 0) return collected;
  let budget = ARTIFACT_BUDGET;
  for (const path of regularFiles(root, "", 0)) {
    if (!globs.some((glob) => globMatches(glob, path))) continue;
    if (collected.artifacts.length === MAX_FILES) {
      collected.incomplete = true;
      break;
    }
    const { size, bytes } = readUpTo(join(root, path), budget);
    const truncated = bytes.length < size;
    budget -= bytes.length;
    collected.incomplete ||= truncated;
    collected.artifacts.push({ path, size, content: bytes.toString("base64"), truncated });
  }
  return collected;
}

function* regularFiles(root: string, below: string, depth: number): Generator<string> {
  if (depth > MAX_DEPTH) return;
  const entries = readdirSync(join(root, below), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isFile()) yield path;
    else if (entry.isDirectory()) yield* regularFiles(root, path, depth + 1);
  }
}

function readUpTo(path: string, limit: number): { size: number; bytes: Buffer } {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, limit));
    let at = 0;
    while (at < bytes.length) {
      const got = readSync(fd, bytes, at, bytes.length - at, at);
      if (got === 0) break;
      at += got;
    }
    return { size, bytes: bytes.subarray(0, at) };
  } finally {
    closeSync(fd);
  }
}
