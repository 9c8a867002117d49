import { lstat, readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Compiler, type Exploitation, type IndexSource } from "../../dependencies/index.ts";
import { parseEpss, parseKev } from "./exploitation.ts";
import { withDownload, withoutCredentials } from "./fetch.ts";
import { jsonMembers } from "./zip.ts";

/** Where advisories come from when nobody says otherwise: third parties' public data, fetched by `plastron advisories update` alone. */
export const DEFAULT_SOURCES: readonly string[] = [
  ...["npm", "PyPI", "crates.io", "Go", "Maven", "RubyGems", "NuGet", "Packagist"].map(
    (name) => `https://osv-vulnerabilities.storage.googleapis.com/${name}/all.zip`,
  ),
  "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
  "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
];

/** All that was read, not yet signed. */
export interface Gathered {
  readonly compiler: Compiler;
  readonly exploitation: ReadonlyMap<string, Exploitation>;
  readonly sources: readonly IndexSource[];
}

const MOST_TEXT = 512 * 2 ** 20;

/**
 * Reads files, folders and addresses: OSV's zip files, folders of OSV documents (such as GitHub's advisory-database), single documents or lists
 * of them, CISA's catalogue of what is exploited, EPSS scores. What each is, is told by its content. Throws where one of them cannot be read or
 * says nothing: an index that lacks what was asked for is not made.
 */
export async function gather(from: readonly string[], onSource: (name: string) => void = () => {}): Promise<Gathered> {
  const gathering: Gathering = { compiler: new Compiler(), exploitation: new Map(), sources: [] };
  for (const each of from) {
    const name = withoutCredentials(each);
    onSource(name);
    try {
      const read = /^https?:\/\//i.test(each) ? await withDownload(each, (path) => readPath(path, gathering)) : await readPath(each, gathering);
      if (read.documents === 0) throw new Error("it holds no advisory, no list of what is exploited and no EPSS scores");
      gathering.sources.push({ ...read, name });
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  }
  return gathering;
}

interface Gathering {
  readonly compiler: Compiler;
  readonly exploitation: Map<string, Exploitation>;
  readonly sources: IndexSource[];
}
type Read = Omit<IndexSource, "name">;

async function readPath(path: string, gathering: Gathering): Promise<Read> {
  const about = await lstat(path);
  if (about.isDirectory()) return readFolder(path, gathering);
  if (!about.isFile()) throw new Error("it is neither a file nor a folder");
  if (path.endsWith(".zip")) {
    let read = EMPTY;
    for await (const text of jsonMembers(path)) read = add(read, readDocument(JSON.parse(text), gathering));
    return read;
  }
  if (about.size > MOST_TEXT) throw new Error(`it has more than ${MOST_TEXT} bytes`);
  const bytes = await readFile(path);
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? await promisify(gunzip)(bytes, { maxOutputLength: MOST_TEXT }) : bytes;
  const text = plain.toString("utf8");
  if (!/^\s*[[{]/.test(text.slice(0, 1000))) return { ...EMPTY, kind: "epss", documents: note(gathering, parseEpss(text)) };
  return readDocument(JSON.parse(text), gathering);
}

const EMPTY: Read = { kind: "osv", documents: 0, newest: null };

/** Links are not followed: a checkout of somebody's repository names files of its own. */
async function readFolder(path: string, gathering: Gathering): Promise<Read> {
  let read = EMPTY;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith(".")) read = add(read, await readFolder(at, gathering));
    else if (entry.isFile() && entry.name.endsWith(".json")) read = add(read, readDocument(await parsed(at), gathering));
  }
  return basename(path) === "advisories" && read.documents > 0 ? { ...read, kind: "ghsa" } : read;
}

async function parsed(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new Error(`${basename(path)} is not JSON: ${(error as Error).message.slice(0, 100)}`);
  }
}

function readDocument(document: unknown, gathering: Gathering): Read {
  const kev = parseKev(document);
  if (kev !== null) return { kind: "kev", documents: note(gathering, kev.scores), newest: kev.released };
  const documents = Array.isArray(document) ? document : [document];
  let newest: string | null = null;
  let count = 0;
  for (const each of documents) {
    if (!isAdvisory(each)) continue;
    gathering.compiler.add(each);
    count++;
    const modified = String(each.modified ?? "");
    if (/^\d{4}-/.test(modified) && modified > (newest ?? "")) newest = modified.slice(0, 40);
  }
  return { kind: "osv", documents: count, newest };
}

function isAdvisory(value: unknown): value is { id: string; modified?: unknown } {
  return typeof value === "object" && value !== null && typeof (value as { id?: unknown }).id === "string" && "affected" in value;
}

function note(gathering: Gathering, scores: ReadonlyMap<string, Exploitation>): number {
  for (const [cve, said] of scores) gathering.exploitation.set(cve, { ...gathering.exploitation.get(cve), ...said });
  return scores.size;
}

function add(a: Read, b: Read): Read {
  const newest = (a.newest ?? "") > (b.newest ?? "") ? a.newest : b.newest;
  return { kind: a.documents === 0 ? b.kind : a.kind, documents: a.documents + b.documents, newest };
}
