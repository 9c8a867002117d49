import type { Group, Listed, Listing, Reading, ReadingGap } from "../facts.ts";
import { hashesOf, originOf } from "../origin.ts";
import { pythonName } from "../versions/python.ts";
import { isObject, keyPlaces, list, object, parseJson, text } from "./json.ts";
import { duplicateGap } from "./npm-lock.ts";
import { pinOf } from "./requirement.ts";

/** Pipfile.lock: `default` and `develop`, without edges. */
export function readPipfileLock(source: string): Reading {
  const document = parseJson(source);
  const places = keyPlaces(source);
  const gaps: ReadingGap[] = places.duplicates.length > 0 ? [duplicateGap(places.duplicates)] : [];
  const sections: readonly (readonly [string, Group])[] = [
    ["default", "production"],
    ["develop", "development"],
  ];
  const packages = sections.flatMap(([section, group]) =>
    Object.entries(object(document, section)).flatMap(([name, entry]): Listed[] => {
      if (!isObject(entry)) return [];
      const git = text(entry, "git");
      const from: Pick<Listed, "origin" | "host"> =
        git !== ""
          ? originOf(git.startsWith("git") ? git : `git+${git}`)
          : text(entry, "path") !== "" || text(entry, "file") !== ""
            ? { origin: "path" as const }
            : {};
      const hashes = list(entry, "hashes")
        .slice(0, 4)
        .flatMap((hash) => (typeof hash === "string" ? hashesOf(hash) : []));
      const bare = hashes.length === 0 && from.origin === undefined;
      return [
        {
          ecosystem: "PyPI",
          name: pythonName(name),
          version: pinOf(text(entry, "version")),
          line: places.line(section, name),
          group,
          ...from,
          ...(bare ? { unhashed: true } : { hashes }),
        },
      ];
    }),
  );
  const listing: Listing = { format: "Pipfile.lock", tool: "pipenv", role: "lock", subject: null, packages, roots: [] };
  return { listings: [listing], gaps };
}
