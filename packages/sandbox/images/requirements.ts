import { PlastronError } from "@plastron/contracts";

const NAME = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?";
/** A version has no space in it, or an option could follow one. */
const CLAUSE = String.raw`(===|[<>=!~]=|[<>])\s*[A-Za-z0-9][A-Za-z0-9.*+!_-]*`;
const REQUIREMENT = new RegExp(
  String.raw`^${NAME}\s*(\[[A-Za-z0-9._,\s-]*\])?\s*(${CLAUSE}(\s*,\s*${CLAUSE})*|\(\s*${CLAUSE}(\s*,\s*${CLAUSE})*\s*\))?\s*(;[^\r\n]*)?$`,
);
const HASH = /\s--hash=sha(256|384|512):[0-9a-f]+/g;
const MAX_LINES = 2_000;

/**
 * Lines of a requirements.txt as they may be given to pip: names, extras, versions, markers and hashes. Everything that names a place
 * (an index, a URL, a file) or changes how pip works is refused by its line: where packages come from is the operator's to say.
 * Errors: invalid_request with the line.
 */
export function checkRequirements(text: string): string[] {
  const lines = text
    .replace(/\\\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
  if (lines.length === 0) throw wrong("No package is named", "Name at least one, such as numpy==1.26.4.");
  if (lines.length > MAX_LINES) throw wrong(`More than ${MAX_LINES} packages are named`, "Make several runtimes.");
  for (const line of lines) {
    const bare = line.replace(HASH, "").trim();
    if (bare.startsWith("-"))
      throw wrong(`${shown(line)} is an option of pip`, "Only packages can be named; where they come from is configured on the machine.");
    if (/[@/\\]|:\/\//.test(bare.split(";")[0] as string))
      throw wrong(`${shown(line)} names a place`, "Name the package and its version; it comes from the machine's registry.");
    if (!REQUIREMENT.test(bare) || /\s-/.test(bare.split(";")[1] ?? ""))
      throw wrong(`${shown(line)} is not a requirement`, "Write it as name==1.2.3, name>=1,<2 or name[extra].");
  }
  return lines;
}

const shown = (line: string): string => JSON.stringify(line.slice(0, 120));
const wrong = (detail: string, hint: string): PlastronError => new PlastronError("invalid_request", detail, { hint });
