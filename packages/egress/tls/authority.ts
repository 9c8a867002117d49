import { constants, createPrivateKey, generateKeyPairSync, type KeyObject, privateEncrypt, randomBytes } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateAuthority } from "@plastron/contracts";
import forge from "node-forge";

const DAY_MS = 86_400_000;
const KEPT = 1000;
const NAME = [{ name: "commonName", value: "Plastron egress" }];

/**
 * Certifies names to sandboxes whose policy has their TLS ended. Made for one agent's life and held in memory only; a sandbox
 * trusts it only where its policy names such domains.
 */
export class Authority {
  readonly pem: CertificateAuthority;
  readonly #key: KeyObject;
  readonly #issuer: forge.pki.Certificate;
  /** One key for all leaves: who could read one of them could read this process. */
  readonly #leaf = newKey();
  readonly #contexts = new Map<string, SecureContext>();

  constructor(known: CertificateAuthority | null) {
    this.pem = known ?? newAuthority();
    this.#key = createPrivateKey(this.pem.key);
    this.#issuer = forge.pki.certificateFromPem(this.pem.certificate);
  }

  contextOf(name: string): SecureContext {
    const known = this.#contexts.get(name);
    if (known) return known;
    if (this.#contexts.size >= KEPT) this.#contexts.clear();
    const context = createSecureContext({ key: this.#leaf.privateKey, cert: this.#certify(name), minVersion: "TLSv1.2" });
    this.#contexts.set(name, context);
    return context;
  }

  #certify(name: string): string {
    const leaf = certificate(this.#leaf.publicKey, 30);
    leaf.setSubject([]);
    leaf.setExtensions([
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", critical: true, altNames: [{ type: 2, value: name }] },
      ...keyIds(this.#issuer),
    ]);
    leaf.sign(signer(this.#key), forge.md.sha256.create());
    return forge.pki.certificateToPem(leaf);
  }
}

function keyIds(issuer: forge.pki.Certificate): object[] {
  return [{ name: "subjectKeyIdentifier" }, { name: "authorityKeyIdentifier", keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() }];
}

/** DigestInfo of SHA-256 up to the digest (RFC 8017, 9.2, note 1). */
const SHA256_INFO = Buffer.from("3031300d060960864801650304020105000420", "hex");

/**
 * RSASSA-PKCS1-v1_5 by OpenSSL. forge's own takes twenty times as long, for which all other connections wait: a program could ask
 * for names without end below one that is ended.
 */
function signer(key: KeyObject): forge.pki.rsa.PrivateKey {
  const sign = (md: forge.md.MessageDigest) => {
    const info = Buffer.concat([SHA256_INFO, Buffer.from(md.digest().getBytes(), "binary")]);
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info).toString("binary");
  };
  return { sign } as unknown as forge.pki.rsa.PrivateKey;
}

function newKey(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
}

function newAuthority(): CertificateAuthority {
  const { publicKey, privateKey } = newKey();
  const root = certificate(publicKey, 3650);
  root.setSubject(NAME);
  root.setExtensions([
    { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
    { name: "keyUsage", keyCertSign: true, critical: true },
    { name: "subjectKeyIdentifier" },
  ]);
  root.sign(signer(createPrivateKey(privateKey)), forge.md.sha256.create());
  return { certificate: forge.pki.certificateToPem(root), key: privateKey };
}

/** Positive, and without zeros in front: of two of them forge takes one away, and OpenSSL refuses the other, once in 512 names. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] as number) & 0x3f);
  return bytes.toString("hex");
}

/** From yesterday on: clocks differ. */
function certificate(publicKey: string, days: number): forge.pki.Certificate {
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicKey);
  made.serialNumber = newSerial();
  made.validity.notBefore = new Date(Date.now() - DAY_MS);
  made.validity.notAfter = new Date(Date.now() + days * DAY_MS);
  made.setIssuer(NAME);
  return made;
}
