import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { type NetworkRules, TRUST_VARIABLES } from "@plastron/contracts";
import type { SpecRecord } from "./spec.ts";

/** Where Debian, Ubuntu and Alpine keep all certificates in one file; programs that ask for no variable read it. */
const SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const BUNDLE = "/opt/plastron/egress-trust.crt";

/**
 * Lets a sandbox trust the egress process's certificates, beside those that the host trusts: only where the policy has the TLS of
 * some names ended. The file is the host's bundle with one more certificate; its name is its content's, so that it never changes.
 */
export async function trustRecords(network: NetworkRules, directory: string, certificate: string): Promise<SpecRecord[]> {
  if (network.mitm.domains.length === 0) return [];
  const system = existsSync(SYSTEM_BUNDLE) ? await readFile(SYSTEM_BUNDLE, "utf8") : "";
  const bundle = `${system}\n${certificate}`;
  const path = `${directory}/trust-${createHash("sha256").update(bundle).digest("hex").slice(0, 16)}.crt`;
  if (!existsSync(path)) {
    const unfinished = `${path}.${process.pid}.${performance.now()}`;
    await writeFile(unfinished, bundle);
    await chmod(unfinished, 0o644);
    await rename(unfinished, path);
  }
  const places = system === "" ? [BUNDLE] : [BUNDLE, SYSTEM_BUNDLE];
  return [...places.map((place): SpecRecord => ["bind", path, place, "ro"]), ...TRUST_VARIABLES.map((name): SpecRecord => ["env", `${name}=${BUNDLE}`])];
}
