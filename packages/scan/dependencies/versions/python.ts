import { compare, parse } from "@renovatebot/pep440";
import type { VersionScheme } from "./scheme.ts";

/** PEP 440: epochs, pre-, post- and development releases, local versions. What it does not know (`1.0-final-2`) has no order. */
export const python: VersionScheme = {
  valid: (version) => version.length <= 128 && parse(version) !== null,
  compare: (a, b) => compare(a, b),
};

/** PEP 503: `Flask_SQLAlchemy`, `flask.sqlalchemy` and `flask-sqlalchemy` are one. */
export function pythonName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}
