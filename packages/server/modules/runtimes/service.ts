import { type Image, type PackageRequest, PlastronError, type Runtime } from "@plastron/contracts";
import type { Principal } from "../auth/principal.ts";
import { readReference } from "./name.ts";
import type { RuntimeStore } from "./store.ts";
import type { VersionRow } from "./view.ts";

const MAX_RUNTIMES = 100;
const MAX_VERSIONS = 50;
const OFTEN_MS = 1_000;

/** The agent, as far as it makes and keeps images. */
export interface ImageMaker {
  buildImage(order: { packages: PackageRequest; tenant: string; wall_ms: number }, progress: (chunk: Uint8Array) => void, signal?: AbortSignal): Promise<Image>;
  listImages(): Promise<Image[]>;
  removeImage(id: string): Promise<void>;
}

/** What a program has besides its interpreter. */
export interface ResolvedRuntime {
  language: Runtime;
  image: string;
  /** NAME@VERSION, for the record. */
  reference: string;
}

export interface Building {
  timeoutMs: number;
  progress(chunk: Uint8Array): void;
  signal?: AbortSignal | undefined;
}

/**
 * Runtimes with packages. A tenant names its own: the name is looked up among that tenant's alone, and no id of an image is ever
 * taken from a request, so that a tenant can neither use nor learn of another's.
 */
export class RuntimeService {
  readonly #store: RuntimeStore;
  readonly #agent: ImageMaker;
  readonly #often = new Map<string, { at: number; row: Promise<VersionRow | null> }>();
  #building = 0;

  constructor(store: RuntimeStore, agent: ImageMaker) {
    this.#store = store;
    this.#agent = agent;
  }

  /** @throws PlastronError conflict, invalid_request, packages_failed, overloaded, agent_unavailable */
  async create({ tenant, key }: Principal, name: string, packages: PackageRequest, building: Building): Promise<VersionRow> {
    if (await this.#store.find(tenant, name)) throw exists(name);
    if ((await this.#store.count(tenant)) >= MAX_RUNTIMES) throw tooMany(`${MAX_RUNTIMES} runtimes`, "Delete one that nobody uses.");
    return this.#build(tenant, packages, building, async (image) => {
      const row = await this.#store.add(tenant, name, image, packages, key, true);
      if (!row) throw exists(name);
      return row;
    });
  }

  /** The next version; without `packages` of what the current one was asked for, as the registry has it now. What is the same adds none. */
  async update(
    principal: Principal,
    name: string,
    packages: (from: Image["from"]) => PackageRequest | null,
    building: Building,
  ): Promise<{ row: VersionRow; created: boolean }> {
    const { tenant, key } = principal;
    const current = await this.get(tenant, name);
    if ((await this.#store.versions(tenant, name)).length >= MAX_VERSIONS)
      throw tooMany(`${MAX_VERSIONS} versions`, "`plastron runtime prune` forgets old ones.");
    const asked = packages(current.language) ?? current.request;
    return this.#build(tenant, asked, building, async (image) => {
      const now = await this.get(tenant, name);
      if (now.image === image.id) return { row: now, created: false };
      const row = await this.#store.add(tenant, name, image, asked, key, false);
      if (!row) throw missing(name);
      return { row, created: true };
    });
  }

  /** @throws PlastronError not_found */
  async rollback({ tenant, key }: Principal, name: string, version: number): Promise<VersionRow> {
    const row = await this.#store.point(tenant, name, version, key);
    if (!row) throw missing(`${name}@${version}`);
    return row;
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, name: string, version?: number): Promise<VersionRow> {
    const row = await this.#store.find(tenant, name, version);
    if (!row) throw missing(version === undefined ? name : `${name}@${version}`);
    return row;
  }

  list(tenant: string): Promise<VersionRow[]> {
    return this.#store.list(tenant);
  }

  versions(tenant: string, name: string): Promise<VersionRow[]> {
    return this.#store.versions(tenant, name);
  }

  /** @throws PlastronError not_found */
  async remove({ tenant, key }: Principal, name: string): Promise<void> {
    if (!(await this.#store.remove(tenant, name, key))) throw missing(name);
  }

  /** Forgets this tenant's versions that are not current, and has images removed that nobody names any more. */
  async prune({ tenant, key }: Principal): Promise<{ versions: number; images: number }> {
    const versions = await this.#store.prune(tenant, key);
    return { versions, images: await this.removeUnnamed() };
  }

  /** What a program with `reference` has. @throws PlastronError unsupported_runtime */
  async resolve(tenant: string, reference: string): Promise<ResolvedRuntime> {
    const { name, version } = readReference(reference);
    const row = await this.#store.find(tenant, name, version);
    if (!row)
      throw new PlastronError("unsupported_runtime", `There is no runtime ${reference}`, {
        hint: "`plastron runtime list` shows those that there are; `plastron runtime create` makes one.",
      });
    return { language: row.language, image: row.image, reference: `${row.name}@${row.version}` };
  }

  /** The same for a front door that asks before every run: what it says may be a second old. Null where there is none. */
  async findOften(tenant: string, name: string): Promise<VersionRow | null> {
    const key = `${tenant}/${name}`;
    const known = this.#often.get(key);
    if (known && performance.now() - known.at < OFTEN_MS) return known.row;
    if (this.#often.size > 1000) this.#often.clear();
    const row = this.#store.find(tenant, name).then((found) => found ?? null);
    this.#often.set(key, { at: performance.now(), row });
    row.catch(() => this.#often.delete(key));
    return row;
  }

  /** Images that no version names are removed; the agent keeps those that a program still uses, and those of the last minute. */
  async removeUnnamed(): Promise<number> {
    if (this.#building > 0) return 0; // one that is about to be named
    const images = (await this.#agent.listImages()).map(({ id }) => id);
    const named = await this.#store.named(images);
    let removed = 0;
    for (const id of images.filter((one) => !named.has(one))) {
      try {
        await this.#agent.removeImage(id);
        removed++;
      } catch (error) {
        if (!(error instanceof PlastronError && (error.code === "conflict" || error.code === "not_found"))) throw error;
      }
    }
    return removed;
  }

  async #build<T>(tenant: string, packages: PackageRequest, { timeoutMs, progress, signal }: Building, keep: (image: Image) => Promise<T>): Promise<T> {
    this.#building++;
    try {
      return await keep(await this.#agent.buildImage({ packages, tenant, wall_ms: timeoutMs }, progress, signal));
    } finally {
      this.#building--;
    }
  }
}

const exists = (name: string) =>
  new PlastronError("conflict", `There is a runtime ${name} already`, { hint: `\`plastron runtime update ${name}\` makes its next version.` });
const missing = (name: string) =>
  new PlastronError("not_found", `There is no runtime ${name}`, { hint: "`plastron runtime list` shows those that there are." });
const tooMany = (what: string, hint: string) => new PlastronError("conflict", `There are ${what} already`, { hint });
