import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IndexDamaged, type IndexManifest, parseManifest } from "../../dependencies/index.ts";
import { fetchMirror } from "./mirror.ts";
import { DEFAULT_SOURCES, gather } from "./sources.ts";
import { type AdvisoryStore, install, installOwn, nextSequence, openStore, pinKey, trustedKey, unpinKey } from "./store.ts";

export interface UpdateOptions {
  /** Files, folders, addresses; empty: those of the last update, else the public ones. */
  readonly from: readonly string[];
  readonly mirror?: string | undefined;
  /** PEM of the mirror's key; where absent, the one pinned before. */
  readonly key?: string | undefined;
  /** No longer take what a mirror signed: build from sources again. */
  readonly unpin?: boolean | undefined;
  /** Take an index with far fewer advisories than the one in use. */
  readonly smaller?: boolean | undefined;
  readonly now: Date;
  readonly onSource?: (name: string) => void;
}

/** Puts new advisories into use, or throws and leaves what is in use as it is. */
export async function updateAdvisories(store: AdvisoryStore, options: UpdateOptions): Promise<IndexManifest> {
  const before = inUse(store);
  if (options.mirror !== undefined) return await fromMirror(store, options.mirror, options, before);
  const from = options.from.length > 0 ? options.from : DEFAULT_SOURCES;
  const { compiler, exploitation, sources } = await gather(from, options.onSource);
  const compiled = compiler.finish({ built_at: options.now.toISOString(), sequence: nextSequence(store), sources, exploitation });
  const manifest = parseManifest(compiled.manifest);
  refuseShrunk(before, manifest, options.smaller ?? false);
  if (options.unpin) unpinKey(store);
  installOwn(store, compiled);
  return manifest;
}

async function fromMirror(store: AdvisoryStore, mirror: string, options: UpdateOptions, before: IndexManifest | null): Promise<IndexManifest> {
  const key = options.key ?? trustedKey(store.directory);
  const { compiled, signature } = await fetchMirror(mirror, key, (hash) => kept(store, hash));
  const manifest = parseManifest(compiled.manifest);
  refuseShrunk(before, manifest, options.smaller ?? false);
  if (options.key !== undefined) pinKey(store, options.key);
  install(store, compiled, signature);
  return manifest;
}

/** Half of the advisories gone is a broken source or somebody who hides something; it is not what happens from one day to the next. */
function refuseShrunk(before: IndexManifest | null, after: IndexManifest, allowed: boolean): void {
  const [had, has] = [count(before), count(after)];
  if (has === 0) throw new IndexDamaged("manifest", "there is no advisory in what was given");
  if (!allowed && has < had / 2) throw new IndexDamaged("manifest", `there were ${had} advisories and would be ${has}: what is in use is kept`);
}

/** Advisories in an index. */
export function count(manifest: IndexManifest | null): number {
  return manifest?.ecosystems.reduce((sum, { advisories }) => sum + advisories, 0) ?? 0;
}

function inUse(store: AdvisoryStore): IndexManifest | null {
  try {
    return openStore(store)?.manifest ?? null;
  } catch (error) {
    // What is damaged is replaced; it is no measure of what comes.
    if (error instanceof IndexDamaged) return null;
    throw error;
  }
}

function kept({ directory }: AdvisoryStore, hash: string): Uint8Array | null {
  try {
    const page = readFileSync(join(directory, "pages", hash));
    return createHash("sha256").update(page).digest("hex") === hash ? page : null;
  } catch {
    return null;
  }
}
