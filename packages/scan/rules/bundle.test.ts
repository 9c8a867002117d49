import { describe, expect, test } from "vitest";
import { makeKeys, openBundle, sealBundle } from "./bundle.ts";

const now = new Date("2026-06-01T00:00:00Z");
const head = { name: "acme", version: 7, created: "2026-05-01T00:00:00Z", expires: "2026-12-01T00:00:00Z" };
const files = new Map([
  ["code/x/a.yaml", "id: a\n"],
  ["code/x/b.yaml", "id: b\n"],
]);
const author = makeKeys();
const stranger = makeKeys();
const trust = { keys: [author.publicKey], held: null, now };
const sealed = sealBundle(files, head, author.privateKey);

/** The bundle after someone on its way has changed it. */
const changed = (
  change: (bundle: { envelope: { payload: string; payloadType: string; signatures: { keyid: string; sig: string }[] }; files: Record<string, string> }) => void,
): string => {
  const bundle = JSON.parse(sealed);
  change(bundle);
  return JSON.stringify(bundle);
};
const payloadWith = (more: object) => (bundle: { envelope: { payload: string } }) => {
  const payload = JSON.parse(Buffer.from(bundle.envelope.payload, "base64").toString());
  bundle.envelope.payload = Buffer.from(JSON.stringify({ ...payload, ...more })).toString("base64");
};

describe("a bundle", () => {
  test("gives what was sealed, to who trusts its author", () => {
    expect(openBundle(sealed, trust)).toEqual({ manifest: expect.objectContaining(head), files, keyid: author.keyid });
    expect(openBundle(sealed, { ...trust, keys: [stranger.publicKey, author.publicKey] }).keyid).toBe(author.keyid);
  });

  test.each<[string, string, RegExp]>([
    ["a file was changed", changed(({ files }) => (files["code/x/a.yaml"] = "id: evil\n")), /tampered/],
    ["a file was added", changed(({ files }) => (files["code/x/c.yaml"] = "")), /tampered/],
    ["a file was taken away", changed(({ files }) => delete files["code/x/a.yaml"]), /tampered/],
    ["its list was changed", changed(payloadWith({ version: 8 })), /wrong_key/],
    ["its life was made longer", changed(payloadWith({ expires: "2099-01-01T00:00:00Z" })), /wrong_key/],
    ["its signature is another's", sealBundle(files, head, stranger.privateKey), /wrong_key/],
    [
      "another's signature claims the key's id",
      changed(
        (bundle) =>
          (bundle.envelope.signatures = [{ keyid: author.keyid, sig: JSON.parse(sealBundle(files, head, stranger.privateKey)).envelope.signatures[0].sig }]),
      ),
      /wrong_key/,
    ],
    ["it has expired", sealBundle(files, { ...head, expires: "2026-05-31T23:59:59Z" }, author.privateKey), /expired/],
    ["it comes from the future", sealBundle(files, { ...head, created: "2026-07-01T00:00:00Z" }, author.privateKey), /not_yet_valid/],
    ["it is no JSON", sealed.slice(1), /malformed/],
    ["it is of another type", changed((bundle) => (bundle.envelope.payloadType = "application/json")), /malformed/],
    ["it names a path outside", changed(({ files }) => (files["../../x.yaml"] = "")), /malformed/],
    ["it is huge", `${sealed}${" ".repeat(17 * 1024 * 1024)}`, /too_large/],
  ])("is refused when %s", (_, text, why) => {
    expect(() => openBundle(text, trust)).toThrow(expect.objectContaining({ code: "untrusted_rules", message: expect.stringMatching(why) }));
  });

  test("never goes back, nor becomes another pack", () => {
    expect(openBundle(sealed, { ...trust, held: { name: "acme", version: 7 } }).manifest.version).toBe(7);
    expect(() => openBundle(sealed, { ...trust, held: { name: "acme", version: 8 } })).toThrow(/downgrade/);
    expect(() => openBundle(sealed, { ...trust, held: { name: "other", version: 1 } })).toThrow(/wrong_name/);
  });

  test("trusts nobody where no key is given, and no key of another kind", () => {
    expect(() => openBundle(sealed, { ...trust, keys: [] })).toThrow(/wrong_key/);
    expect(() => openBundle(sealed, { ...trust, keys: ["ed25519:AAAA"] })).toThrow(/no public key/);
    expect(() => sealBundle(files, head, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")).toThrow(/no Ed25519 private key/);
  });

  test("cannot be sealed with paths that could not be opened", () => {
    expect(() => sealBundle(new Map([["../a.yaml", ""]]), head, author.privateKey)).toThrow(/cannot be made: files/);
  });
});
