import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, opendir, readlink } from "node:fs/promises";
import { join } from "node:path";

/** One thing of an image. `x`: a file that may be executed. */
export type Entry = { path: string; kind: "d" } | { path: string; kind: "f" | "x"; size: number; sha256: string } | { path: string; kind: "l"; target: string };

/**
 * The digest that names an image: over its lock, and every path, kind, link target, size and content, sorted by path. Owners and times are not
 * in it, because they are not the build's to choose.
 */
export function imageId(lockSha256: string, entries: readonly Entry[]): string {
  const lines = entries.map((entry) => {
    const { path, kind } = entry;
    if (kind === "d") return JSON.stringify([path, kind]);
    return JSON.stringify(kind === "l" ? [path, kind, entry.target] : [path, kind, entry.size, entry.sha256]);
  });
  return createHash("sha256")
    .update(["plastron image 1", lockSha256, ...lines.sort()].join("\n"))
    .digest("hex");
}

/** What a directory holds, read anew and without following a link. Throws where there is something that no image has. */
export async function readEntries(root: string, below = ""): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const { name } of await opendir(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    const full = join(root, path);
    const info = await lstat(full);
    if (info.isDirectory()) entries.push({ path, kind: "d" }, ...(await readEntries(root, path)));
    else if (info.isSymbolicLink()) entries.push({ path, kind: "l", target: await readlink(full) });
    else if (info.isFile()) entries.push({ path, kind: (info.mode & 0o100) === 0 ? "f" : "x", size: info.size, sha256: await digestOf(full) });
    else throw new Error(`${path} is neither a file, a directory nor a link`);
  }
  return entries;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
