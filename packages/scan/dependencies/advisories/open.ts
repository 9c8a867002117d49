import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { z } from "zod";
import type { Advisory } from "./advisory.ts";
import { type Exploitation, findInPage, IndexDamaged, type IndexManifest, pageOf, sha256 } from "./index-format.ts";

/** What is known of vulnerable and malicious packages, as a value: look-ups read pages through the port that it was opened with. */
export interface AdvisoryIndex {
  /** sha256 of its manifest: equal ids say equal things. */
  readonly id: string;
  readonly manifest: IndexManifest;
  /** Advisories of a package, whatever its version. `name` as `ecosystemOf(…).name` spells it. Throws IndexDamaged. */
  find(ecosystem: string, name: string): readonly Advisory[];
  exploitation(cve: string): Exploitation | null;
  /** It cannot be believed: every look-up throws this. */
  readonly damage?: IndexDamaged;
}

/** What stands for an index that cannot be believed. */
export function damagedIndex(damage: IndexDamaged): AdvisoryIndex {
  const refuse = () => {
    throw damage;
  };
  const none = { pages: [], kev: 0, epss: 0 };
  const manifest: IndexManifest = {
    ...{ format: "plastron-advisories/1", built_at: new Date(0).toISOString(), sequence: 0, seed: false },
    ...{ sources: [], ecosystems: [], exploitation: none, refused: {} },
  };
  return { id: sha256(`damaged ${damage.reason}`), manifest, find: refuse, exploitation: refuse, damage };
}

/** Gives the bytes of a page by its sha256; throws where there is none. */
export type ReadPage = (hash: string) => Uint8Array;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const pagesSchema = z.array(hash).min(1).max(4096);
const manifestSchema = z.object({
  format: z.literal("plastron-advisories/1"),
  built_at: z.iso.datetime(),
  sequence: z.int().min(0),
  seed: z.boolean(),
  sources: z.array(
    z.object({ kind: z.enum(["osv", "ghsa", "kev", "epss", "seed"]), name: z.string().max(2000), documents: z.int(), newest: z.string().nullable() }),
  ),
  ecosystems: z.array(z.object({ name: z.string().max(100), packages: z.int(), advisories: z.int(), malicious: z.int(), pages: pagesSchema })),
  exploitation: z.object({ pages: pagesSchema, kev: z.int(), epss: z.int() }),
  refused: z.record(z.string(), z.int()),
});

/** Throws IndexDamaged where these bytes are no manifest. */
export function parseManifest(bytes: Uint8Array): IndexManifest {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new IndexDamaged("manifest", "the manifest of the advisories is not JSON");
  }
  const parsed = manifestSchema.safeParse(document);
  if (!parsed.success) throw new IndexDamaged("format", `the manifest of the advisories is not one: ${z.prettifyError(parsed.error).slice(0, 300)}`);
  return parsed.data;
}

/** Throws IndexDamaged where this key did not sign these bytes. The key is an Ed25519 public key, SPKI in PEM. */
export function checkSignature(manifest: Uint8Array, signature: Uint8Array, publicKey: string): void {
  let key: KeyObject;
  try {
    key = createPublicKey(publicKey);
  } catch {
    throw new IndexDamaged("signature", "the key that the advisories should be signed with is not readable");
  }
  if (key.asymmetricKeyType !== "ed25519" || !verify(null, manifest, key, signature)) {
    throw new IndexDamaged("signature", "the advisories are not signed by the key that this installation trusts");
  }
}

/** The manifest must have been checked; each page is checked against it when it is first read. */
export function openIndex(bytes: Uint8Array, readPage: ReadPage): AdvisoryIndex {
  const manifest = parseManifest(bytes);
  const read = new Map<string, Buffer>();
  const page = (name: string, pages: readonly string[]): Buffer => {
    const wanted = pages[pageOf(name, pages.length)] as string;
    const before = read.get(wanted);
    if (before) return before;
    const checked = checkedPage(wanted, readPage);
    read.set(wanted, checked);
    return checked;
  };
  const ecosystems = new Map(manifest.ecosystems.map((each) => [each.name, each.pages]));
  return {
    id: sha256(bytes),
    manifest,
    find(ecosystem, name) {
      const pages = ecosystems.get(ecosystem);
      const found = pages === undefined ? null : findInPage(page(name, pages), name);
      return found === null ? [] : (JSON.parse(found) as Advisory[]);
    },
    exploitation(cve) {
      const found = findInPage(page(cve, manifest.exploitation.pages), cve);
      return found === null ? null : (JSON.parse(found) as Exploitation);
    },
  };
}

function checkedPage(wanted: string, readPage: ReadPage): Buffer {
  let bytes: Uint8Array;
  try {
    bytes = readPage(wanted);
  } catch {
    throw new IndexDamaged("page_missing", `page ${wanted.slice(0, 16)} of the advisories is missing`);
  }
  if (sha256(bytes) !== wanted) throw new IndexDamaged("page_changed", `page ${wanted.slice(0, 16)} of the advisories was changed after it was signed`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
