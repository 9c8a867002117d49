import { satisfies } from "@renovatebot/pep440";
import semver from "semver";

/** Whether a range, as this ecosystem writes it, takes this version. False where that cannot be said. */
export function allows(ecosystem: string, range: string, version: string): boolean {
  if (range.length > 200) return false;
  try {
    if (ecosystem === "npm") return range !== "" && semver.satisfies(version, range.replace(/^npm:(@[^/@]+\/)?[^@]+@/, ""));
    if (ecosystem === "PyPI") return range === "" || range === "*" || satisfies(version, range);
  } catch {
    // No range at all.
  }
  return false;
}
