import type { JsonObject } from "../readers/json.ts";

interface Package {
  readonly name: string;
  id: string;
  version: string;
  readonly refs: { referenceType: string; referenceLocator: string }[];
  readonly sums: { algorithm: string; checksumValue: string }[];
}

/** SPDX 2 as lines of `Tag: value`, as the same document in JSON: the parts of it that are read here. https://spdx.github.io/spdx-spec/v2.3/ */
export function spdxFromTags(source: string): JsonObject {
  const document = { spdxVersion: "", name: "" };
  const packages: Package[] = [];
  const relationships: { spdxElementId: string; relationshipType: string; relatedSpdxElement: string }[] = [];
  // A file or a snippet has an identifier, too; it is not the package's.
  let about: Package | null = null;
  for (const [tag, value] of tagsOf(source)) {
    if (tag === "SPDXVersion") document.spdxVersion = value;
    else if (tag === "DocumentName") document.name = value;
    else if (tag === "PackageName") {
      about = { name: value, id: "", version: "", refs: [], sums: [] };
      packages.push(about);
    } else if (tag === "FileName" || tag === "SnippetSPDXID" || tag === "LicenseID") about = null;
    else if (tag === "Relationship") {
      const [from = "", kind = "", to = ""] = value.split(/\s+/);
      relationships.push({ spdxElementId: from, relationshipType: kind, relatedSpdxElement: to });
    } else if (about !== null) describe(about, tag, value);
  }
  return {
    ...document,
    packages: packages.map(({ name, id, version, refs, sums }) => ({ name, SPDXID: id, versionInfo: version, externalRefs: refs, checksums: sums })),
    relationships,
  };
}

function describe(about: Package, tag: string, value: string): void {
  const [first = "", second = "", third = ""] = value.split(/\s+/, 3);
  if (tag === "SPDXID") about.id = value;
  else if (tag === "PackageVersion") about.version = value;
  else if (tag === "ExternalRef" && about.refs.length < 100) about.refs.push({ referenceType: second, referenceLocator: third });
  else if (tag === "PackageChecksum" && about.sums.length < 20) about.sums.push({ algorithm: first.replace(/:$/, ""), checksumValue: second });
}

/** Text between `<text>` and `</text>` may hold lines that look like tags: it is passed over. */
function* tagsOf(source: string): Iterable<readonly [tag: string, value: string]> {
  for (let at = 0; at < source.length; ) {
    const end = source.indexOf("\n", at);
    const stop = end < 0 ? source.length : end;
    const line = source.slice(at, Math.min(stop, at + 4000));
    const [, tag, value = ""] = /^\s{0,20}([A-Za-z]{1,60}):[ \t]{0,20}(.*)$/.exec(line) ?? [];
    at = stop + 1;
    if (tag === undefined) continue;
    if (!value.startsWith("<text>")) yield [tag, value.trim()];
    else if (!value.includes("</text>")) {
      const close = source.indexOf("</text>", stop);
      if (close < 0) return;
      at = close;
    }
  }
}
