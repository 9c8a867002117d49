import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import type { PipDefaults } from "./registry/pip.ts";

const run = promisify(execFile);

/** The interpreter that an image is for, and where it looks for packages inside a sandbox. */
export interface Base {
  /** What must be equal for two builds of one lock to be the same. */
  identity: string;
  /** Directory inside a sandbox that the image stands at. */
  place: string;
  /** Directories inside that hold the machine's own packages; a sandbox with an image shows them empty. */
  emptied: string[];
  /** Below `place`: programs of the packages. */
  programs: string;
}

const PYTHON = "/usr/bin/python3";
const WHEELS = "/usr/share/python-wheels";
const ASK = `
import glob, json, os, platform, site, sys, sysconfig
try:
    import pip
except ImportError:
    sys.path[:0] = sorted(glob.glob(${JSON.stringify(`${WHEELS}/pip-*.whl`)}))[-1:]
try:
    from pip._internal.models.index import PyPI
    defaults = {"index": PyPI.simple_url, "files": PyPI.file_storage_domain}
except Exception:
    defaults = None
print(json.dumps({"identity": f"python3 {platform.python_version()} {sys.implementation.cache_tag} {sysconfig.get_platform()} {platform.libc_ver()[0]} {platform.libc_ver()[1]}",
  "sites": [path for path in site.getsitepackages() if os.path.isdir(path) and path.startswith("/usr/")], "defaults": defaults}))
`;
const toldSchema = z.object({ identity: z.string(), sites: z.array(z.string()), defaults: z.object({ index: z.string(), files: z.string() }).nullable() });

/**
 * Debian's Python: an image stands where the distribution's packages are, which it replaces. So a program finds exactly what was
 * asked for, in every process, whatever variables and flags it is started with, and after the standard library.
 */
export async function pythonBase(): Promise<Base & { defaults: PipDefaults | null }> {
  const { stdout } = await run(PYTHON, ["-I", "-c", ASK], { timeout: 20_000, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" }, cwd: "/" }).catch(
    (error: Error) => {
      throw new PlastronError("packages_failed", `${PYTHON} does not answer: ${error.message.slice(0, 300)}`);
    },
  );
  const { identity, sites, defaults } = toldSchema.parse(JSON.parse(stdout));
  const place = sites.find((path) => path.includes("/python3/")) ?? sites[0];
  if (place === undefined)
    throw new PlastronError("packages_failed", "This machine's Python has no directory for packages", { hint: "Install Debian's python3." });
  return { identity, place, emptied: sites.filter((path) => path !== place), programs: "bin", defaults };
}

/** Node looks for packages in each directory above a program: in /node_modules from everywhere. */
export function nodeBase(): Base {
  const { version, arch, platform, versions } = process;
  return { identity: `nodejs ${version} ${platform}-${arch} abi${versions.modules}`, place: "/node_modules", emptied: [], programs: ".bin" };
}

/** The directory of an npm: the one that set-up fetched, or the distribution's. */
export function findNpm(root: string): string | undefined {
  const places = [join(root, ".tools/npm"), "/usr/lib/node_modules/npm", "/usr/share/nodejs/npm", "/usr/local/lib/node_modules/npm"];
  return places.find((path) => existsSync(join(path, "bin/npm-cli.js")));
}

/** The registry that this npm uses where none is configured. Errors: packages_failed with what npm said. */
export async function npmDefault(npm: string): Promise<string> {
  const env = { PATH: "/usr/bin:/bin", HOME: "/nonexistent", npm_config_userconfig: "/nonexistent/user", npm_config_globalconfig: "/nonexistent/global" };
  const asked = run(process.execPath, [join(npm, "bin/npm-cli.js"), "config", "get", "registry"], { timeout: 30_000, env, cwd: "/" });
  const { stdout } = await asked.catch((error: Error) => {
    throw new PlastronError("packages_failed", `npm does not answer: ${error.message.slice(0, 300)}`);
  });
  return z.url().parse(stdout.trim());
}

/** A configuration file, where it is there and can be read. */
export function readConfiguration(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
