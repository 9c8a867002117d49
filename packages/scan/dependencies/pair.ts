import type { Group, Listed, Listing, Root } from "./facts.ts";
import { allows } from "./versions/allows.ts";

/** One list and where it lies. */
export interface PlacedListing {
  /** The layered name of its file. */
  readonly key: string;
  readonly listing: Listing;
}

/** All lists of an artifact as they belong together. */
export interface Paired {
  /** Lists with exact versions, each package once: what a lock file names is not told again of what is installed. */
  readonly exact: readonly PlacedListing[];
  /** Manifests, or what of them no lock file answers. */
  readonly declared: readonly PlacedListing[];
  /** Where a manifest asks for what its lock file does not give. */
  readonly mismatches: readonly Mismatch[];
  /** Files that a list names and that are not in the artifact. */
  readonly missing: readonly { readonly key: string; readonly path: string }[];
}

export interface Mismatch {
  readonly lock: PlacedListing;
  readonly manifest: PlacedListing;
  readonly differences: readonly { readonly root: Root; readonly locked: string | null }[];
}

const LOCKS: Readonly<Record<string, string>> = {
  npm: "npm",
  pnpm: "npm",
  yarn: "npm",
  bun: "npm",
  pip: "PyPI",
  uv: "PyPI",
  poetry: "PyPI",
  pdm: "PyPI",
  pipenv: "PyPI",
};

/** Which list answers which. */
export function pair(placed: readonly PlacedListing[]): Paired {
  const locks = placed.filter(({ listing }) => listing.role === "lock");
  const manifests = placed.filter(({ listing }) => listing.role === "manifest");
  const byDirectory = new Map<string, PlacedListing[]>();
  const byKey = new Map(locks.map((lock) => [lock.key, lock]));
  // A script's own lock file says nothing of the project around it.
  for (const lock of locks.filter(({ key }) => !key.endsWith(".py.lock"))) byDirectory.set(place(lock), [...(byDirectory.get(place(lock)) ?? []), lock]);
  const answered = new Map<PlacedListing, PlacedListing[]>();
  const declared: PlacedListing[] = [];
  const mismatches: Mismatch[] = [];
  for (const manifest of manifests) {
    const lock = manifest.listing.format === "inline script" ? (byKey.get(`${manifest.key}.lock`) ?? null) : lockFor(manifest, byDirectory);
    if (lock === null) declared.push(manifest);
    else {
      answered.set(lock, [...(answered.get(lock) ?? []), manifest]);
      const differences = differencesOf(lock, manifest);
      if (differences.length > 0) mismatches.push({ lock, manifest, differences });
    }
  }
  const whole = locks.map((lock) => withManifests(lock, answered.get(lock) ?? []));
  const constraints = includedAsConstraint(placed);
  const others = placed.filter((each) => each.listing.role === "installed" || each.listing.role === "sbom");
  const pinned = manifests.filter((each) => each.listing.packages.length > 0 && !constraints.has(each.key));
  return { exact: [...whole, ...pinned, ...newIn(others, [...whole, ...pinned])], declared, mismatches, missing: missingIncludes(placed) };
}

function ecosystem({ listing }: PlacedListing): string {
  return LOCKS[listing.tool] ?? listing.tool;
}

/** Directory and ecosystem. */
function place(each: PlacedListing, directory = directoryOf(each.key)): string {
  return `${directory}\0${ecosystem(each)}`;
}

function directoryOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf("/")));
}

/** In its directory, or in one above: a member of a workspace has its lock file at the top. Pip's own files stand for themselves. */
function lockFor(manifest: PlacedListing, locks: ReadonlyMap<string, readonly PlacedListing[]>): PlacedListing | null {
  if (manifest.listing.format === "requirements.txt") return null;
  for (let directory = directoryOf(manifest.key), climbed = 0; climbed < 32; climbed++) {
    const found = locks
      .get(place(manifest, directory))
      ?.find(({ listing }) => listing.format !== "requirements.txt" || directory === directoryOf(manifest.key));
    if (found) return found;
    if (directory === "" || directory.endsWith("!")) return null;
    directory = directoryOf(directory);
  }
  return null;
}

