/** A rule's words for one place. */
import type { FlowStep, MatchInput, Place, Severity } from "@plastron/contracts";
import { scoreVector } from "../findings/cvss.ts";
import type { TaintRule } from "./spec.ts";

export type Confidence = MatchInput["confidence"];

export interface Said {
  readonly place: Place;
  readonly severity: Severity;
  readonly confidence: Confidence;
  readonly flow: readonly FlowStep[];
  readonly source: string;
  readonly sink: string;
  readonly anchor: string;
  readonly edits?: readonly { path: string; start: number; end: number; text: string }[];
}

export function matchOf(rule: TaintRule, { place, severity, confidence, flow, source, sink, anchor, edits = [] }: Said): MatchInput {
  return {
    rule: rule.id,
    analyser: "code",
    verdict: rule.verdict,
    title: rule.title,
    message: sentence(rule.message.replaceAll("{source}", () => source).replaceAll("{sink}", () => sink)),
    severity,
    confidence,
    cwe: [...rule.cwe],
    place,
    flow: [...flow],
    // A vector speaks of the case that the rule speaks of: what is told lower is told without it.
    cvss: severity === rule.severity ? rule.cvss.flatMap((vector) => scoreVector(vector) ?? []) : [],
    fix: { text: rule.fix, edits: [...edits] },
    references: [...rule.references],
    anchor: anchor.slice(0, 400),
  };
}

function sentence(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
