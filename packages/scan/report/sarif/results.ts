import type { Finding, FlowStep } from "@plastron/contracts";
import { placeKey, rulesOf } from "../../findings/places.ts";
import { locationOf, plain, uriOf } from "./places.ts";
import { levelOf } from "./rules.ts";

/** GitHub refuses a result with more. */
const MOST_LOCATIONS = 1_000;

export function resultOf(finding: Finding, ruleIndex: number): Record<string, unknown> {
  const source = finding.flow[0];
  return {
    ruleId: finding.rule,
    ruleIndex,
    kind: "fail",
    level: levelOf(finding.severity),
    rank: finding.priority.score,
    message: { text: plain(`${finding.title}. ${finding.message}\n\nWhat to do: ${finding.fix.text}`) },
    locations: [locationOf(finding.place)],
    /* GitHub knows an alert again by `primaryLocationLineHash`: ours does not change with the line. */
    partialFingerprints: { "plastron/v1": finding.fingerprint, primaryLocationLineHash: `${finding.fingerprint}:1` },
    ...(finding.flow.length > 0 ? { codeFlows: [{ threadFlows: [{ locations: finding.flow.slice(0, MOST_LOCATIONS).map(stepOf) }] }] } : {}),
    ...(source && finding.flow.length > 1 ? { relatedLocations: [{ id: 1, ...locationOf(source, source.message) }] } : {}),
    ...fixesOf(finding),
    suppressions: suppressionsOf(finding),
    properties: propertiesOf(finding),
  };
}

function stepOf(step: FlowStep): Record<string, unknown> {
  return {
    location: locationOf(step, step.message),
    kinds: [step.kind === "source" ? "source" : step.kind === "sink" ? "sink" : step.kind === "step" ? "pass" : step.kind],
    importance: step.kind === "source" || step.kind === "sink" ? "essential" : "important",
  };
}

/** Edits of one file are one change of it; a fix that is words alone stands in the message. */
function fixesOf({ fix, place }: Finding): Record<string, unknown> {
  if (fix.edits.length === 0 || placeKey(place) !== place.path) return {};
  const artifactChanges = [...Map.groupBy(fix.edits, ({ path }) => path)].map(([path, edits]) => ({
    artifactLocation: { uri: uriOf(path), uriBaseId: "%SRCROOT%" },
    replacements: edits.map(({ start, end, text }) => ({
      deletedRegion: { charOffset: start, charLength: Math.max(0, end - start) },
      insertedContent: { text },
    })),
  }));
  return { fixes: [{ description: { text: plain(fix.text) }, artifactChanges }] };
}

/** An empty list says that somebody could have suppressed it and nobody did (3.27.23). */
function suppressionsOf({ state, exemption }: Finding): Record<string, unknown>[] {
  if (state !== "exempted") return [];
  const { id = "", approver = "", expires = "", reason = "" } = exemption ?? {};
  return [{ kind: "external", status: "accepted", justification: plain(`${reason} (exemption ${id}, approved by ${approver}, until ${expires})`) }];
}

function propertiesOf(finding: Finding): Record<string, unknown> {
  const { verdict, confidence, severity, priority, aliases, cvss, package: affected, secret } = finding;
  return {
    ...{ verdict, confidence, severity, priority: priority.level, why: priority.words },
    ...(aliases.length > 0 ? { aliases } : {}),
    ...(cvss.length > 0 ? { cvss } : {}),
    ...(affected ? { purl: affected.purl, reachability: affected.reachability } : {}),
    ...(secret ? { provider: secret.provider, secret_state: secret.state } : {}),
    ...(finding.also.length > 0 ? { also: rulesOf(finding).slice(1) } : {}),
  };
}
