import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import type { PackFiles } from "./pack.ts";

/**
 * A pack of rules as it travels: its files, and a DSSE envelope (https://github.com/secure-systems-lab/dsse) whose payload is the list of
 * their hashes. One JSON file, so that it is whole or it is not there.
 */
export const BUNDLE_FORMAT = "plastron-rules/1";
const PAYLOAD_TYPE = "application/vnd.plastron.rules+json";
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 5000;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const fileSchema = z.string().regex(/^(?!\/)(?!(?:.{0,200}\/)?\.{1,2}(?:\/|$))[A-Za-z0-9._/-]{1,200}\.ya?ml$/, "must be the relative path of a .yaml file");

export const manifestSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "must be lower-case words joined by -")
    .max(64),
  /** Counts up: who holds 7 takes no 6. */
  version: z.int().min(1),
  created: z.iso.datetime(),
  expires: z.iso.datetime(),
  files: z.record(fileSchema, sha256Schema),
});
export type Manifest = z.infer<typeof manifestSchema>;

const base64Schema = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "must be base64");
const bundleSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  envelope: z.strictObject({
    payloadType: z.literal(PAYLOAD_TYPE),
    payload: base64Schema,
    signatures: z
      .array(z.strictObject({ keyid: z.string().max(64), sig: base64Schema }))
      .min(1)
      .max(8),
  }),
  files: z.record(fileSchema, z.string()),
});

/** Whom a pack must be signed by, and what it must not be older than. */
export interface Trust {
  /** Public keys, as `publicKeyText` writes them. One good signature of one of them is enough. */
  readonly keys: readonly string[];
  /** The version that is held already; null for a pack that is new here. */
  readonly held: { readonly name: string; readonly version: number } | null;
  readonly now: Date;
}

/** A pack whose signature, hashes, version and date all hold. */
export interface TrustedPack {
  readonly manifest: Manifest;
  readonly files: PackFiles;
  readonly keyid: string;
}

/** Throws PlastronError untrusted_rules, which says what does not hold. Nothing of the bundle is believed before its signature is. */
export function openBundle(text: string, trust: Trust): TrustedPack {
  const bundle = parseBundle(text);
  const payload = Buffer.from(bundle.envelope.payload, "base64");
  const keyid = signerOf(payload, bundle.envelope.signatures, trust.keys);
  const manifest = parseManifest(payload);
  checkFiles(manifest, bundle.files);
  checkDate(manifest, trust.now);
  checkVersion(manifest, trust.held);
  return { manifest, files: new Map(Object.entries(bundle.files)), keyid };
}

/** Files → the bundle's text, signed. `privateKey` is PEM (PKCS #8, Ed25519). */
export function sealBundle(files: PackFiles, head: Omit<Manifest, "files">, privateKey: string): string {
  const key = privateKeyOf(privateKey);
  const hashes = Object.fromEntries([...files].map(([path, text]) => [path, sha256(text)]));
  const parsed = manifestSchema.safeParse({ ...head, files: hashes });
  if (!parsed.success) throw untrusted(`such a pack cannot be made: ${firstIssue(parsed.error)}`);
  const payload = Buffer.from(JSON.stringify(parsed.data));
  const sig = sign(null, preAuthenticated(payload), key).toString("base64");
  const envelope = { payloadType: PAYLOAD_TYPE, payload: payload.toString("base64"), signatures: [{ keyid: keyId(createPublicKey(key)), sig }] };
  return `${JSON.stringify({ format: BUNDLE_FORMAT, envelope, files: Object.fromEntries(files) }, null, 1)}\n`;
}

/** A fresh pair: the private key as PEM for its owner alone, the public one as those who trust it write it down. */
export function makeKeys(): { privateKey: string; publicKey: string; keyid: string } {
  const pair = generateKeyPairSync("ed25519");
  const privateKey = pair.privateKey.export({ format: "pem", type: "pkcs8" }) as string;
  return { privateKey, publicKey: publicKeyText(pair.publicKey), keyid: keyId(pair.publicKey) };
}

/** `ed25519:` and 32 bytes in base64url. */
function publicKeyText(key: KeyObject): string {
  return `ed25519:${(key.export({ format: "jwk" }) as { x: string }).x}`;
}

