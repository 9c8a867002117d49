import { execFile } from "node:child_process";
import { existsSync, lstatSync } from "node:fs";
import { lstat, realpath } from "node:fs/promises";
import { setImmediate as others } from "node:timers/promises";
import { promisify } from "node:util";
import { type Confinement, globMatcher, PlastronError } from "@plastron/contracts";

const run = promisify(execFile);

/** In front of a path that only loses its execution: it stays readable. */
export const READABLE = "noexec:";

/** In front of a path that may be executed, where a list says what may. */
export const EXECUTABLE = "exec:";

/** Each is a mount in every sandbox, made under a lock of the whole kernel's: so many take about a second. */
const MAX_PATHS = 4096;
const SLICE_MS = 10;
const MAX_MATCHING_MS = 10_000;
const HINT = "Name whole directories (/usr/share/**), which need one mount for each, and not files by their endings.";

/**
 * All that a confinement puts over files: what is hidden, and (after READABLE) what stays readable but cannot be executed.
 * Throws PlastronError sandbox_failed where its rules name more files than can be covered one by one.
 */
export async function resolveHidden(confinement: Confinement, usr: string): Promise<string[]> {
  const hidden = await resolvePaths(confinement, usr);
  const unexecutable = confinement.unexecutable.length === 0 ? [] : await resolvePaths({ hidden: confinement.unexecutable, forbidden_programs: [] }, usr);
  const covered = new Set(hidden);
  const all = [...hidden, ...unexecutable.filter((path) => !covered.has(path)).map((path) => READABLE + path)];
  if (all.length <= MAX_PATHS) return [...all, ...(await resolveExecutables(confinement, usr))];
  throw new PlastronError("sandbox_failed", `the policy's rules on paths name ${all.length} files of the root; ${MAX_PATHS} can be covered`, { hint: HINT });
}

/** What loads the libraries of every program that has some: executing one of those is executing this too. */
const LOADERS = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

/**
 * The files of the root that a list of programs names, as they are there: Landlock knows files and not their names. Each costs a
 * rule and no mount. Throws PlastronError sandbox_failed where they are too many.
 */
async function resolveExecutables({ executables }: Confinement, usr: string): Promise<string[]> {
  if (!executables) return [];
  // The other names of a file are that file to Landlock: only globs need a walk.
  const globs = executables.filter(isGlob);
  const named = [
    ...executables.filter((path) => !isGlob(path)),
    ...(globs.length > 0 ? await resolvePaths({ hidden: globs, forbidden_programs: [] }, usr) : []),
  ];
  const real = await Promise.all([...named, ...LOADERS].map((path) => target(path, usr)));
  const there = [...new Set(real)].filter(
    (path) => path === SINGLE[0]?.path || existsSync(path.startsWith("/usr/") ? usr + path.slice("/usr".length) : "/nowhere"),
  );
  if (there.length <= MAX_PATHS) return there.map((path) => EXECUTABLE + path);
  throw new PlastronError("sandbox_failed", `the policy lets ${there.length} programs of the root be executed; ${MAX_PATHS} can be named`, { hint: HINT });
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
  const literal = confinement.hidden.filter((path) => !isGlob(path));
  const found = new Set([...literal, ...(await Promise.all(literal.map((path) => target(path, usr))))]);
  if (globs.length === 0 && !(await haveOtherNames([...found], usr))) return [...found].sort();
  const candidates = [...(await Promise.all(trees(usr).map((tree) => walk(tree, globs)))).flat(), ...SINGLE];
  for (const path of await matching(
    candidates.map(({ path }) => path),
    globs,
  )) {
    found.add(path).add(await target(path, usr));
  }
  const files = new Set(candidates.filter(({ path, linked }) => linked && found.has(path)).map(({ inode }) => inode));
  for (const { path, linked, inode } of candidates) if (linked && files.has(inode)) found.add(path);
  const directories = new Set(candidates.flatMap(({ path, directory }) => (directory && found.has(path) ? [path] : [])));
  return [...found].filter((path) => !liesBelow(path, directories)).sort();
}

/** What a path of the root leads to, if that is in /usr: nothing can be put over a link. Hosts that merged /bin and the like have links there. */
async function target(path: string, usr: string): Promise<string> {
  const within = /^\/(?:usr|bin|sbin|lib|lib64|lib32|libx32)\//.test(path);
  const real = within ? await realpath(path.startsWith("/usr/") ? usr + path.slice("/usr".length) : path).catch(() => path) : path;
  return real.startsWith(`${usr}/`) ? `/usr${real.slice(usr.length)}` : path;
}

/** What is put over a directory holds for all that lies in it. */
function liesBelow(path: string, directories: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) if (directories.has(path.slice(0, end))) return true;
  return false;
}

const isGlob = (path: string): boolean => /[*?[]/.test(path);

/** Of a thousand globs and all that lies in /usr: the agent must not stand still meanwhile, nor be kept busy for ever. */
async function matching(paths: readonly string[], globs: readonly string[]): Promise<string[]> {
  const matchers = globs.map(globMatcher);
  const found: string[] = [];
  let begun = performance.now();
  let spent = 0;
  let tried = 0;
  for (const path of paths) {
    for (const matches of matchers) {
      if (++tried % 8 === 0 && performance.now() - begun > SLICE_MS) {
        spent += performance.now() - begun;
        if (spent > MAX_MATCHING_MS)
          throw new PlastronError("sandbox_failed", "the policy's rules on paths take too long to be looked up in the root", { hint: HINT });
        await others();
        begun = performance.now();
      }
      if (!matches(path)) continue;
      found.push(path);
      break;
    }
  }
  return found;
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
  directory: boolean;
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
const SINGLE: readonly Candidate[] = [{ path: "/opt/plastron/node/bin/node", inode: "", directory: false, linked: false }];

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
      return { path: `${inside}${path.slice(host.length)}`, inode, directory: type === "d", linked: type === "f" && Number(links) > 1 };
    });
}

/** What find's -name can say of the last name of a glob, and never less than it means: sets are fnmatch's own, `**` may hold a slash. */
function lastName(glob: string): string {
  const name = glob.slice(glob.lastIndexOf("/") + 1);
  if (/[[\\]/.test(glob)) return "*";
  return name.includes("**") ? `*${name.slice(name.lastIndexOf("**") + 2)}` : name;
}
