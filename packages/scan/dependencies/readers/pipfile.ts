import type { Group, Listing, Reading, Root } from "../facts.ts";
import { originOf } from "../origin.ts";
import { pythonName } from "../versions/python.ts";
import { isObject, object, text } from "./json.ts";
import { lineFinder } from "./pyproject.ts";
import { parseToml } from "./toml.ts";

/** Tables of a Pipfile that say something else than packages: https://pipenv.pypa.io/en/latest/pipfile.html */
const OTHER = ["source", "requires", "scripts", "pipenv", "global"];

/** Pipfile: what is asked for; every other table than `packages` is a group that is installed on demand. */
export function readPipfile(source: string): Reading {
  const document = parseToml(source);
  const line = lineFinder(source);
  const roots = Object.keys(document)
    .filter((section) => !OTHER.includes(section) && isObject(document[section]))
    .flatMap((section) => {
      const group: Group = section === "packages" ? "production" : section === "dev-packages" ? "development" : "optional";
      return Object.entries(object(document, section)).map(([name, value]): Root => {
        const range = (typeof value === "string" ? value : text(value, "version")).slice(0, 200).trim();
        const git = text(value, "git");
        const place = git !== "" ? originOf(`git+${git}`).origin : text(value, "path") !== "" ? "path" : text(value, "file") !== "" ? "url" : undefined;
        return {
          ecosystem: "PyPI",
          name: pythonName(name),
          range: range === "*" ? "" : range,
          group,
          target: -1,
          line: line(name),
          ...(place ? { origin: place } : {}),
        };
      });
    });
  const listing: Listing = { format: "Pipfile", tool: "pipenv", role: "manifest", subject: null, packages: [], roots };
  return { listings: [listing], gaps: [] };
}
