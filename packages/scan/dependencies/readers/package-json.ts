import type { Group, Listing, Reading, Root } from "../facts.ts";
import { originOf } from "../origin.ts";
import { keyPlaces, object, parseJson, text } from "./json.ts";
import { word } from "./npm-entry.ts";

const FIELDS: readonly (readonly [string, Group])[] = [
  ["dependencies", "production"],
  ["optionalDependencies", "optional"],
  ["devDependencies", "development"],
  ["peerDependencies", "peer"],
];

/** package.json: what is asked for, or, below node_modules, what is installed. */
export function readPackageJson(source: string, path: string): Reading {
  const document = parseJson(source);
  const subject = { name: text(document, "name").slice(0, 300), version: text(document, "version").slice(0, 200) };
  if (/(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path)) {
    const packages = subject.name === "" || subject.version === "" ? [] : [{ ecosystem: "npm", ...subject, line: 1 }];
    const listing: Listing = { format: "node_modules", tool: "npm", role: "installed", subject: null, packages, roots: [] };
    return { listings: packages.length === 0 ? [] : [listing], gaps: [] };
  }
  const places = keyPlaces(source);
  const roots = FIELDS.flatMap(([field, group]) =>
    Object.entries(object(document, field)).map(([name, range]): Root => {
      const said = word(range);
      const { origin } = originOf(/[:/]/.test(said) && !said.startsWith("npm:") ? said : "");
      return { ecosystem: "npm", name, range: said, group, target: -1, line: places.line(field, name), ...(origin === "registry" ? {} : { origin }) };
    }),
  );
  const listing: Listing = { format: "package.json", tool: "npm", role: "manifest", subject: subject.name === "" ? null : subject, packages: [], roots };
  return { listings: [listing], gaps: [] };
}
