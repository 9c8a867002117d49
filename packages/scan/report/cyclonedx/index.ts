import type { Finding, ScanResult } from "@plastron/contracts";
import { decisive } from "../../findings/cvss.ts";
import { placeWords } from "../../findings/places.ts";
import { idOf, purlOf } from "./subject.ts";
import { analysisOf } from "./vex.ts";

type Json = Record<string, unknown>;

/**
 * CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): the bill of materials of the scan with each finding as a vulnerability of the package that it is
 * about, or of the artifact itself, and what somebody has answered for it as VEX analysis.
 */
export function renderCyclonedx(result: ScanResult, { version = "0" }: { version?: string } = {}): string {
  const bom = billOf(result, version);
  const root = rootOf(bom);
  const refs = new Map(
    componentsOf(bom).flatMap((component) => (typeof component.purl === "string" ? [[component.purl, String(component["bom-ref"] ?? component.purl)]] : [])),
  );
  const missing = new Map(
    result.findings.flatMap(({ package: affected }) => (affected && !refs.has(affected.purl) ? [[affected.purl, affected] as const] : [])),
  );
  const added = [...missing].map(([purl, { name, version }]) => ({ type: "library", "bom-ref": purl, name, version, purl }));
  const vulnerabilities = result.findings.map((finding) =>
    vulnerabilityOf(finding, finding.package ? (refs.get(finding.package.purl) ?? finding.package.purl) : root),
  );
  return `${JSON.stringify({ ...bom, components: [...componentsOf(bom), ...added], vulnerabilities }, null, 2)}\n`;
}

function billOf(result: ScanResult, version: string): Json {
  const given = isObject(result.sbom) && result.sbom.bomFormat === "CycloneDX" ? result.sbom : {};
  const { artifact } = result;
  const component = { type: "application", "bom-ref": purlOf(artifact), name: artifact.name, version: artifact.revision ?? artifact.digest.slice(0, 16) };
  const metadata = isObject(given.metadata) ? given.metadata : {};
  const tools = { components: [{ type: "application", name: "Plastron", version }] };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    ...given,
    ...{ bomFormat: "CycloneDX", specVersion: "1.6", version: 1, serialNumber: `urn:uuid:${idOf(result, "cyclonedx")}` },
    metadata: { timestamp: result.started_at, tools, component, ...metadata },
  };
}

function rootOf(bom: Json): string {
  const component = isObject(bom.metadata) && isObject(bom.metadata.component) ? bom.metadata.component : {};
  return String(component["bom-ref"] ?? "artifact");
}

const componentsOf = (bom: Json): Json[] => (Array.isArray(bom.components) ? bom.components.filter(isObject) : []);
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

function vulnerabilityOf(finding: Finding, ref: string): Json {
  const { aliases, cvss, cwe, title, message, fix, fingerprint, severity, place, rule } = finding;
  const [id, ...others] = finding.package ? aliases : [];
  const best = decisive(cvss);
  const ratings = best
    ? [{ score: best.score, severity, method: best.version === "4.0" ? "CVSSv4" : "CVSSv31", vector: best.vector }]
    : [{ severity, method: "other" }];
  const where = `${placeWords(place)}:${place.line}:${place.column}`;
  return {
    "bom-ref": fingerprint,
    id: id ?? `PLASTRON-${fingerprint}`,
    ...(others.length > 0 ? { references: others.map((other) => ({ id: other, source: { name: sourceOf(other) } })) } : {}),
    source: { name: id ? sourceOf(id) : "Plastron" },
    ratings,
    ...(cwe.length > 0 ? { cwes: [...new Set(cwe)] } : {}),
    description: title,
    detail: message,
    recommendation: fix.text,
    analysis: analysisOf(finding),
    affects: [{ ref }],
    properties: [
      { name: "plastron:rule", value: rule },
      { name: "plastron:place", value: where },
      { name: "plastron:priority", value: finding.priority.words },
    ],
  };
}

function sourceOf(id: string): string {
  if (/^CVE-/i.test(id)) return "NVD";
  if (/^GHSA-/i.test(id)) return "GitHub Advisory Database";
  return "OSV";
}
