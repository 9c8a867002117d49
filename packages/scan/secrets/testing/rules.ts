import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** The project's own detectors, as the engine reads them. */
export const DOCUMENTS: readonly unknown[] = readdirSync(DIRECTORY())
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => parse(readFileSync(join(DIRECTORY(), name), "utf8")));

function DIRECTORY(): string {
  return join(import.meta.dirname, "../../../../rules/secrets");
}
