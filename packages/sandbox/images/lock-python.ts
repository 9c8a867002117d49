import { type Image, PlastronError } from "@plastron/contracts";
import { z } from "zod";

/** What the sandbox that resolved says was chosen. Code of packages may have run there: it is their word, until the hashes are checked. */
const resolvedSchema = z
  .array(
    z.object({
      name: z
        .string()
        .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/)
        .max(200),
      version: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9.!+_-]*$/)
        .max(200),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  )
  .min(1)
  .max(5_000);

export interface Locked {
  lock: string;
  /** The lock as the installer reads it. */
  files: Record<string, string>;
  packages: Image["packages"];
}

const normal = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

/** A lock: one line a package, by name, with the digest of the one archive that was chosen. `base`: the interpreter that it is for. */
export function lockPython(said: string, base: string): Locked {
  const resolved = resolvedSchema.safeParse(parse(said));
  if (!resolved.success) throw new PlastronError("packages_failed", "What pip chose cannot be read");
  const chosen = resolved.data.map(({ name, ...rest }) => ({ name: normal(name), ...rest })).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (new Set(chosen.map(({ name }) => name)).size < chosen.length) throw new PlastronError("packages_failed", "pip chose two versions of one package");
  const lines = chosen.map(({ name, version, sha256 }) => `${name}==${version} --hash=sha256:${sha256}\n`).join("");
  return {
    lock: `# ${base}\n${lines}`,
    files: { "lock.txt": lines },
    packages: chosen.map(({ name, version, sha256 }) => ({ name, version, hash: `sha256:${sha256}` })),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