export function publicKeyOf(text: string): KeyObject {
  const x = /^ed25519:([A-Za-z0-9_-]{43})$/.exec(text.trim())?.[1];
  if (x === undefined)
    throw untrusted(`${JSON.stringify(text.slice(0, 80))} is no public key: ed25519: and 43 characters, as \`plastron rules keygen\` prints it`);
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/** The first 16 hexadecimal characters of the key's sha256: enough to tell keys apart, no proof of anything. */
export function keyId(key: KeyObject): string {
  return createHash("sha256").update(publicKeyText(key)).digest("hex").slice(0, 16);
}

function privateKeyOf(pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below; the library's words could hold parts of the key.
  }
  throw untrusted("this is no Ed25519 private key in PEM, as `plastron rules keygen` writes it");
}

/** PAE of DSSE v1: type and length stand before the payload, so that no other document of the same key can pass for one of these. */
function preAuthenticated(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]);
}

function signerOf(payload: Buffer, signatures: readonly { sig: string }[], keys: readonly string[]): string {
  const message = preAuthenticated(payload);
  for (const key of keys.map(publicKeyOf)) {
    // Every signature is tried with every key: an id is the sender's claim.
    if (signatures.some(({ sig }) => verify(null, message, key, Buffer.from(sig, "base64")))) return keyId(key);
  }
  throw untrusted(
    `it bears no signature of ${keys.length === 1 ? "the key that is trusted here" : `any of the ${keys.length} keys that are trusted here`} (wrong_key)`,
  );
}

function checkFiles({ files: hashes }: Manifest, files: Readonly<Record<string, string>>): void {
  const strange = Object.keys(files).find((path) => !Object.hasOwn(hashes, path));
  if (strange !== undefined) throw untrusted(`${JSON.stringify(strange)} is not in its signed list (tampered)`);
  for (const [path, hash] of Object.entries(hashes)) {
    if (!Object.hasOwn(files, path)) throw untrusted(`${JSON.stringify(path)} of its signed list is missing (tampered)`);
    if (sha256(files[path] as string) !== hash) throw untrusted(`${JSON.stringify(path)} is not what was signed (tampered)`);
  }
}

function checkDate({ created, expires }: Manifest, now: Date): void {
  if (new Date(expires) <= now) throw untrusted(`it was good until ${expires} (expired)`);
  // An hour for clocks that differ.
  if (new Date(created).getTime() > now.getTime() + 3_600_000) throw untrusted(`it was made at ${created}, which is not yet (not_yet_valid)`);
}

function checkVersion({ name, version }: Manifest, held: Trust["held"]): void {
  if (held === null) return;
  if (held.name !== name) throw untrusted(`it is ${JSON.stringify(name)}, and ${JSON.stringify(held.name)} was to be updated (wrong_name)`);
  if (version < held.version) throw untrusted(`it is version ${version}, and version ${held.version} is held already (downgrade)`);
}

function parseBundle(text: string): z.infer<typeof bundleSchema> {
  if (Buffer.byteLength(text) > MAX_BUNDLE_BYTES) throw untrusted(`it is larger than ${MAX_BUNDLE_BYTES} bytes (too_large)`);
  const parsed = bundleSchema.safeParse(jsonOf(text, "it is no JSON (malformed)"));
  if (!parsed.success) throw untrusted(`it is no rule pack: ${firstIssue(parsed.error)} (malformed)`);
  if (Object.keys(parsed.data.files).length > MAX_FILES) throw untrusted(`it has more than ${MAX_FILES} files (too_large)`);
  return parsed.data;
}

function parseManifest(payload: Buffer): Manifest {
  const parsed = manifestSchema.safeParse(jsonOf(payload.toString("utf8"), "its signed list is no JSON (malformed)"));
  if (!parsed.success) throw untrusted(`its signed list is not valid: ${firstIssue(parsed.error)} (malformed)`);
  return parsed.data;
}

function jsonOf(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw untrusted(otherwise);
  }
}

function firstIssue({ issues }: z.ZodError): string {
  const [issue] = issues;
  return `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "not valid"}`.slice(0, 300);
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const untrusted = (why: string): PlastronError => new PlastronError("untrusted_rules", why);
