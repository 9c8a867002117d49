import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import {
  fetchBundle,
  listPacks,
  makeKeys,
  openNew,
  type PackEntry,
  packFolders,
  packNamed,
  publicKeyOf,
  putPack,
  readRuleFolder,
  removePack,
  sealBundle,
  tryPack,
} from "@plastron/scan";
import { usage } from "../failure.ts";
import { rulesDirectory } from "../rules/home.ts";
import { line, type Terminal } from "../terminal/terminal.ts";

/** Folders of the packs that are added here, each checked anew. Throws untrusted_rules with the pack's name. */
export function withPacks(home: string | undefined): { name: string; folder: string }[] {
  const directory = rulesDirectory(home);
  const names = listPacks(directory).map(({ name }) => name);
  return packFolders(directory, new Date()).map((folder, i) => ({ name: names[i] as string, folder }));
}

export interface AddFlags {
  home?: string;
  key: string[];
  name?: string;
}

/** Adds a pack: a folder, which is read at each scan as it is then, or a bundle from a file or an address, which needs the author's key. */
export async function addPack(source: string, flags: AddFlags, terminal: Terminal): Promise<number> {
  const directory = rulesDirectory(flags.home);
  if (!isAddress(source) && existsSync(source) && statSync(source).isDirectory()) return addFolder(directory, source, flags, terminal);
  if (flags.key.length === 0) throw usage("a pack from elsewhere needs --key", "Ask its author for his public key, by another way than the pack came.");
  for (const key of flags.key) publicKeyOf(key);
  const text = await bundleAt(source);
  const { manifest, files, keyid } = openNew(text, flags.key, null, new Date());
  const before = packNamed(directory, manifest.name);
  if (before) throw usage(`a pack ${manifest.name} is there already`, `\`plastron rules update ${manifest.name}\`, or remove it first.`);
  refuseBroken(manifest.name, files);
  putPack(directory, { kind: "bundle", name: manifest.name, source: isAddress(source) ? source : resolve(source), keys: flags.key, bundle: text });
  line(terminal.out, `${manifest.name} version ${manifest.version}: ${files.size} files, signed by ${keyid}, good until ${manifest.expires.slice(0, 10)}`);
  return 0;
}

function addFolder(directory: string, source: string, flags: AddFlags, terminal: Terminal): number {
  const name =
    flags.name ??
    basename(resolve(source))
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "");
  if (packNamed(directory, name)) throw usage(`a pack ${name} is there already`, "Give another name with --name, or remove it first.");
  const files = readRuleFolder(resolve(source));
  refuseBroken(name, files);
  putPack(directory, { kind: "folder", name, source: resolve(source) });
  line(terminal.out, `${name}: ${files.size} files of ${resolve(source)}, read at each scan as they are then`);
  return 0;
}

/** Signed is not yet right: a rule that is not valid would end every scan. */
function refuseBroken(name: string, files: ReadonlyMap<string, string>): void {
  const { faults, trials } = tryPack(name, files, { models: [], clock: () => 0 });
  const [fault] = faults;
  if (fault) throw usage(`the pack ${name} is not valid: ${fault.file}: ${fault.message}`, "`plastron rules test` shows all that is wrong.");
  if (trials.length === 0) throw usage(`the pack ${name} has no rules`, "Rules lie below code/.");
}

/** Fetches packs anew. Where one is refused the old one stays, and the exit code is 1. */
export async function updatePacks(name: string | undefined, flags: { home?: string }, terminal: Terminal): Promise<number> {
  const directory = rulesDirectory(flags.home);
  const wanted = listPacks(directory).filter((entry) => name === undefined || entry.name === name);
  if (wanted.length === 0 && name !== undefined) throw usage(`there is no pack ${name}`, "`plastron rules packs` lists them.");
  let failed = 0;
  for (const entry of wanted) {
    try {
      line(terminal.out, `${entry.name}: ${await updated(directory, entry)}`);
    } catch (error) {
      failed++;
      line(terminal.err, `${terminal.paintErr("red", "refused")} ${entry.name}: ${(error as Error).message}. What was there stays in use.`);
    }
  }
  return failed > 0 ? 1 : 0;
}

async function updated(directory: string, entry: PackEntry): Promise<string> {
  if (entry.kind === "folder") return "a folder, read at each scan";
  const text = await bundleAt(entry.source);
  const { manifest, files } = openNew(text, entry.keys, entry, new Date());
  if (text === entry.bundle) return `version ${manifest.version}, as before`;
  refuseBroken(entry.name, files);
  putPack(directory, { ...entry, bundle: text });
  return `version ${manifest.version}, good until ${manifest.expires.slice(0, 10)}`;
}

export async function removePacks(name: string, flags: { home?: string }, terminal: Terminal): Promise<number> {
  if (!removePack(rulesDirectory(flags.home), name)) throw usage(`there is no pack ${name}`, "`plastron rules packs` lists them.");
  line(terminal.out, `${name} is removed`);
  return 0;
}

export async function showPacks(flags: { home?: string }, terminal: Terminal): Promise<number> {
  for (const entry of listPacks(rulesDirectory(flags.home))) line(terminal.out, `${entry.name}  ${entry.kind}  ${entry.source}`);
  return 0;
}

/** Makes an author's pair of keys: the private one into a file of his alone, the public one to be given away. */
export async function makeKey(flags: { output: string }, terminal: Terminal): Promise<number> {
  if (existsSync(flags.output)) throw usage(`${flags.output} is there already`, "A key is not overwritten: choose another file.");
  const { privateKey, publicKey, keyid } = makeKeys();
  writeFileSync(flags.output, privateKey, { mode: 0o600, flag: "wx" });
  line(terminal.out, publicKey);
  line(terminal.err, `The private key is in ${flags.output}; its id is ${keyid}. Whoever adds your packs needs the line above.`);
  return 0;
}

export interface SignFlags {
  key: string;
  name: string;
  version: number;
  days: number;
  output: string;
}

/** Tries a folder of rules and seals it. */
export async function signPack(source: string, flags: SignFlags, terminal: Terminal): Promise<number> {
  const files = readRuleFolder(resolve(source));
  refuseBroken(flags.name, files);
  const now = new Date();
  const head = {
    name: flags.name,
    version: flags.version,
    created: now.toISOString(),
    expires: new Date(now.getTime() + flags.days * 86_400_000).toISOString(),
  };
  const sealed = sealBundle(files, head, readKey(flags.key));
  writeFileSync(flags.output, sealed);
  line(terminal.out, `${flags.output}: ${flags.name} version ${flags.version}, ${files.size} files, good until ${head.expires.slice(0, 10)}`);
  return 0;
}

function readKey(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw usage(`${path} cannot be read`, "Give the private key that `plastron rules keygen` wrote.");
  }
}

const isAddress = (source: string): boolean => /^https?:\/\//.test(source);

async function bundleAt(source: string): Promise<string> {
  if (isAddress(source)) return await fetchBundle(source);
  try {
    return readFileSync(source, "utf8");
  } catch {
    throw usage(`${source} cannot be read`, "Give a folder, a file that `plastron rules sign` wrote, or its address.");
  }
}