/** What was asked for, where the lock file itself does not tell it, and for what it is needed, where only the manifest knows. */
function withManifests(lock: PlacedListing, manifests: readonly PlacedListing[]): PlacedListing {
  const asked = manifests.flatMap(({ key, listing }) => listing.roots.filter(({ group }) => group !== "peer").map((root) => ({ root, key })));
  if (asked.length === 0) return lock;
  if (lock.listing.roots.length > 0) {
    if (lock.listing.tool !== "yarn") return lock;
    const groups = new Map(asked.map(({ root }): [string, Group] => [root.name, root.group]));
    const roots = lock.listing.roots.map((root) => ({ ...root, group: groups.get(root.name) ?? root.group }));
    return { ...lock, listing: { ...lock.listing, roots } };
  }
  const answers = new Map<string, number>();
  for (const [index, listed] of lock.listing.packages.entries()) {
    for (const answer of listed.answers ?? []) answers.set(answer, index);
    if (!answers.has(listed.name)) answers.set(listed.name, index);
  }
  const roots = asked.flatMap(({ root }): Root[] => {
    const target = answers.get(`${root.name}@${root.range}`) ?? answers.get(root.name) ?? -1;
    return target < 0 ? [] : [{ ...root, target }];
  });
  return { ...lock, listing: { ...lock.listing, roots } };
}

/** Only what can be said for certain: a plain range of the registry, in the lock file's own directory, that the locked version is not in. */
function differencesOf(lock: PlacedListing, manifest: PlacedListing): Mismatch["differences"] {
  if (directoryOf(lock.key) !== directoryOf(manifest.key) || ecosystem(lock) !== "npm") return [];
  const { packages, roots } = lock.listing;
  const direct = new Map(roots.filter(({ member }) => member === undefined).map((root) => [root.name, root]));
  const names = new Map<string, Listed>();
  for (const listed of packages) if (!names.has(listed.name)) names.set(listed.name, listed);
  return manifest.listing.roots.flatMap((root): Mismatch["differences"] => {
    if (root.group === "peer" || root.group === "optional" || root.origin !== undefined || !/^[\^~<>=\d][\^~<>=\d\s.|x*-]*$/.test(root.range)) return [];
    const locked = direct.size > 0 ? packages[direct.get(root.name)?.target ?? -1] : names.get(root.name);
    if (locked === undefined) return direct.has(root.name) || names.has(root.name) ? [] : [{ root, locked: null }];
    const asked = direct.get(root.name)?.range;
    const stands =
      asked === root.range || locked.version === "" || (locked.origin ?? "registry") !== "registry" || locked.answers?.includes(`${root.name}@${root.range}`);
    return stands || (direct.size === 0 && locked.answers === undefined) || allows("npm", root.range, locked.version) ? [] : [{ root, locked: locked.version }];
  });
}

/** What is there already under the same name and version is not told twice. */
function newIn(others: readonly PlacedListing[], known: readonly PlacedListing[]): PlacedListing[] {
  const identity = (listed: Listed) => `${listed.ecosystem}\0${listed.name}\0${listed.version}`;
  const seen = new Set(known.flatMap(({ listing }) => listing.packages.map(identity)));
  return others.flatMap((each) => {
    const fresh = each.listing.packages.map((listed) => {
      const name = identity(listed);
      if (seen.has(name)) return false;
      seen.add(name);
      return true;
    });
    if (!fresh.includes(true)) return [];
    // The places of the others stay, as edges count them; without a version nothing is looked up.
    const packages = each.listing.packages.map((listed, index) => (fresh[index] ? listed : { ...listed, version: "" }));
    return [{ ...each, listing: { ...each.listing, packages } }];
  });
}

function includedAsConstraint(placed: readonly PlacedListing[]): Set<string> {
  const required = new Set<string>();
  const constraints = new Set<string>();
  for (const each of placed)
    for (const { path, constraint } of each.listing.includes ?? []) (constraint ? constraints : required).add(resolve(each.key, path) ?? "");
  return constraints.difference(required);
}

function missingIncludes(placed: readonly PlacedListing[]): { key: string; path: string }[] {
  const there = new Set(placed.map(({ key }) => key));
  return placed.flatMap(({ key, listing }) =>
    (listing.includes ?? []).flatMap(({ path }) => {
      const resolved = resolve(key, path);
      return resolved !== null && there.has(resolved) ? [] : [{ key, path }];
    }),
  );
}

/** A path beside another, both of the artifact; null where it leads out of it. Nothing is opened by it. */
export function resolve(key: string, path: string): string | null {
  if (/^([a-z]+:|\/|\\|~)/i.test(path)) return null;
  const parts = directoryOf(key)
    .split("/")
    .filter((part) => part !== "");
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return null;
  }
  return parts.join("/");
}
