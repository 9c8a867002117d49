import type { Finding, ScanResult } from "@plastron/contracts";
import { idOf, purlOf } from "./subject.ts";
import { statementOf } from "./vex.ts";

/**
 * OpenVEX 0.2.0 (https://github.com/openvex/spec): a statement a finding. Those of packages are named by their advisory and say which package in
 * the artifact; the artifact's own are named by their fingerprint.
 */
export function renderOpenvex(result: ScanResult): string {
  const id = idOf(result, "openvex");
  const product = { "@id": purlOf(result.artifact), hashes: { "sha-256": result.artifact.digest } };
  const document = {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": `urn:uuid:${id}`,
    author: "Plastron",
    role: "scanner",
    timestamp: result.started_at,
    version: 1,
    tooling: "Plastron",
    statements: result.findings.map((finding) => ({
      vulnerability: vulnerabilityOf(finding),
      products: [finding.package ? { ...product, subcomponents: [{ "@id": finding.package.purl }] } : product],
      ...statementOf(finding),
    })),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function vulnerabilityOf({ package: affected, aliases, fingerprint, title, message }: Finding): Record<string, unknown> {
  const [name, ...others] = affected ? aliases : [];
  if (name) return { name, ...(others.length > 0 ? { aliases: others } : {}), description: title };
  return { name: `PLASTRON-${fingerprint}`, description: `${title}. ${message}` };
}
