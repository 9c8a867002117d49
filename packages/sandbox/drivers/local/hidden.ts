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
  if (patterns.length > 0) {
    for (const path of await candidates(usr, globs)) {
      if (!patterns.some((pattern) => pattern.test(path))) continue;
      found.add(path);
      const target = await realpath(usr + path.slice("/usr".length)).catch(() => path);
      if (target.startsWith(`${usr}/`)) found.add(`/usr${target.slice(usr.length)}`);
    }
  }
  for (const path of await otherNames([...found], usr)) found.add(path);
  return [...found].sort();
}

/** Hard links to the same files: rare, so they are looked for only where a file has more than one name. */
async function otherNames(paths: string[], usr: string): Promise<string[]> {
  const files = paths.filter((path) => path.startsWith("/usr/")).map((path) => usr + path.slice("/usr".length));
  const names = await Promise.all(
    files.map(async (file) => {
      const info = await lstat(file).catch(() => undefined);
      if (!info?.isFile() || info.nlink < 2) return [];
      const { stdout } = await run("find", [usr, "-xdev", "-samefile", file, "-print0"], { maxBuffer: 64 * 1024 * 1024 });
      return stdout.split("\0").filter(Boolean);
    }),
  );
  return names.flat().map((path) => `/usr${path.slice(usr.length)}`);
}

/** Files and links below the root whose own name fits one of the globs, as paths inside the sandbox. */
async function candidates(usr: string, globs: string[]): Promise<string[]> {
  const names = [...new Set(globs.map((glob) => basename(glob)))].flatMap((name) => ["-o", "-name", name.replaceAll("**", "*")]).slice(1);
  const { stdout } = await run("find", [usr, "-xdev", "(", ...names, ")", "-print0"], { maxBuffer: 64 * 1024 * 1024 });
  return stdout
    .split("\0")
    .filter(Boolean)
    .map((path) => `/usr${path.slice(usr.length)}`);
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
