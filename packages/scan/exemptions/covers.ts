import { type Finding, globMatcher } from "@plastron/contracts";
import { allows } from "../dependencies/versions/allows.ts";
import { lastingKey } from "../findings/places.ts";
import type { Exemption } from "./schema.ts";

/** Harm on purpose, and a credential that works right now. */
export function isGrave(finding: Pick<Finding, "verdict" | "secret">): boolean {
  return finding.verdict === "malice" || finding.secret?.state === "live";
}

/**
 * Whether a finding is one that the exemption is about. Malice and live secrets only where it names that very fingerprint. What is found
 * in a package needs its package, advisory or fingerprint: one rule speaks for all advisories there are.
 */
export function covers(exemption: Exemption, finding: Finding, known: ReadonlyMap<string, string> = new Map()): boolean {
  const { scope } = exemption;
  if (isGrave(finding)) return scope.fingerprint === finding.fingerprint;
  if (finding.package && !scope.fingerprint && !scope.advisory && !scope.dependency) return false;
  return (
    (scope.fingerprint === undefined || scope.fingerprint === finding.fingerprint || scope.fingerprint === known.get(finding.fingerprint)) &&
    (scope.rule === undefined || matches(scope.rule, finding.rule)) &&
    (scope.path === undefined || matches(scope.path, lastingKey(finding.place))) &&
    (scope.advisory === undefined || finding.aliases.some((name) => name.toUpperCase() === scope.advisory?.toUpperCase())) &&
    (scope.dependency === undefined || coversPackage(exemption, finding))
  );
}

function coversPackage({ scope }: Exemption, { package: affected }: Finding): boolean {
  if (affected === null) return false;
  const wanted = nameOf(scope.dependency ?? "");
  const names = [`${affected.ecosystem}/${affected.name}`.toLowerCase(), nameOf(affected.purl.replace(/(?<=.)@[^/]*$/, ""))];
  if (!names.includes(wanted)) return false;
  if (scope.versions !== undefined && !(affected.version === scope.versions || allows(affected.ecosystem, scope.versions, affected.version))) return false;
  return scope.through === undefined || inOrder(scope.through, affected.path);
}

/** `pkg:npm/%40scope/a`, `npm:@scope/a` and `npm/@scope/a` are one. */
function nameOf(text: string): string {
  const bare = text.replace(/^pkg:/i, "").replace(/^([a-z][a-z0-9.+-]*):/i, "$1/");
  return bare.replace(/%40/g, "@").toLowerCase();
}

function inOrder(names: readonly string[], path: readonly string[]): boolean {
  let at = 0;
  for (const name of path) if (name === names[at]) at++;
  return at === names.length;
}

const matchers = new Map<string, (text: string) => boolean>();
const MOST_KEPT = 1000;
function matches(glob: string, text: string): boolean {
  const kept = matchers.get(glob);
  if (kept) return kept(text);
  if (matchers.size >= MOST_KEPT) matchers.clear();
  const matcher = globMatcher(glob);
  matchers.set(glob, matcher);
  return matcher(text);
}
