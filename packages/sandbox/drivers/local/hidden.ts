import { execFile } from "node:child_process";
import { lstatSync } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { promisify } from "node:util";
import { type Confinement, globMatches } from "@plastron/contracts";

const run = promisify(execFile);

/** In front of a path that only loses its execution: it stays readable. */
export const READABLE = "noexec:";

/** All that a confinement puts over files: what is hidden, and (after READABLE) what stays readable but cannot be executed. */
export async function resolveHidden(confinement: Confinement, usr: string): Promise<string[]> {
  const hidden = await resolvePaths(confinement, usr);
  if (confinement.unexecutable.length === 0) return hidden;
  const readable = await resolvePaths({ hidden: confinement.unexecutable, forbidden_programs: [] }, usr);
  return [...hidden, ...readable.filter((path) => !hidden.includes(path)).map((path) => READABLE + path)];
}

/**
 * The paths to mask, from a confinement's `hidden` and `forbidden_programs`: absolute paths as they are; globs (contracts/glob.ts)
 * and program names are looked up in the root's trees once. Both a link and what it leads to are masked: of a program with many
 * names (busybox) that hides all of them. So are other names of the same file (hard links).
 */
async function resolvePaths(confinement: Pick<Confinement, "hidden" | "forbidden_programs">, usr: string): Promise<string[]> {
  const globs = [...confinement.hidden.filter(isGlob), ...confinement.forbidden_programs.map((name) => `/**/${name}`)].filter(
    (glob) => !glob.startsWith("/proc/"),
  );
  const found = new Set(confinement.hidden.filter((path) => !isGlob(path)));
  if (globs.length === 0 && !(await haveOtherNames([...found], usr))) return [...found].sort();
  const candidates = [...(await Promise.all(trees(usr).map((tree) => walk(tree, globs)))).flat(), ...SINGLE];
  for (const { path } of candidates) {
    if (!globs.some((glob) => names(glob, path))) continue;
    found.add(path);
    if (!path.startsWith("/usr/")) continue;
    const target = await realpath(usr + path.slice("/usr".length)).catch(() => path);
    if (target.startsWith(`${usr}/`)) found.add(`/usr${target.slice(usr.length)}`);
  }
  const files = new Set(candidates.filter(({ path, linked }) => linked && found.has(path)).map(({ inode }) => inode));
  for (const { path, linked, inode } of candidates) if (linked && files.has(inode)) found.add(path);
  return [...found].sort();
}

const isGlob = (path: string): boolean => /[*?[]/.test(path);

/** Most globs begin with what most paths do not. */
const names = (glob: string, path: string): boolean => path.startsWith(glob.slice(0, glob.search(/[*?[]/))) && globMatches(glob, path);

async function haveOtherNames(paths: string[], usr: string): Promise<boolean> {
  const files = paths.filter((path) => path.startsWith("/usr/")).map((path) => usr + path.slice("/usr".length));
  const infos = await Promise.all(files.map((file) => lstat(file).catch(() => undefined)));
  return infos.some((info) => info?.isFile() && info.nlink > 1);
}

interface Candidate {
  /** Inside the sandbox. */
  path: string;
  inode: string;
  /** A file with more than one name. */
  linked: boolean;
}

interface Tree {
  host: string;
  inside: string;
}

/** What of the root can be executed (root.ts): /usr, and what still lies beside it on hosts that have not merged the two. */
function trees(usr: string): Tree[] {
  const beside = ["/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"].filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory());
  return [{ host: usr, inside: "/usr" }, ...beside.map((path) => ({ host: path, inside: path }))];
}

/** Files of the platform's own that can be executed. */
const SINGLE: readonly Candidate[] = [{ path: "/opt/plastron/node/bin/node", inode: "", linked: false }];

/** In one tree: files and links whose own name fits one of the globs, and every file that has more than one name. One walk. */
async function walk({ host, inside }: Tree, globs: string[]): Promise<Candidate[]> {
  const wanted = [...new Set(globs.map(lastName))].flatMap((name) => ["-o", "-name", name]);
  const linked = ["(", "-type", "f", "-links", "+1", ")"];
  // File systems that are mounted below it are in the sandbox too: no -xdev.
  const { stdout } = await run("find", [host, "(", ...linked, ...wanted, ")", "-printf", "%D:%i %y %n %p\\0"], { maxBuffer: 64 * 1024 * 1024 });
  return stdout
    .split("\0")
    .filter(Boolean)
    .map((line) => {
      const [, inode = "", type, links, path = ""] = /^(\d+:\d+) (.) (\d+) (.*)$/s.exec(line) ?? [];
      return { path: `${inside}${path.slice(host.length)}`, inode, linked: type === "f" && Number(links) > 1 };
    });
}

/** What find's -name can say of the last name of a glob, and never less than it means: sets are fnmatch's own, `**` may hold a slash. */
function lastName(glob: string): string {
  const name = glob.slice(glob.lastIndexOf("/") + 1);
  if (/[[\\]/.test(glob)) return "*";
  return name.includes("**") ? `*${name.slice(name.lastIndexOf("**") + 2)}` : name;
}
