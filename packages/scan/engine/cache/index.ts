import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { join } from "node:path";
import type { AnalyserName, Approvals, Gap } from "@plastron/contracts";
import type { Artifact, ArtifactFile } from "../../intake/artifact.ts";
import { NO_MEMO, type StampMemo } from "../../intake/stamps.ts";
import type { Versions } from "../pool.ts";
import type { AnalyserConfig } from "../protocol.ts";
import type { CheckedLook } from "../tally.ts";
import { CacheDatabase } from "./database.ts";
import { Identity } from "./identity.ts";
import { CachedStamps } from "./stamps.ts";

export { defaultCacheDirectory } from "./place.ts";

/** One analyser's look at one file, as it is kept. `wanted` false: it does not want such a file. */
export interface KeptLook extends CheckedLook {
  readonly wanted: boolean;
  readonly ms: number;
  /** It did not come to its end; to be believed until then, by whoever has no more patience (milliseconds) than that scan had. */
  readonly failure?: Failure & { readonly gap: Gap };
}

export interface Failure {
  readonly until: number;
  readonly patience: number;
}

/** What a whole artifact gave, all files and the joining of them. */
export interface KeptTree {
  readonly matches: CheckedLook["matches"];
  readonly gaps: CheckedLook["gaps"];
  readonly counts: Readonly<Partial<Record<AnalyserName, { files: number; bytes: number }>>>;
  readonly sbom: unknown;
  readonly offers: Approvals["offers"] | null;
  readonly failure?: Failure;
}

const SOURCES = realpathSync(join(import.meta.dirname, "../.."));
const LOCK = join(SOURCES, "../../package-lock.json");
const LIMIT = 1024 * 2 ** 20;
const LARGEST = 64 * 2 ** 20;

/**
 * What earlier scans found, on three levels: a file's content by the kernel's stamp, an analyser's look by everything that it can depend on, and a whole
 * artifact's result by all of that together. `null` for a directory: nothing is kept.
 */
export class ScanCache {
  readonly #database: CacheDatabase | null;
  readonly #code: string;
  readonly #identity: Identity;

  constructor(directory: string | null, config: AnalyserConfig & { readonly registry: string }, limitBytes = LIMIT) {
    this.#database = directory === null ? null : new CacheDatabase(directory, limitBytes);
    // Analysers of another registry (a test's) are made of what that says, not of ours.
    const own = config.registry.startsWith(`${SOURCES}/`) ? [SOURCES, LOCK] : [];
    this.#identity = new Identity([...own, config.registry, ...config.rules, ...(config.advisories === null ? [] : [config.advisories])]);
    this.#code = this.#database === null ? "" : this.#contentIdentity();
  }

  /** For the report's reader, where the cache could not be used. */
  get trouble(): string | null {
    return this.#database?.trouble ?? null;
  }

  get stamps(): StampMemo {
    return this.#database === null ? NO_MEMO : new CachedStamps(this.#database, this.#code);
  }

  /** What the analysers call themselves; known without starting them where nothing that they are made of was touched. */
  versions(analysers: readonly AnalyserName[]): Versions | null {
    const row = this.#database?.get(`versions ${this.#code} ${analysers.join()}`);
    return row ? (JSON.parse(row.value.toString("utf8")) as Versions) : null;
  }

  putVersions(analysers: readonly AnalyserName[], versions: Versions): void {
    this.#database?.put(`versions ${this.#code} ${analysers.join()}`, Buffer.from(JSON.stringify(versions)));
  }

  /** Facts are Buffers of JSON: they are looked at only by workers. */
  look(file: ArtifactFile, analyser: AnalyserName, version: string): { look: KeptLook; facts: Buffer | null } | null {
    const row = this.#database?.get(this.#lookKey(file, analyser, version));
    return row ? { look: JSON.parse(row.value.toString("utf8")) as KeptLook, facts: row.more } : null;
  }

  putLook(file: ArtifactFile, analyser: AnalyserName, version: string, look: KeptLook, facts: Buffer | null): void {
    const value = Buffer.from(JSON.stringify(look));
    if (value.length + (facts?.length ?? 0) <= LARGEST) this.#database?.put(this.#lookKey(file, analyser, version), value, facts);
  }

  /** `approvals` are what the whole is held against: of one artifact, others say other things. */
  tree(artifact: Artifact, versions: Versions, approvals: Approvals | null): KeptTree | null {
    const row = this.#database?.get(this.#treeKey(artifact, versions, approvals));
    return row ? (JSON.parse(row.value.toString("utf8")) as KeptTree) : null;
  }

  putTree(artifact: Artifact, versions: Versions, approvals: Approvals | null, tree: KeptTree): void {
    const value = Buffer.from(JSON.stringify(tree));
    if (value.length <= LARGEST) this.#database?.put(this.#treeKey(artifact, versions, approvals), value);
  }

  close(): void {
    this.#database?.close();
  }

  /** An analyser sees a file's place, kind and content, and nothing else of the world. */
  #lookKey(file: ArtifactFile, analyser: AnalyserName, version: string): string {
    return `look ${digest([this.#code, analyser, version, ...partsOf(file)])}`;
  }

  #treeKey(artifact: Artifact, versions: Versions, approvals: Approvals | null): string {
    const approved = approvals && Object.entries(approvals.offers).sort(([a], [b]) => (a < b ? -1 : 1));
    const hash = createHash("sha256").update(JSON.stringify([this.#code, Object.entries(versions).sort(([a], [b]) => (a < b ? -1 : 1)), approved]));
    for (const file of artifact.files) hash.update(JSON.stringify(partsOf(file)));
    return `tree ${hash.digest("hex")}`;
  }

  #contentIdentity(): string {
    const stamp = `identity ${this.#identity.stamp()}`;
    const known = this.#database?.get(stamp);
    if (known) return known.value.toString("latin1");
    const content = this.#identity.content();
    this.#database?.put(stamp, Buffer.from(content, "latin1"));
    return content;
  }
}

function partsOf({ key, sha256, size, language, encoding, executable, sealed }: ArtifactFile): (string | number)[] {
  return [key, sha256, size, language, encoding, executable ? 1 : 0, sealed ? 1 : 0];
}

function digest(parts: readonly (string | number)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
