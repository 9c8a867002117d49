import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AdvisoryIndex,
  type Compiled,
  checkSignature,
  IndexDamaged,
  type IndexManifest,
  openIndex,
  parseManifest,
  sha256,
} from "../../dependencies/index.ts";

/**
 * Where an installation keeps its advisories:
 *
 *     current           id of the index in use
 *     indexes/ID.json   a manifest, ID its sha256;  ID.sig  its signature
 *     pages/SHA256      what manifests name; equal pages of two indexes are one file
 *     trust/            key.pem (private, 0600), trusted.pem (public; a mirror's where one is pinned), newest (the highest sequence taken)
 *
 * `current` alone decides which index is read, and is replaced by a rename: a reader sees the old or the new one, never half of either.
 * A scan's workers read all of it but key.pem, under a user of their own. `trust` is what a synchronised or shared folder must not hold: who can write there can have everything believed.
 */
export interface AdvisoryStore {
  readonly directory: string;
}

const KEPT = 2;

/** Opens what is in use, checked: manifest, signature, and that nothing newer was taken before. Null where there is none. Throws IndexDamaged. */
export function openStore({ directory }: AdvisoryStore): AdvisoryIndex | null {
  const id = readId(directory);
  if (id === null) {
    if (newestTaken(directory) > 0) throw new IndexDamaged("manifest", "the advisories that were in use are gone");
    return null;
  }
  const { manifest, signature } = readIndex(directory, id);
  checkSignature(manifest, signature, trustedKey(directory));
  const index = openIndex(manifest, (hash) => readFileSync(join(directory, "pages", hash)));
  if (index.id !== id) throw new IndexDamaged("manifest", "the manifest of the advisories was changed after it was signed");
  const newest = newestTaken(directory);
  if (index.manifest.sequence < newest) {
    throw new IndexDamaged(
      "rollback",
      `the advisories are of build ${index.manifest.sequence}, but this installation has had build ${newest}: somebody put older ones back`,
    );
  }
  return index;
}

/** The index that was in use before the one that is; null where there is none, or it is not whole. It serves to tell what changed and nothing else. */
export function openPrevious(store: AdvisoryStore): AdvisoryIndex | null {
  const { directory } = store;
  const id = readId(directory);
  const others = listIndexes(directory).filter((each) => each.id !== id);
  const previous = others.sort((a, b) => b.manifest.sequence - a.manifest.sequence)[0];
  if (previous === undefined) return null;
  try {
    const { manifest, signature } = readIndex(directory, previous.id);
    checkSignature(manifest, signature, trustedKey(directory));
    return openIndex(manifest, (hash) => readFileSync(join(directory, "pages", hash)));
  } catch {
    return null;
  }
}

/** Reads every page of what is in use. Throws IndexDamaged at the first one that is not what was signed. */
export function verifyStore(store: AdvisoryStore): { index: AdvisoryIndex; pages: number } | null {
  const index = openStore(store);
  if (index === null) return null;
  const hashes = new Set([...index.manifest.ecosystems.flatMap(({ pages }) => pages), ...index.manifest.exploitation.pages]);
  for (const hash of hashes) readPageChecked(store, hash);
  return { index, pages: hashes.size };
}

function readPageChecked({ directory }: AdvisoryStore, hash: string): void {
  let page: Uint8Array;
  try {
    page = readFileSync(join(directory, "pages", hash));
  } catch {
    throw new IndexDamaged("page_missing", `page ${hash.slice(0, 16)} of the advisories is missing`);
  }
  if (sha256(page) !== hash) throw new IndexDamaged("page_changed", `page ${hash.slice(0, 16)} of the advisories was changed after it was signed`);
}

/** Builds grow; the next one has this number. */
export function nextSequence({ directory }: AdvisoryStore): number {
  return newestTaken(directory) + 1;
}

/** Signs an index with the installation's own key and takes it into use. What was in use before is kept beside it. */
export function installOwn(store: AdvisoryStore, compiled: Compiled): void {
  const key = ownKey(store.directory);
  if (!createPublicKey(key).equals(createPublicKey(trustedKey(store.directory)))) {
    throw new IndexDamaged("signature", "this installation takes advisories from a mirror alone: its key is pinned");
  }
  install(store, compiled, sign(null, compiled.manifest, createPrivateKey(key)));
}

