import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Compiled, checkSignature, IndexDamaged, parseManifest, sha256 } from "../../dependencies/index.ts";
import { download } from "./fetch.ts";

const LONGEST_MANIFEST = 64 * 2 ** 20;
const LONGEST_PAGE = 256 * 2 ** 20;

/**
 * The index of a mirror: another installation's folder (`current`, `indexes/`, `pages/`), as files or behind any web server. It is believed for its
 * signature by `key` alone; pages that `have` knows are not fetched again.
 */
export async function fetchMirror(
  from: string,
  key: string,
  have: (hash: string) => Uint8Array | null,
): Promise<{ compiled: Compiled; signature: Uint8Array }> {
  const get = (path: string, most: number) => (/^https?:\/\//i.test(from) ? download(`${from.replace(/\/+$/, "")}/${path}`, most) : readFile(join(from, path)));
  const id = Buffer.from(await get("current", 1000))
    .toString("utf8")
    .trim();
  if (!/^[0-9a-f]{64}$/.test(id)) throw new IndexDamaged("manifest", "the mirror names no index");
  const manifest = await get(`indexes/${id}.json`, LONGEST_MANIFEST);
  const signature = await get(`indexes/${id}.sig`, 1000);
  checkSignature(manifest, signature, key);
  if (sha256(manifest) !== id) throw new IndexDamaged("manifest", "the mirror's manifest is not the one that it names");
  const { ecosystems, exploitation } = parseManifest(manifest);
  const pages = new Map<string, Uint8Array>();
  for (const hash of new Set([...ecosystems.flatMap((each) => each.pages), ...exploitation.pages])) {
    const page = have(hash) ?? (await get(`pages/${hash}`, LONGEST_PAGE));
    if (sha256(page) !== hash) throw new IndexDamaged("page_changed", `page ${hash.slice(0, 16)} of the mirror is not what its manifest names`);
    pages.set(hash, page);
  }
  return { compiled: { id, manifest, pages }, signature };
}
