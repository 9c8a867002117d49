/** A real tree to scan, fetched once by the machine's own npm and pip and kept beside the tools. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TOOLS = join(import.meta.dirname, "../../.tools/bench");

/** What the tree is made of: an assistant with skills, and a Python framework, at fixed versions. */
const OPENCLAW = "openclaw@2026.9.6";
const OPENCLAW_PARTS = ["skills", "custodian-skills", "scripts", "node_modules", "package.json", "README.md"];
const DJANGO = "django==5.2.3";

export interface Corpus {
  directory: string;
  holds: string[];
  files: number;
  bytes: number;
}

/** Throws with what the package client said where the tree cannot be fetched. Fetched whole or not at all: a half one is never kept. */
export function corpus(say: (what: string) => void): Corpus {
  const directory = join(TOOLS, "scan-corpus");
  if (!existsSync(directory)) fetchInto(directory, say);
  const sizes = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = sizes.reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  return { directory, holds: [`npm ${OPENCLAW}: ${OPENCLAW_PARTS.join(", ")}`, `PyPI ${DJANGO}`], files: sizes.length, bytes };
}

function fetchInto(directory: string, say: (what: string) => void): void {
  mkdirSync(TOOLS, { recursive: true });
  const work = mkdtempSync(join(TOOLS, "fetch-"));
  try {
    say(`fetching ${OPENCLAW}`);
    const quiet = { cwd: work, stdio: ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"] };
    execFileSync("npm", ["pack", "--silent", "--ignore-scripts", OPENCLAW], quiet);
    const tarball = readdirSync(work).find((name) => name.endsWith(".tgz")) as string;
    execFileSync("tar", ["xzf", tarball, ...OPENCLAW_PARTS.map((part) => `package/${part}`)], quiet);
    say(`fetching ${DJANGO}`);
    execFileSync("python3", ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", "wheels", DJANGO], quiet);
    const wheel = readdirSync(join(work, "wheels")).find((name) => name.endsWith(".whl")) as string;
    const made = join(work, "tree");
    cpSync(join(work, "package"), join(made, "openclaw"), { recursive: true });
    mkdirSync(join(made, "django"));
    execFileSync("python3", ["-m", "zipfile", "-e", join(work, "wheels", wheel), join(made, "django")], quiet);
    writeFileSync(join(made, "NOTE.txt"), "fetched for the bench of scanning\n");
    renameSync(made, directory);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A directory of npm packages that are peers, installed without their scripts; null where that failed. */
export function npmPeers(packages: readonly string[], say: (what: string) => void): string | null {
  const directory = join(TOOLS, "peers");
  const wanted = packages.toSorted().join(" ");
  const mark = join(directory, `installed-${wanted.replace(/[^\w.@-]+/g, "_").slice(0, 200)}`);
  if (existsSync(mark)) return directory;
  say("installing the peers");
  mkdirSync(directory, { recursive: true });
  try {
    writeFileSync(join(directory, "package.json"), "{}\n");
    execFileSync("npm", ["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", ...packages], { cwd: directory, stdio: "pipe" });
    writeFileSync(mark, "");
    return directory;
  } catch {
    return null;
  }
}
