import type { MatchInput, Place } from "@plastron/contracts";
import { inWords } from "./hidden/visible.ts";
import type { Judgement } from "./judge.ts";
import type { Signal } from "./signal.ts";

/** A judgement as a finding: what is there, decoded, why that matters, what to do. */
export function matchOf({ rule, grade, signal, beside }: Judgement, place: Place, placeOf: (signal: Signal) => Place | null): MatchInput {
  const message = fill(grade.message ?? rule.message, signal, beside, placeOf);
  const hidden = signal.hidden ? ` People do not see it: it stands in ${signal.hidden}.` : "";
  const decoded = signal.layers.length > 0 ? ` It was decoded (${signal.layers.join(", ")}): “${inWords(signal.detail)}”.` : "";
  const flow = beside.flatMap((other) => {
    const at = placeOf(other);
    return at ? [{ ...at, kind: "step" as const, message: `together with: ${other.name.replaceAll("-", " ")} (${inWords(other.detail, 120)})` }] : [];
  });
  return {
    ...{ rule: rule.id, analyser: "agentware", title: rule.title, cwe: rule.cwe, references: rule.references },
    ...{ verdict: grade.verdict ?? rule.verdict, severity: grade.severity ?? rule.severity, confidence: grade.confidence ?? rule.confidence },
    message: `${message}${hidden}${decoded}`.slice(0, 3900),
    place,
    flow: flow.length === 0 ? [] : [{ ...place, kind: "source" as const, message: signal.name.replaceAll("-", " ") }, ...flow],
    fix: { text: rule.fix },
    anchor: `${signal.name} ${inWords(signal.detail, 160).toLowerCase()}`,
  };
}

function fill(message: string, signal: Signal, [other]: readonly Signal[], placeOf: (signal: Signal) => Place | null): string {
  const at = other && message.includes("{beside}") ? placeOf(other) : null;
  const beside = other ? `${inWords(other.detail, 160)}${at ? ` (${at.path}:${at.line})` : ""}` : "";
  return message
    .replaceAll("{detail}", inWords(signal.detail))
    .replaceAll("{hidden}", signal.hidden ?? "plain sight")
    .replaceAll("{beside}", beside);
}
