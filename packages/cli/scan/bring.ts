import { createReadStream, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { openArtifact, packArtifact } from "@plastron/scan";
import type { ArtifactSource, ScanClient, StoredArtifact } from "../client/scans.ts";
import { usage } from "../failure.ts";

/** Gives the server what is to be scanned or run: a directory as intake chooses its files, a file as it is; packages and repositories it fetches itself. */
export async function bring(what: string, client: ScanClient, options: { all?: boolean; signal?: AbortSignal }): Promise<StoredArtifact> {
  const source = remoteSource(what);
  if (source) return client.fetchArtifact(source, options.signal);
  const found = statSync(what, { throwIfNoEntry: false });
  if (found?.isFile()) return client.upload(nameOf(what), createReadStream(what), options.signal);
  if (!found?.isDirectory()) throw usage(`${what} is not there`, "Name a directory, a file, an https address of a repository, npm:NAME or pypi:NAME.");
  const artifact = await openArtifact(what, { all: options.all ?? false, ...(options.signal ? { signal: options.signal } : {}) });
  try {
    const { stream, settled } = packArtifact(artifact);
    const stored = await client.upload(`${nameOf(what)}.tar.gz`, stream, options.signal);
    await settled;
    return stored;
  } finally {
    await artifact.close();
  }
}

function remoteSource(what: string): ArtifactSource | null {
  if (what.startsWith("npm:")) return { npm: what.slice(4) };
  if (what.startsWith("pypi:")) return { pypi: what.slice(5) };
  if (!/^[a-z+]+:\/\//i.test(what)) return null;
  const [git = what, revision] = what.split("#");
  return { git, ...(revision ? { revision } : {}) };
}

const nameOf = (path: string): string => basename(resolve(path)) || "root";
