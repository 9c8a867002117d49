import { PackageURL } from "packageurl-js";
import { type Listed, type Listing, MOST_PACKAGES, type Need, type Reading, type ReadingGap, Unreadable } from "../facts.ts";
import { isObject, type Json, type JsonObject, list, object, parseJson, text } from "../readers/json.ts";
import { ecosystemOf, ecosystemOfPurl } from "../versions/ecosystems.ts";
import { cyclonedxFromXml } from "./cyclonedx-xml.ts";
import { spdxFromTags } from "./spdx-tags.ts";

/** Bills of materials: CycloneDX 1.2 to 1.7 as JSON and XML, SPDX 2.2 and 2.3 as JSON and tags, SPDX 3.0 as JSON. What each is, is told by its content. */
export function readSbom(source: string): Reading {
  const start = /^[\ufeff\s]{0,1000}(.)/.exec(source.slice(0, 2000))?.[1] ?? "";
  if (start === "<") return readCyclonedx(cyclonedxFromXml(source));
  if (start !== "{" && SPDX_TAGS.test(source.slice(0, HEAD))) return readSpdx2(spdxFromTags(source));
  const document = parseJson(source);
  if (text(document, "bomFormat") === "CycloneDX") return readCyclonedx(document);
  if (text(document, "spdxVersion") !== "") return readSpdx2(document);
  if (Array.isArray(document["@graph"])) return readSpdx3(document["@graph"]);
  throw new Unreadable("unsupported", "neither CycloneDX nor SPDX");
}

const HEAD = 4096;
const SPDX_TAGS = /^\s{0,20}SPDXVersion:/m;

/** Whether a file that is named otherwise is one, by its first characters. */
export function looksLikeSbom(source: string): boolean {
  const head = source.slice(0, HEAD);
  return ['"bomFormat"', '"spdxVersion"', "spdx.org/rdf/3.", '"http://cyclonedx.org/schema/bom/'].some((mark) => head.includes(mark)) || SPDX_TAGS.test(head);
}

function readCyclonedx(document: JsonObject): Reading {
  const version = text(document, "specVersion");
  if (!/^1\.[2-7]$/.test(version)) throw new Unreadable("unsupported", `version ${JSON.stringify(version.slice(0, 20))} of CycloneDX is not known`);
  const found: Found = { packages: [], references: new Map(), unnamed: 0, cut: false };
  // A list of lists instead of recursion: components lie inside of each other as deep as their author likes.
  const waiting: (readonly Json[])[] = [list(document, "components")];
  for (let next = waiting.pop(); next !== undefined && !found.cut; next = waiting.pop()) {
    for (const component of next) {
      if (!isObject(component)) continue;
      add(found, text(component, "purl"), text(component, "version"), text(component, "bom-ref"), hashesOf(component));
      const nested = list(component, "components");
      if (nested.length > 0) waiting.push(nested);
    }
  }
  const edges = list(document, "dependencies").flatMap((each) =>
    list(each, "dependsOn").flatMap((to) => (typeof to === "string" ? [[text(each, "ref"), to] as const] : [])),
  );
  const about = object(object(document, "metadata"), "component");
  return reading(
    `CycloneDX ${version}`,
    found,
    edges,
    text(about, "name") === "" ? null : { name: text(about, "name"), version: text(about, "version"), ref: text(about, "bom-ref") },
  );
}

function readSpdx2(document: JsonObject): Reading {
  const version = text(document, "spdxVersion");
  if (!/^SPDX-2\.[0-3]$/.test(version)) throw new Unreadable("unsupported", `${JSON.stringify(version.slice(0, 20))} is not known`);
  const found: Found = { packages: [], references: new Map(), unnamed: 0, cut: false };
  for (const each of list(document, "packages")) {
    const purl = list(each, "externalRefs").find((ref) => text(ref, "referenceType") === "purl");
    const checksums = list(each, "checksums").map(
      (sum) => [text(sum, "algorithm").toLowerCase().replace("-", ""), text(sum, "checksumValue").toLowerCase()] as const,
    );
    add(found, text(purl, "referenceLocator"), text(each, "versionInfo"), text(each, "SPDXID"), checksums);
  }
  const edges = list(document, "relationships").flatMap((each): [string, string][] => {
    const [from, to] = [text(each, "spdxElementId"), text(each, "relatedSpdxElement")];
    const kind = text(each, "relationshipType");
    return kind === "DEPENDS_ON" || kind === "CONTAINS" ? [[from, to]] : /DEPENDENCY_OF$/.test(kind) ? [[to, from]] : [];
  });
  return reading(version, found, edges, text(document, "name") === "" ? null : { name: text(document, "name"), version: "", ref: "" });
}

