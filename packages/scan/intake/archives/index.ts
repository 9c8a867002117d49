import { type Artifact, type ArtifactFile, ChangedError } from "../artifact.ts";
import type { Collector } from "../collector.ts";
import { expandArchives } from "./expand.ts";
import { Spool } from "./spool.ts";

/** What was collected, with every archive in it opened, as the parts of an artifact. `read` gives the bytes of what does not lie in an archive. */
export async function withArchives(
  collector: Collector,
  read: (file: ArtifactFile) => Promise<Uint8Array>,
  signal?: AbortSignal,
  spool = new Spool(),
): Promise<Pick<Artifact, "files" | "gaps" | "read" | "close">> {
  const readAny = async (file: ArtifactFile): Promise<Uint8Array> => {
    const unpacked = spool.get(file.sha256);
    if (unpacked) return unpacked;
    if (file.layers.length > 0) throw new ChangedError("what was unpacked of it is gone");
    return read(file);
  };
  try {
    await expandArchives({ collector, spool, read: readAny, signal });
  } catch (error) {
    spool.close();
    throw error;
  }
  return { files: collector.sorted(), gaps: collector.gaps, read: readAny, close: async () => spool.close() };
}
