import { dotnet } from "./dotnet.ts";
import { maven } from "./maven.ts";
import { php } from "./php.ts";
import { python, pythonName } from "./python.ts";
import { ruby } from "./ruby.ts";
import type { VersionScheme } from "./scheme.ts";
import { goModules, semantic } from "./semantic.ts";

interface Ecosystem {
  readonly scheme: VersionScheme;
  /** Type of its purls. */
  readonly purl: string;
  /** The one spelling of a name under which advisories are looked up. */
  name(written: string): string;
}

const asWritten = (name: string) => name;
const lower = (name: string) => name.toLowerCase();

/** Ecosystems of https://ossf.github.io/osv-schema/#defined-ecosystems whose order of versions is known here. Others are a gap, by name. */
const ECOSYSTEMS: ReadonlyMap<string, Ecosystem> = new Map([
  ["npm", { scheme: semantic, purl: "npm", name: asWritten }],
  ["PyPI", { scheme: python, purl: "pypi", name: pythonName }],
  ["crates.io", { scheme: semantic, purl: "cargo", name: asWritten }],
  ["Go", { scheme: goModules, purl: "golang", name: asWritten }],
  ["RubyGems", { scheme: ruby, purl: "gem", name: asWritten }],
  ["Maven", { scheme: maven, purl: "maven", name: asWritten }],
  ["NuGet", { scheme: dotnet, purl: "nuget", name: lower }],
  ["Packagist", { scheme: php, purl: "composer", name: lower }],
  ["Hex", { scheme: semantic, purl: "hex", name: lower }],
  ["Pub", { scheme: semantic, purl: "pub", name: lower }],
  ["SwiftURL", { scheme: semantic, purl: "swift", name: lower }],
  ["GitHub Actions", { scheme: semantic, purl: "githubactions", name: lower }],
  ["Bitnami", { scheme: semantic, purl: "bitnami", name: lower }],
]);

export function ecosystemOf(name: string): Ecosystem | undefined {
  return ECOSYSTEMS.get(name.split(":", 1)[0] as string);
}

export const SUPPORTED_ECOSYSTEMS: readonly string[] = [...ECOSYSTEMS.keys()];

/** OSV's name of a purl's type; undefined where none is known here. */
export function ecosystemOfPurl(type: string): string | undefined {
  for (const [name, { purl }] of ECOSYSTEMS) if (purl === type) return name;
  return undefined;
}