function readSpdx3(graph: readonly Json[]): Reading {
  const found: Found = { packages: [], references: new Map(), unnamed: 0, cut: false };
  const edges: [string, string][] = [];
  for (const each of graph) {
    const type = text(each, "type");
    if (type === "software_Package") {
      const external = list(each, "externalIdentifier").find((identifier) => text(identifier, "externalIdentifierType") === "packageUrl");
      add(found, text(each, "software_packageUrl") || text(external, "identifier"), text(each, "software_packageVersion"), text(each, "spdxId"), []);
    } else if (/Relationship$/.test(type) && text(each, "relationshipType") === "dependsOn") {
      for (const to of list(each, "to")) if (typeof to === "string") edges.push([text(each, "from"), to]);
    }
  }
  return reading("SPDX 3.0", found, edges, null);
}

interface Found {
  readonly packages: Omit<Listed, "needs">[];
  readonly references: Map<string, number>;
  unnamed: number;
  cut: boolean;
}

function add(found: Found, purl: string, version: string, reference: string, hashes: readonly (readonly [string, string])[]): void {
  if (found.packages.length >= MOST_PACKAGES) {
    found.cut = true;
    return;
  }
  const named = purl === "" ? null : fromPurl(purl);
  if (named === null) {
    found.unnamed++;
    return;
  }
  if (reference !== "") found.references.set(reference, found.packages.length);
  const kept = hashes.filter(([, value]) => /^[0-9a-f]{32,128}$/.test(value)).slice(0, 4);
  found.packages.push({ ...named, version: named.version || version.slice(0, 200), line: 1, ...(kept.length > 0 ? { hashes: kept } : {}) });
}

function fromPurl(purl: string): { ecosystem: string; name: string; version: string } | null {
  try {
    const { type, namespace, name, version } = PackageURL.fromString(purl.slice(0, 2000));
    const ecosystem = ecosystemOfPurl(type) ?? type;
    const whole = namespace ? `${namespace}${type === "maven" ? ":" : "/"}${name}` : name;
    return { ecosystem, name: ecosystemOf(ecosystem)?.name(whole) ?? whole, version: version ?? "" };
  } catch {
    return null;
  }
}

function hashesOf(component: JsonObject): [string, string][] {
  return list(component, "hashes").map((hash) => [text(hash, "alg").toLowerCase().replace("-", ""), text(hash, "content").toLowerCase()]);
}

function reading(
  format: string,
  found: Found,
  edges: readonly (readonly [string, string])[],
  about: { name: string; version: string; ref: string } | null,
): Reading {
  const needs = found.packages.map((): Need[] => []);
  const asked = new Set<number>();
  for (const [from, to] of edges) {
    const target = found.references.get(to);
    const source = found.references.get(from);
    if (target === undefined) continue;
    if (source !== undefined) needs[source]?.push([target, ""]);
    else if (about !== null && (from === about.ref || about.ref === "")) asked.add(target);
  }
  const packages = found.packages.map((each, index): Listed => ({ ...each, needs: needs[index] ?? [] }));
  const roots = [...asked].map((target) => ({
    ecosystem: packages[target]?.ecosystem ?? "",
    name: packages[target]?.name ?? "",
    range: "",
    group: "production" as const,
    target,
    line: 1,
  }));
  const gaps: ReadingGap[] = [];
  if (found.unnamed > 0)
    gaps.push({
      reason: "no_purl",
      detail: `${found.unnamed} of its components have no package URL, so that nobody can say what is known of them`,
      matters: false,
    });
  if (found.cut) gaps.push({ reason: "too_many", detail: `it lists more than ${MOST_PACKAGES} packages; the rest was not read`, matters: true });
  const subject = about === null ? null : { name: about.name.slice(0, 300), version: about.version.slice(0, 200) };
  const listing: Listing = { format, tool: "other", role: "sbom", subject, packages, roots };
  return { listings: [listing], gaps };
}
