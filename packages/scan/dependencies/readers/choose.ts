import type { Reader } from "../facts.ts";
import { looksLikeSbom, readSbom } from "../sbom/read.ts";
import { readBunLock } from "./bun-lock.ts";
import { readCondaEnvironment } from "./conda.ts";
import { readInlineScript } from "./inline-script.ts";
import { readMetadata, readTopLevel } from "./installed-python.ts";
import { readPom } from "./maven-pom.ts";
import { notRead } from "./not-read.ts";
import { readNpmLock } from "./npm-lock.ts";
import { readCargoLock, readComposerLock, readGemfileLock, readGoMod, readGradleLock } from "./other-locks.ts";
import { readPackageJson } from "./package-json.ts";
import { readPipfile } from "./pipfile.ts";
import { readPipfileLock } from "./pipfile-lock.ts";
import { readPnpmLock } from "./pnpm-lock.ts";
import { readPyproject, readSetupCfg } from "./pyproject.ts";
import { readPdmLock, readPoetryLock, readPylock, readUvLock } from "./python-locks.ts";
import { readRequirements } from "./requirements.ts";
import { readSetupPy } from "./setup-py.ts";
import { readYarnLock } from "./yarn-lock.ts";

/** Who reads a file of this name; undefined where nobody does. */
export function readerOf(path: string): Reader | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  // The lock file of an installed package was its author's, and nothing obeys it where the package is used.
  if (/(^|\/)(node_modules|site-packages|dist-packages)\//.test(path) && !INSTALLED.test(path)) return undefined;
  return BY_NAME.get(name) ?? notRead(path) ?? PATTERNS.find(([pattern]) => pattern.test(path))?.[1];
}

/** Whether a file of this name that begins so, given alone, is read as a bill of materials. */
export function isSbom(path: string, head: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return BILLS.some(([pattern]) => pattern.test(name)) && looksLikeSbom(head);
}

const INSTALLED =
  /node_modules\/(\.package-lock\.json|(@[^/]+\/)?[^/]+\/package\.json)$|\.dist-info\/[^/]+$|\.egg-info\/PKG-INFO$|\.((cdx|spdx3?|bom|sbom)\.json|(cdx|bom)\.xml|spdx)$/;
const BY_NAME: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["package-lock.json", readNpmLock],
  ["npm-shrinkwrap.json", readNpmLock],
  [".package-lock.json", readNpmLock],
  ["package.json", readPackageJson],
  ["pnpm-lock.yaml", readPnpmLock],
  ["yarn.lock", readYarnLock],
  ["bun.lock", readBunLock],
  ["uv.lock", readUvLock],
  ["poetry.lock", readPoetryLock],
  ["pdm.lock", readPdmLock],
  ["Pipfile", readPipfile],
  ["Pipfile.lock", readPipfileLock],
  ["pylock.toml", readPylock],
  ["pyproject.toml", readPyproject],
  ["setup.cfg", readSetupCfg],
  ["setup.py", readSetupPy],
  ["environment.yml", readCondaEnvironment],
  ["environment.yaml", readCondaEnvironment],
  ["Cargo.lock", readCargoLock],
  ["go.mod", readGoMod],
  ["Gemfile.lock", readGemfileLock],
  ["gems.locked", readGemfileLock],
  ["composer.lock", readComposerLock],
  ["gradle.lockfile", readGradleLock],
  ["pom.xml", readPom],
]);

/** A file whose name only hints at a bill of materials is one where its beginning says so. */
const maybeSbom: Reader = (source) => (looksLikeSbom(source) ? readSbom(source) : { listings: [], gaps: [] });

const BILLS: readonly (readonly [RegExp, Reader])[] = [
  [/(^|\/)(bom|sbom)\.(json|xml)$|\.(cdx|spdx3?|bom|sbom)\.json$|\.(cdx|bom)\.xml$|\.spdx(\.jsonld|\.tv|\.txt)?$/i, readSbom],
  [/(^|\/)[^/]*(sbom|cyclonedx|spdx)[^/]*\.(json|jsonld|xml|txt)$/i, maybeSbom],
  // At the top, and so also what is given alone, whatever its name.
  [/^[^/]+\.(json|jsonld|xml)$/i, maybeSbom],
];

/** What lies inside an installed package is its author's: requirements of its tests are nobody's. */
const PATTERNS: readonly (readonly [RegExp, Reader])[] = [
  ...BILLS,
  [/\.py\.lock$/, readUvLock],
  [/\.pyw?$/, readInlineScript],
  [/(^|\/)pylock\.[^/]+\.toml$/, readPylock],
  [/(^|\/)[^/]+\.dist-info\/METADATA$|(^|\/)[^/]+\.egg-info\/PKG-INFO$/, readMetadata],
  [/(^|\/)[^/]+\.dist-info\/top_level\.txt$/, readTopLevel],
  [/^(?!.*(node_modules|site-packages)\/)(.*\/)?(requirements?|constraints?|reqs?)([-_.][^/]*)?\.(txt|in|pip)$/i, readRequirements],
  [/^(?!.*(node_modules|site-packages)\/)(.*\/)?[^/]*[-_.](requirements?|constraints?)\.(txt|in|pip)$/i, readRequirements],
  [/^(?!.*(node_modules|site-packages)\/)(.*\/)?requirements\/[^/]+\.(txt|in|pip)$/i, readRequirements],
];
