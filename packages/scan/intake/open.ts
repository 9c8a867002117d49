import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { PlastronError } from "@plastron/contracts";
import { type Artifact, digestOf } from "./artifact.ts";
import { Collector } from "./collector.ts";
import { walkDirectory } from "./directory.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { NO_MEMO, type StampMemo } from "./stamps.ts";

export interface OpenOptions {
  readonly limits?: Partial<Limits>;
  readonly memo?: StampMemo;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: (path: string) => void;
}

/** Takes an artifact in, whatever it is: a directory for now. Rejects with a PlastronError where there is nothing to take in. */
export async function openArtifact(source: string, options: OpenOptions = {}): Promise<Artifact> {
  const path = resolve(source);
  if (!isDirectory(path)) throw new PlastronError("not_found", `there is no directory ${source}`, { hint: "Name a directory." });
  const collector = new Collector({ ...DEFAULT_LIMITS, ...options.limits });
  const directory = await walkDirectory(path, {
    collector,
    memo: options.memo ?? NO_MEMO,
    leaveOut: (path) => basename(path) === ".git",
    signal: options.signal,
    onFile: options.onFile,
  });
  return {
    ref: { kind: "tree", digest: digestOf(collector.digest), name: source, revision: null },
    files: collector.sorted(),
    gaps: collector.gaps,
    notes: [],
    read: async (file) => directory.read(file),
    close: async () => {},
  };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
