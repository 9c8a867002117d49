import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import { openBundle, type PackFiles, packVersion, type TrustedPack } from "../../rules/index.ts";
import { readRuleFolder } from "./folder.ts";

/**
 * Which packs of rules an installation has beside its own:
 *
 *     packs/NAME.json     where it came from, by whose keys it is believed, and the bundle itself as it was signed
 *     folders/NAME-ID/    the same, unpacked, for the analysers to read; ID is of its content
 *
 * A pack is one file that a rename replaces: it is the old one or the new one, and where the new one is refused the old one stays.
 */
const nameSchema = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/);
const entrySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bundle"), name: nameSchema, source: z.string(), keys: z.array(z.string()).min(1), bundle: z.string() }),
  z.strictObject({ kind: z.literal("folder"), name: nameSchema, source: z.string() }),
]);
export type PackEntry = z.infer<typeof entrySchema>;

export function listPacks(directory: string): PackEntry[] {
  const folder = join(directory, "packs");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((file) => readEntry(join(folder, file)));
}

export function packNamed(directory: string, name: string): PackEntry | null {
  return listPacks(directory).find((entry) => entry.name === name) ?? null;
}

/** Whole or not at all. */
export function putPack(directory: string, entry: PackEntry): void {
  const path = join(directory, "packs", `${nameSchema.parse(entry.name)}.json`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify(entry, null, 1)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(fresh, path);
}

export function removePack(directory: string, name: string): boolean {
  const entry = packNamed(directory, name);
  if (!entry) return false;
  rmSync(join(directory, "packs", `${entry.name}.json`));
  for (const folder of foldersOf(directory, entry.name)) rmSync(folder, { recursive: true, force: true });
  return true;
}

/** A new bundle for a pack: held against its keys and against the version that is there. Throws untrusted_rules, and changes nothing. */
export function openNew(bundle: string, keys: readonly string[], before: PackEntry | null, now: Date): TrustedPack {
  const held = before?.kind === "bundle" ? heldBy(before) : null;
  return openBundle(bundle, { keys, held, now });
}

/**
 * The folders of all packs, for a scan to read. Each bundle is checked anew: somebody may have written there since, and packs expire.
 * Throws untrusted_rules with the pack's name: a scan without rules that it should have had is not the scan that was asked for.
 */
export function packFolders(directory: string, now: Date): string[] {
  return listPacks(directory).map((entry) => {
    if (entry.kind === "folder") return entry.source;
    const pack = named(entry.name, () => openBundle(entry.bundle, { keys: entry.keys, held: null, now }));
    return unpacked(directory, entry.name, pack.files);
  });
}

function unpacked(directory: string, name: string, files: PackFiles): string {
  const version = packVersion(files);
  const folder = join(directory, "folders", `${name}-${version.slice(0, 16)}`);
  if (existsSync(folder) && packVersion(readRuleFolder(folder)) === version) return folder;
  mkdirSync(join(directory, "folders"), { recursive: true, mode: 0o755 });
  const fresh = mkdtempSync(join(directory, "folders", ".new-"));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(fresh, path)), { recursive: true });
    writeFileSync(join(fresh, path), text);
  }
  for (const old of foldersOf(directory, name)) rmSync(old, { recursive: true, force: true });
  renameSync(fresh, folder);
  return folder;
}

function foldersOf(directory: string, name: string): string[] {
  const folder = join(directory, "folders");
  const own = new RegExp(`^${name}-[0-9a-f]{16}$`);
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((each) => own.test(each))
        .map((each) => join(folder, each))
    : [];
}

/** What the manifest of the bundle that is held says; its signature was checked when it came in. */
function heldBy({ bundle, name }: Extract<PackEntry, { kind: "bundle" }>): { name: string; version: number } {
  return named(name, () => {
    const { envelope } = JSON.parse(bundle) as { envelope: { payload: string } };
    const { name, version } = JSON.parse(Buffer.from(envelope.payload, "base64").toString("utf8")) as { name: string; version: number };
    return { name, version };
  });
}

function readEntry(path: string): PackEntry {
  try {
    return entrySchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new PlastronError("untrusted_rules", `${path} is damaged (malformed)`, { hint: "Remove the file, and add the pack again.", cause: error });
  }
}

function named<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PlastronError("untrusted_rules", `The rule pack ${name} is not used: ${why}`, {
      hint: `\`plastron rules update ${name}\` fetches it anew; \`plastron rules remove ${name}\` does without it.`,
      cause: error,
    });
  }
}
