import { PlastronError } from "@plastron/contracts";
import { z } from "zod";
import type { Locked } from "./lock-python.ts";

const MAX_PACKAGES = 20_000;
const name = z
  .string()
  .regex(/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~_-][a-z0-9._~-]*$/i, "not a package's name")
  .max(214);
/** A version, a range or a tag; `npm:NAME@RANGE` gives another name. All that names a place has a slash before or a colon after. */
const range = z
  .string()
  .max(256)
  .refine((text) => /^(npm:(@[^/@:]+\/)?[^/@:]+(@[^/:@]*)?|[^/:@]*)$/.test(text), "names a place; packages come from the machine's registry");
const ranges = z.record(name, range);

/** What of a package.json says which packages. The rest (scripts above all) has no part in an image. */
const manifestSchema = z.object({ dependencies: ranges.default({}), optionalDependencies: ranges.optional() });
type Manifest = z.infer<typeof manifestSchema>;

/** Errors: invalid_request with the field. */
export function readManifest(text: string): Manifest {
  const parsed = manifestSchema.safeParse(json(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new PlastronError("invalid_request", `package.json: ${issue?.path.join(".") || "the document"}: ${issue?.message}`, {
      hint: "Its dependencies name packages and versions of the registry.",
    });
  }
  const { dependencies, optionalDependencies = {} } = parsed.data;
  if (Object.keys(dependencies).length + Object.keys(optionalDependencies).length === 0)
    throw new PlastronError("invalid_request", "package.json names no dependencies", {
      hint: "Name at least one under dependencies; devDependencies are not installed.",
    });
  return parsed.data;
}

/** Of an entry only what is needed to install it: `resolved` is left out, so that a lock is the same whatever mirror it was made with. */
const flag = z.literal(true).optional();
const strings = z.record(z.string(), z.string()).optional();
const entrySchema = z.object({
  name: name.optional(),
  version: z
    .string()
    .regex(/^[0-9][0-9A-Za-z.+-]*$/)
    .max(256),
  integrity: z.string().regex(/^sha(256|384|512)-[A-Za-z0-9+/=]+(\s|$)/, "has no digest of its archive"),
  dependencies: strings,
  optionalDependencies: strings,
  peerDependencies: strings,
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).optional(),
  engines: z.union([strings, z.array(z.string())]).optional(),
  os: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
  libc: z.array(z.string()).optional(),
  bin: strings,
  ...{ optional: flag, dev: flag, devOptional: flag, peer: flag, hasInstallScript: flag, inBundle: flag },
});
const lockSchema = z.object({ lockfileVersion: z.literal(3), packages: z.record(z.string(), z.unknown()) });

/** From what npm wrote in a sandbox, or a caller gave. `base`: the interpreter that it is for. Errors: `code` with what is wrong. */
export function lockNode(said: string, manifest: Manifest, base: string, code: "invalid_request" | "packages_failed" = "packages_failed"): Locked {
  const fail = (why: string) =>
    new PlastronError(code, `package-lock.json: ${why}`, { hint: "It must be of version 3 and name packages of the registry with their digests." });
  const lock = lockSchema.safeParse(json(said));
  if (!lock.success) throw fail("it is not one of version 3");
  const paths = Object.keys(lock.data.packages)
    .filter((path) => path !== "")
    .sort();
  if (paths.length > MAX_PACKAGES) throw fail(`it has more than ${MAX_PACKAGES} packages`);
  const entries = paths.flatMap((path): [string, z.infer<typeof entrySchema>][] => {
    if (!/^(node_modules\/(@[^/]+\/)?[^/]+\/?)+$/.test(path) || path.includes("/../")) throw fail(`${JSON.stringify(path.slice(0, 120))} lies elsewhere`);
    const entry = entrySchema.safeParse(lock.data.packages[path]);
    if (!entry.success) throw fail(`${JSON.stringify(path.slice(0, 120))}: ${entry.error.issues[0]?.path.join(".")} ${entry.error.issues[0]?.message}`);
    return entry.data.dev ? [] : [[path, entry.data]];
  });
  const root = { name: "image", version: "1.0.0", ...manifest };
  const text = JSON.stringify({
    name: root.name,
    version: root.version,
    lockfileVersion: 3,
    requires: true,
    packages: { "": root, ...Object.fromEntries(entries) },
  });
  return {
    lock: `// ${base}\n${text}\n`,
    files: { "package.json": JSON.stringify({ ...root, private: true }), "package-lock.json": text },
    packages: entries.map(([path, { name: given, version, integrity }]) => ({ name: given ?? nameOf(path), version, hash: integrity })),
  };
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
