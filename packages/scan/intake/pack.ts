import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import type { Artifact } from "./artifact.ts";

/**
 * A tar.gz of an artifact's own files, which intake anywhere else takes for the same artifact: what is in archives comes with them. What intake left out
 * is left out here too. `settled` rejects where a file changed since it was taken in.
 */
export function packArtifact(artifact: Artifact): { stream: Readable; settled: Promise<void> } {
  const tar = pack();
  const stream = createGzip({ level: 6 });
  const filling = fill(artifact, tar).catch((error: Error) => tar.destroy(error));
  const settled = pipeline(tar, stream).then(async () => void (await filling));
  settled.catch(() => {}); // the stream's reader hears of it as well
  return { stream, settled };
}

async function fill({ files, read }: Artifact, tar: ReturnType<typeof pack>): Promise<void> {
  for (const file of files.filter(({ layers }) => layers.length === 0)) {
    const content = Buffer.from(await read(file));
    const head = { name: file.path, mode: file.executable ? 0o755 : 0o644, mtime: new Date(0) };
    await new Promise<void>((resolve, reject) => tar.entry(head, content, (error) => (error ? reject(error) : resolve())));
  }
  tar.finalize();
}
