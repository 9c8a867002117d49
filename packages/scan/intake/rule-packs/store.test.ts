import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { makeKeys, sealBundle } from "../../rules/index.ts";
import { listPacks, openNew, type PackEntry, packFolders, packNamed, putPack, removePack } from "./index.ts";

const keys = makeKeys();
const may = new Date("2026-05-01T00:00:00Z");
const seal = (version: number, text = "id: x\n") =>
  sealBundle(new Map([["code/python/x.yaml", text]]), { name: "acme", version, created: may.toISOString(), expires: "2026-06-01T00:00:00Z" }, keys.privateKey);
const entry = (bundle: string): PackEntry => ({ kind: "bundle", name: "acme", source: "http://x/", keys: [keys.publicKey], bundle });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "plastron-packs-"));
  return () => rmSync(directory, { recursive: true });
});

test("a pack is good until its day, and named where it is not", () => {
  putPack(directory, entry(seal(1)));
  const [folder] = packFolders(directory, may);
  expect(readFileSync(join(folder as string, "code/python/x.yaml"), "utf8")).toBe("id: x\n");
  expect(() => packFolders(directory, new Date("2026-06-02T00:00:00Z"))).toThrow(
    expect.objectContaining({ code: "untrusted_rules", message: expect.stringMatching(/pack acme is not used: .*expired/) }),
  );
});

test("a new version takes the old one's place, in folders as well", () => {
  putPack(directory, entry(seal(1)));
  packFolders(directory, may);
  putPack(directory, entry(seal(2, "id: y\n")));
  expect(packFolders(directory, may)).toHaveLength(1);
  expect(readdirSync(join(directory, "folders"))).toHaveLength(1);
  expect(readdirSync(join(directory, "packs"))).toEqual(["acme.json"]);
});

test("an older version, or another pack's, is no update", () => {
  putPack(directory, entry(seal(5)));
  const held = packNamed(directory, "acme");
  expect(openNew(seal(5), [keys.publicKey], held, may).manifest.version).toBe(5);
  expect(() => openNew(seal(4), [keys.publicKey], held, may)).toThrow(/downgrade/);
});

test("a damaged entry is told with its file; a strange name reaches no other file", () => {
  putPack(directory, entry(seal(1)));
  writeFileSync(join(directory, "packs/acme.json"), "{");
  expect(() => listPacks(directory)).toThrow(/acme\.json is damaged/);
  expect(() => putPack(directory, { ...entry(""), name: "../../x" })).toThrow();
  rmSync(join(directory, "packs/acme.json"));
  expect(removePack(directory, "../packs")).toBe(false);
});