/** Takes an index into use that is signed by the trusted key. Throws IndexDamaged for another signature, a changed page, or an older build. */
export function install({ directory }: AdvisoryStore, compiled: Compiled, signature: Uint8Array): void {
  checkSignature(compiled.manifest, signature, trustedKey(directory));
  const { sequence } = parseManifest(compiled.manifest);
  const newest = newestTaken(directory);
  if (sequence < newest)
    throw new IndexDamaged("rollback", `what was offered is build ${sequence}, and build ${newest} was taken before: an older one is never taken`);
  for (const part of ["pages", "indexes"]) mkdirSync(join(directory, part), { recursive: true });
  for (const [hash, page] of compiled.pages) if (!isThere(join(directory, "pages", hash), page.length)) writeDurably(join(directory, "pages", hash), page);
  writeDurably(join(directory, "indexes", `${compiled.id}.json`), compiled.manifest);
  writeDurably(join(directory, "indexes", `${compiled.id}.sig`), signature);
  writeDurably(join(directory, "trust", "newest"), String(sequence));
  writeDurably(join(directory, "current"), compiled.id);
  prune(directory);
}

/** Pins the key of a mirror: from now on only what it signs is taken. PEM, Ed25519. */
export function pinKey({ directory }: AdvisoryStore, publicKey: string): void {
  const key = createPublicKey(publicKey);
  if (key.asymmetricKeyType !== "ed25519") throw new IndexDamaged("signature", "the key to be trusted is no Ed25519 key");
  mkdirSync(join(directory, "trust"), { recursive: true });
  writeDurably(join(directory, "trust", "trusted.pem"), key.export({ type: "spki", format: "pem" }) as string);
}

/** Believes this installation's own builds again, and no mirror's. */
export function unpinKey(store: AdvisoryStore): void {
  pinKey(store, createPublicKey(ownKey(store.directory)).export({ type: "spki", format: "pem" }) as string);
}

/** The public key that signatures are checked with, PEM. Throws IndexDamaged where it is gone. */
export function trustedKey(directory: string): string {
  try {
    return readFileSync(join(directory, "trust", "trusted.pem"), "utf8");
  } catch {
    throw new IndexDamaged("signature", "the key that the advisories are signed with is missing from this installation");
  }
}

function ownKey(directory: string): string {
  const path = join(directory, "trust", "key.pem");
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const text = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  mkdirSync(join(directory, "trust"), { recursive: true });
  writeFileSync(path, text, { mode: 0o600, flag: "wx" });
  if (!isPinned(directory)) pinKey({ directory }, publicKey.export({ type: "spki", format: "pem" }) as string);
  return text;
}

function isPinned(directory: string): boolean {
  return existsSync(join(directory, "trust", "trusted.pem"));
}

function readId(directory: string): string | null {
  let id: string;
  try {
    id = readFileSync(join(directory, "current"), "utf8").trim();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
  if (!/^[0-9a-f]{64}$/.test(id)) throw new IndexDamaged("manifest", "the name of the advisories in use is none");
  return id;
}

function readIndex(directory: string, id: string): { manifest: Uint8Array; signature: Uint8Array } {
  try {
    const path = join(directory, "indexes", id);
    return { manifest: readFileSync(`${path}.json`), signature: readFileSync(`${path}.sig`) };
  } catch {
    throw new IndexDamaged("manifest", "the manifest of the advisories in use, or its signature, is missing");
  }
}

function newestTaken(directory: string): number {
  try {
    const text = readFileSync(join(directory, "trust", "newest"), "utf8").trim();
    return /^\d{1,15}$/.test(text) ? Number(text) : 0;
  } catch {
    return 0;
  }
}

function isThere(path: string, size: number): boolean {
  try {
    return statSync(path).size === size;
  } catch {
    return false;
  }
}

/** Whole or not at all, also when the power goes. */
function writeDurably(path: string, content: Uint8Array | string): void {
  const part = `${path}.${process.pid}.part`;
  const file = openSync(part, "w", 0o644);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
}

/** Keeps the index in use and the one before it, and the pages that these two name. */
function prune(directory: string): void {
  const indexes = listIndexes(directory);
  const kept = indexes.toSorted((a, b) => b.manifest.sequence - a.manifest.sequence).slice(0, KEPT);
  const names = new Set(kept.flatMap(({ manifest }) => [...manifest.ecosystems.flatMap(({ pages }) => pages), ...manifest.exploitation.pages]));
  for (const name of readdirSync(join(directory, "pages"))) if (!names.has(name)) rmSync(join(directory, "pages", name), { force: true });
  for (const { id } of indexes) {
    if (kept.some((each) => each.id === id)) continue;
    for (const ending of ["json", "sig"]) rmSync(join(directory, "indexes", `${id}.${ending}`), { force: true });
  }
}

function listIndexes(directory: string): { id: string; manifest: IndexManifest }[] {
  let names: string[];
  try {
    names = readdirSync(join(directory, "indexes"));
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    const id = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
    try {
      return id === undefined ? [] : [{ id, manifest: parseManifest(readFileSync(join(directory, "indexes", name))) }];
    } catch {
      return [];
    }
  });
}
