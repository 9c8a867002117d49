import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { PlastronError } from "@plastron/contracts";
import { type Artifact, type Limits, openArtifact } from "@plastron/scan";
import type { Principal } from "../auth/principal.ts";
import type { ArtifactRow, ArtifactStore } from "./store.ts";

export interface ArtifactLimits {
  /** Of one upload or download. */
  uploadBytes: number;
  /** Of one artifact, unpacked. */
  unpackedBytes: number;
  /** Of all artifacts of a tenant, unpacked. */
  tenantBytes: number;
  /** Hosts that repositories may be fetched from; none are where it is empty. */
  gitHosts: readonly string[];
}

/** Where to get what is not uploaded. */
export type Source = { git: string; revision?: string | undefined } | { npm: string } | { pypi: string };

/**
 * Takes artifacts in for tenants. Everything about them is hostile: they are unpacked by intake within limits, and kept as rows, never as
 * files that anything could run or follow.
 */
export class ArtifactService {
  readonly #store: ArtifactStore;
  readonly #limits: ArtifactLimits;

  constructor(store: ArtifactStore, limits: ArtifactLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  /** @throws PlastronError payload_too_large, invalid_request, conflict */
  async upload(principal: Principal, name: string, body: Readable, signal: AbortSignal): Promise<{ row: ArtifactRow; created: boolean }> {
    const directory = await mkdtemp(join(tmpdir(), "plastron-upload-"));
    try {
      const file = join(directory, safeName(name));
      await pipeline(body, atMost(this.#limits.uploadBytes), createWriteStream(file, { flags: "wx", mode: 0o600 }), { signal });
      return await this.#keep(principal, file, name, signal);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** @throws PlastronError invalid_request, forbidden, conflict, and what intake says of a source that is not there */
  fetch(principal: Principal, source: Source, signal: AbortSignal): Promise<{ row: ArtifactRow; created: boolean }> {
    return this.#keep(principal, this.#address(source), null, signal);
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, digest: string): Promise<ArtifactRow> {
    const row = await this.#store.find(tenant, digest);
    if (!row) throw missing();
    return row;
  }

  list(tenant: string, limit: number, before?: { at: Date; digest: string }): Promise<ArtifactRow[]> {
    return this.#store.list(tenant, limit, before);
  }

  /** @throws PlastronError not_found */
  async remove({ tenant, key }: Principal, digest: string): Promise<void> {
    if (!(await this.#store.remove(tenant, digest, key))) throw missing();
  }

  async #keep({ tenant, key }: Principal, source: string, name: string | null, signal: AbortSignal): Promise<{ row: ArtifactRow; created: boolean }> {
    const { uploadBytes, unpackedBytes, tenantBytes } = this.#limits;
    const limits: Partial<Limits> = { totalBytes: unpackedBytes, downloadBytes: uploadBytes, files: 50_000 };
    const artifact = await openArtifact(source, { limits, signal, publicOnly: true });
    try {
      const bytes = artifact.files.reduce((sum, { size }) => sum + size, 0);
      if ((await this.#store.totalBytes(tenant)) + bytes > tenantBytes) {
        throw new PlastronError("conflict", `This tenant's artifacts would be more than ${tenantBytes} bytes in all`, {
          hint: "Remove artifacts that are not needed any more.",
        });
      }
      return await this.#store.add(tenant, key, name === null ? artifact : renamed(artifact, name));
    } finally {
      await artifact.close();
    }
  }

  /** The words that intake takes; nothing of a tenant's ever names a path of this machine or a host that the operator did not. */
  #address(source: Source): string {
    if ("npm" in source) return `npm:${source.npm}`;
    if ("pypi" in source) return `pypi:${source.pypi}`;
    const url = URL.parse(source.git);
    if (url?.protocol !== "https:" || url.username !== "" || url.password !== "" || url.port !== "" || !this.#limits.gitHosts.includes(url.hostname)) {
      const hosts = this.#limits.gitHosts.join(", ") || "none are set";
      throw new PlastronError("forbidden", "Repositories are fetched by https, without credentials, from hosts that the operator named", {
        hint: `PLASTRON_SCAN_GIT_HOSTS names them (${hosts}); or upload an archive.`,
      });
    }
    return `${url.href.replace(/#.*$/, "")}#${source.revision ?? "HEAD"}`;
  }
}

/** Intake tells archives by their names as well; nothing else of a name that a tenant chose gets to the disk. */
function safeName(name: string): string {
  return `upload${/(\.tar\.gz|\.tgz|\.tar|\.zip|\.whl|\.[a-z0-9]{1,10})$/i.exec(name)?.[0]?.toLowerCase() ?? ""}`;
}

function renamed(artifact: Artifact, name: string): Artifact {
  return { ...artifact, ref: { ...artifact.ref, name } };
}

function atMost(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytes)
        done(
          new PlastronError("payload_too_large", `An upload has at most ${bytes} bytes`, {
            hint: "Leave out what is not needed (node_modules, .git), or compress it.",
          }),
        );
      else done(null, chunk);
    },
  });
}

const missing = () => new PlastronError("not_found", "There is no such artifact", { hint: "POST /v1/artifacts uploads one; its digest names it." });
