import { type Reader, Unreadable } from "../facts.ts";

const CONVERT: readonly (readonly [RegExp, string])[] = [
  [
    /(^|\/)bun\.lockb$/,
    "the binary lock file of Bun before 1.2: `bun install --save-text-lockfile --frozen-lockfile --lockfile-only` writes bun.lock, which is read",
  ],
  [/\.spdx\.ya?ml$|\.spdx\.rdf(\.xml)?$|\.spdx\.xlsx?$/i, "SPDX in this form: `pyspdxtools -i FILE -o FILE.spdx.json` writes it as JSON, which is read"],
  [
    /(^|\/)conda-lock\.ya?ml$|(^|\/)pixi\.lock$/,
    "conda's own packages are in no database of advisories under these names: `pip freeze` in the environment lists what is from PyPI",
  ],
];

/** Forms that are known and not read: what to do about it is said. Undefined for others. */
export function notRead(path: string): Reader | undefined {
  const found = CONVERT.find(([pattern]) => pattern.test(path));
  if (found === undefined) return undefined;
  return () => {
    throw new Unreadable("unsupported", found[1]);
  };
}
