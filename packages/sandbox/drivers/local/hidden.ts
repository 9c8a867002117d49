import { execFile } from "node:child_process";
import { lstat, realpath } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Confinement } from "@plastron/contracts";

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
 * The paths to mask, from a confinement's `hidden` and `forbidden_programs`: absolute paths as they are; globs (one `*` in a
 * name, or `/**\/`) and program names are looked up below the root once. Both a link and what it leads to are masked: of a
 * program with many names (busybox) that hides all of them. So are other names of the same file (hard links).
 */
async function resolvePaths(confinement: Pick<Confinement, "hidden" | "forbidden_programs">, usr: string): Promise<string[]> {
  const globs = [...confinement.hidden.filter((path) => path.includes("*")), ...confinement.forbidden_programs.map((name) => `/**/${name}`)];
  const found = new Set(confinement.hidden.filter((path) => !path.includes("*")));
  const patterns = globs.filter((glob) => !glob.startsWith("/proc/")).map(globPattern);
  if (patterns.length === 0 && !(await haveOtherNames([...found], usr))) return [...found].sort();
  const candidates = await walk(usr, globs);
  for (const { path } of candidates) {
    if (!patterns.some((pattern) => pattern.test(path))) continue;
    found.add(path);
    const target = await realpath(usr + path.slice("/usr".length)).catch(() => path);
    if (target.startsWith(`${usr}/`)) found.add(`/usr${target.slice(usr.length)}`);
  }
  const files = new Set(candidates.filter(({ path, linked }) => linked && found.has(path)).map(({ inode }) => inode));
  for (const { path, linked, inode } of candidates) if (linked && files.has(inode)) found.add(path);
  return [...found].sort();
}

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

/** Below the root: files and links whose own name fits one of the globs, and every file that has more than one name. One walk. */
async function walk(usr: string, globs: string[]): Promise<Candidate[]> {
  const names = [...new Set(globs.map((glob) => basename(glob)))].flatMap((name) => ["-o", "-name", name.replaceAll("**", "*")]);
  const linked = ["(", "-type", "f", "-links", "+1", ")"];
  const { stdout } = await run("find", [usr, "-xdev", "(", ...linked, ...names, ")", "-printf", "%i %y %n %p\\0"], { maxBuffer: 64 * 1024 * 1024 });
  return stdout
    .split("\0")
    .filter(Boolean)
    .map((line) => {
      const [, inode = "", type, links, path = ""] = /^(\d+) (.) (\d+) (.*)$/s.exec(line) ?? [];
      return { path: `/usr${path.slice(usr.length)}`, inode, linked: type === "f" && Number(links) > 1 };
    });
}

/** `*` stays in one name, `**` crosses directories. */
function globPattern(glob: string): RegExp {
  const source = glob
    .split("/**/")
    .map((part) =>
      part
        .split("**")
        .map((piece) => piece.split("*").map(escapePlain).join("[^/]*"))
        .join(".*"),
    )
    .join("/(?:.*/)?");
  return new RegExp(`^${source}$`);
}

const escapePlain = (text: string): string => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
