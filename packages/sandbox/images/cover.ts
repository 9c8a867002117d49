import { lstat, opendir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as others } from "node:timers/promises";
import { type Confinement, globMatcher, PlastronError } from "@plastron/contracts";
import { READABLE } from "../drivers/local/hidden.ts";
import type { ImageMount } from "./images.ts";

const MAX_PATHS = 4096;
const SLICE_MS = 10;

/**
 * What a policy's rules on paths cover of an image, as paths inside the sandbox: a name that must not be executed there must not be
 * because a package brought it. A link and what it leads to are both covered.
 * Throws PlastronError sandbox_failed where the rules name more files than can be covered one by one.
 */
export async function coverImage({ hidden, unexecutable, forbidden_programs }: Confinement, { tree, place }: ImageMount): Promise<string[]> {
  const hides = [...hidden, ...forbidden_programs.map((name) => `/**/${name}`)].map(globMatcher);
  const stops = unexecutable.map(globMatcher);
  if (hides.length + stops.length === 0) return [];
  const masked = new Set<string>();
  const stopped = new Set<string>();
  let begun = performance.now();
  for await (const path of walk(tree, "")) {
    if (performance.now() - begun > SLICE_MS) {
      await others();
      begun = performance.now();
    }
    const inside = `${place}/${path}`;
    const found = hides.some((matches) => matches(inside)) ? masked : stops.some((matches) => matches(inside)) ? stopped : undefined;
    if (!found) continue;
    found.add(inside);
    const real = await realpath(join(tree, path)).catch(() => "");
    if (real.startsWith(`${tree}/`)) found.add(place + real.slice(tree.length));
  }
  const all = [...masked, ...[...stopped].filter((path) => !masked.has(path)).map((path) => READABLE + path)];
  if (all.length > MAX_PATHS)
    throw new PlastronError("sandbox_failed", `the policy's rules on paths name ${all.length} files of the packages; ${MAX_PATHS} can be covered`);
  return all;
}

async function* walk(root: string, below: string): AsyncGenerator<string> {
  for await (const { name } of await opendir(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    yield path;
    if ((await lstat(join(root, path))).isDirectory()) yield* walk(root, path);
  }
}
