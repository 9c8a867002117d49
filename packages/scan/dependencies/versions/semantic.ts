import semver from "semver";
import type { VersionScheme } from "./scheme.ts";

/** https://semver.org/#spec-item-11. OSV orders by it alone: that npm's ranges leave out pre-releases is no matter here. */
export const semantic: VersionScheme = {
  valid: (version) => parse(version) !== null,
  compare: (a, b) => semver.compare(parse(a) as semver.SemVer, parse(b) as semver.SemVer),
};

/** Go writes `v1.2.3`, `v2.0.0+incompatible`, `v0.0.0-20200101000000-abcdefabcdef`; its toolchain `go1.21` and, in OSV, `1.21`. */
export const goModules: VersionScheme = {
  valid: (version) => parse(full(version)) !== null,
  compare: (a, b) => semver.compare(parse(full(a)) as semver.SemVer, parse(full(b)) as semver.SemVer),
};

function full(version: string): string {
  const [, numbers = "", rest = ""] = /^(?:go|v)?(\d{1,16}(?:\.\d{1,16})?)((?:rc|beta)\d+)?$/.exec(version) ?? [];
  if (numbers === "") return version.replace(/^(go|v)/, "");
  return `${numbers}${numbers.includes(".") ? ".0" : ".0.0"}${rest === "" ? "" : `-${rest.replace(/\d+$/, ".$&")}`}`;
}

const known = new Map<string, semver.SemVer | null>();

function parse(version: string): semver.SemVer | null {
  const before = known.get(version);
  if (before !== undefined) return before;
  if (known.size > 20_000) known.clear();
  const parsed = semver.parse(version, { loose: true });
  known.set(version, parsed);
  return parsed;
}
