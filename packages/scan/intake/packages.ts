import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fetchWith, type Scratch } from "./download.ts";
import type { Limits } from "./limits.ts";

export interface PackageRequest {
  readonly type: "npm" | "pypi";
  readonly name: string;
  readonly version: string | null;
  readonly scratch: Scratch;
  readonly limits: Limits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches a package's file with the machine's own client, from wherever that is configured to fetch from, and gives its path. Nothing of the package runs: npm
 * only packs, with scripts off; pip takes wheels alone, since it would run the build of a source distribution to learn its name.
 */
export async function fetchPackage(request: PackageRequest): Promise<string> {
  const { type, name, version, scratch, limits, signal } = request;
  const what = `${type}:${name}${version === null ? "" : `@${version}`}`;
  if (type === "npm") {
    const args = ["pack", "--ignore-scripts", "--pack-destination", scratch.path, "--loglevel", "error", "--", version === null ? name : `${name}@${version}`];
    await fetchWith({ program: "npm", args, env: { ...process.env, npm_config_ignore_scripts: "true" }, scratch, limits, signal, what });
  } else {
    const args = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check", "--quiet"];
    args.push("--dest", scratch.path, "--", version === null ? name : `${name}==${version}`);
    await fetchWith({ program: "python3", args, env: process.env, scratch, limits, signal, what });
  }
  const file = readdirSync(scratch.path).find((entry) => /\.(tgz|whl)$/.test(entry));
  if (file === undefined) throw new Error(`the client fetched no file for ${what}`);
  return join(scratch.path, file);
}

/** `name-1.2.3-py3-none-any.whl`: https://packaging.python.org/specifications/binary-distribution-format/ */
export function versionOfWheel(path: string): string | null {
  return /(?:^|\/)[^/]+?-([^-/]+)(?:-[^-/]+)?-[^-/]+-[^-/]+-[^-/]+\.whl$/.exec(path)?.[1] ?? null;
}
