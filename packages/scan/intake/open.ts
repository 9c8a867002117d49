import { basename } from "node:path";
import type { ArtifactKind } from "@plastron/contracts";
import { withArchives } from "./archives/index.ts";
import { type Artifact, digestOf } from "./artifact.ts";
import { checkout, isCheckout, wholeDirectory } from "./checkout.ts";
import { openClone } from "./clone.ts";
import { Collector } from "./collector.ts";
import { walkDirectory } from "./directory.ts";
import { makeScratch, type Scratch } from "./download.ts";
import { withHistory } from "./git-history.ts";
import { openRevision } from "./git-revision.ts";
import { detectKind } from "./kind.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { fetchPackage, versionOfWheel } from "./packages.ts";
import { openFile } from "./single.ts";
import { parseSource, type Source } from "./sources.ts";
import { NO_MEMO, type StampMemo } from "./stamps.ts";

export interface OpenOptions {
  readonly limits?: Partial<Limits>;
  readonly memo?: StampMemo;
  /** Of a directory: also what .gitignore leaves out, and git's own database. */
  readonly all?: boolean;
  /** Of a repository: also what its commits added and later ones took away, for secrets. */
  readonly history?: boolean;
  /** Of a repository's address that a stranger named: its host must be a public one, and no redirect leads away from it. */
  readonly publicOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onFile?: (path: string) => void;
}

/**
 * Takes an artifact in, whatever it is: a directory, a file, an archive, a repository (a URL, `#REVISION` behind it; or a bare one on this disk), `npm:NAME`,
 * `pypi:NAME`. Rejects with a PlastronError where there is nothing to take in. Nothing of it is run, and no link is followed.
 */
export async function openArtifact(source: string, options: OpenOptions = {}): Promise<Artifact> {
  const parsed = parseSource(source);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  switch (parsed.type) {
    case "directory":
      return settled(await past(await openDirectoryTree(parsed.path, source, limits, options), parsed.path, options));
    case "file":
      return settled(await openNamedFile(parsed.path, source, limits, options));
    case "repository":
      return settled(await past(await openRevision(parsed.revision, { repository: parsed.path, ...options }), parsed.path, options));
    default:
      return settled(await openRemote(parsed, limits, options));
  }
}

async function past(artifact: Artifact, repository: string, { history, signal }: OpenOptions): Promise<Artifact> {
  return history ? withHistory(artifact, { repository, signal }) : artifact;
}

async function settled(artifact: Artifact): Promise<Artifact> {
  return { ...artifact, ref: { ...artifact.ref, kind: await detectKind(artifact.ref.kind, artifact) } };
}

async function openDirectoryTree(path: string, name: string, limits: Limits, options: OpenOptions): Promise<Artifact> {
  const collector = new Collector(limits);
  const choice = !options.all && isCheckout(path) ? checkout(path) : wholeDirectory(options.all ?? false);
  const walk = { collector, memo: options.memo ?? NO_MEMO, leaveOut: choice.leaveOut, enter: choice.enter, signal: options.signal, onFile: options.onFile };
  const directory = await walkDirectory(path, walk);
  const parts = await withArchives(collector, async (file) => directory.read(file), options.signal);
  return { ...parts, ref: { kind: "tree", digest: digestOf(collector.digest), name, revision: null }, notes: choice.notes() };
}

async function openNamedFile(path: string, name: string, limits: Limits, options: OpenOptions): Promise<Artifact> {
  const collector = new Collector(limits);
  const { archive, ...parts } = await openFile(path, collector, options.signal);
  return { ...parts, ref: { kind: archive ? "archive" : "tree", digest: digestOf(collector.digest), name, revision: null }, notes: [] };
}

async function openRemote(source: Extract<Source, { type: "git" | "npm" | "pypi" }>, limits: Limits, options: OpenOptions): Promise<Artifact> {
  const scratch = makeScratch();
  try {
    const artifact =
      source.type === "git"
        ? await openClone(
            { ...source, scratch, limits, depth: options.history ? "all" : "one", signal: options.signal, publicOnly: options.publicOnly },
            { limits, signal: options.signal, ...(options.onFile ? { onFile: options.onFile } : {}) },
          )
        : await openPackage(source, scratch, limits, options);
    return { ...artifact, close: () => artifact.close().finally(() => scratch.remove()) };
  } catch (error) {
    scratch.remove();
    throw error;
  }
}

async function openPackage(source: Extract<Source, { type: "npm" | "pypi" }>, scratch: Scratch, limits: Limits, options: OpenOptions): Promise<Artifact> {
  const { type, name, version } = source;
  const file = await fetchPackage({ type, name, version, scratch, limits, signal: options.signal });
  const collector = new Collector(limits);
  const { archive: _, ...parts } = await openFile(file, collector, options.signal, type === "npm" ? "top" : "nothing");
  const revision = type === "pypi" ? versionOfWheel(file) : await manifestVersion(parts);
  const kind: ArtifactKind = type === "npm" ? "npm" : "archive";
  const called = revision === null ? basename(file) : `${name}${type === "npm" ? "@" : "=="}${revision}`;
  return { ...parts, ref: { kind, digest: digestOf(collector.digest), name: `${type}:${called}`, revision }, notes: [] };
}

/** As the package says it of itself: its own claim, but npm holds it to what was asked for. */
async function manifestVersion({ files, read }: Pick<Artifact, "files" | "read">): Promise<string | null> {
  const manifest = files.find(({ key }) => key === "package.json");
  if (!manifest) return null;
  try {
    const { version } = JSON.parse(Buffer.from(await read(manifest)).toString("utf8")) as { version?: unknown };
    return typeof version === "string" && /^[\w.+-]{1,100}$/.test(version) ? version : null;
  } catch {
    return null;
  }
}
