import { compare, parse } from "@renovatebot/pep440";
import type { VersionScheme } from "./scheme.ts";

/** PEP 440: epochs, pre-, post- and development releases, local versions. What it does not know (`1.0-final-2`) has no order. */
export const python: VersionScheme = {
  valid: (version) => version.length <= 128 && parse(version) !== null,
  compare: (a, b) => compare(a, b),
  canonical: (version) => (version.length <= 128 ? canonical(version) : version),
};

function canonical(version: string): string {
  const parsed = parse(version);
  if (parsed === null) return version;
  const release = [...parsed.release];
  while (release.length > 1 && release.at(-1) === 0) release.pop();
  const { epoch, pre, post, dev, local } = parsed;
  return JSON.stringify([epoch, release, pre, post, dev, local]);
}

/** PEP 503: `Flask_SQLAlchemy`, `flask.sqlalchemy` and `flask-sqlalchemy` are one. */
export function pythonName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}
