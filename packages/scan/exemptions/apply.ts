import type { Finding } from "@plastron/contracts";
import { covers, isGrave } from "./covers.ts";
import { daysBetween } from "./parse.ts";
import { samePerson } from "./person.ts";
import type { Exemption } from "./schema.ts";

export interface ExemptionContext {
  /** 2026-01-31. */
  readonly today: string;
  /** Fingerprints of findings that moved → those under which they were known (`identitiesOf`), so that an exemption follows its finding. */
  readonly known?: ReadonlyMap<string, string>;
  /** Who wrote what is judged, where that is known: nobody answers for their own. */
  readonly authors?: readonly string[];
  /** Fingerprints of what they wrote; absent: all of it. */
  readonly fresh?: ReadonlySet<string>;
  /** They lie in what is judged, whose maker would exempt malice first: it stays open. Absent: somebody vouches for them. */
  readonly from?: "artifact";
}

export interface Exempted {
  readonly findings: Finding[];
  /** For the reader: what reopened, what does not count and why, what covers nothing any more. */
  readonly notes: string[];
}

/** Marks the findings that somebody answers for today. An exemption that has expired, or whose approver wrote the code, marks nothing, and the notes say so. */
export function applyExemptions(findings: readonly Finding[], exemptions: readonly Exemption[], context: ExemptionContext): Exempted {
  const refused = new Map(exemptions.flatMap((exemption) => pair(exemption, refusal(exemption, context))));
  const counting = exemptions.filter((exemption) => !refused.has(exemption)).toSorted(byPrecision);
  const used = new Map<Exemption, number>();
  const marked = findings.map((finding) => {
    const exemption = counting.find(
      (exemption) => covers(exemption, finding, context.known) && !isOwn(exemption, finding, context) && !ofItself(finding, context),
    );
    if (!exemption) return { ...finding, state: "open" as const, exemption: null };
    used.set(exemption, (used.get(exemption) ?? 0) + 1);
    const { id, reason, approver, expires, status, justification = null } = exemption;
    return { ...finding, state: "exempted" as const, exemption: { id, reason, approver, expires, status, justification } };
  });
  return { findings: marked, notes: [...refusedNotes(refused, marked, context), ...unusedNotes(counting, used, marked, context)] };
}

function isOwn({ approver }: Exemption, { fingerprint }: Finding, { authors = [], fresh }: ExemptionContext): boolean {
  return (fresh?.has(fingerprint) ?? true) && authors.some((author) => samePerson(author, approver));
}

function ofItself({ verdict }: Finding, { from }: ExemptionContext): boolean {
  return from === "artifact" && verdict === "malice";
}

function refusal({ created, expires }: Exemption, { today }: ExemptionContext): string | null {
  const late = daysBetween(expires, today);
  if (late > 0) return `expired ${late === 1 ? "yesterday" : `${late} days ago`}`;
  return daysBetween(today, created) > 0 ? `begins on ${created}` : null;
}

function refusedNotes(refused: ReadonlyMap<Exemption, string>, findings: readonly Finding[], { known }: ExemptionContext): string[] {
  return [...refused].map(([exemption, why]) => {
    const again = findings.filter((finding) => finding.state === "open" && covers(exemption, finding, known)).length;
    return `exemption ${exemption.id} ${why}${again === 0 ? "; nothing is left of what it was for: delete it" : `: ${again === 1 ? "1 finding is" : `${again} findings are`} open again`}`;
  });
}

function unusedNotes(counting: readonly Exemption[], used: ReadonlyMap<Exemption, number>, findings: readonly Finding[], context: ExemptionContext): string[] {
  return counting.flatMap((exemption) => {
    const covered = findings.filter((finding) => covers(exemption, finding, context.known));
    const own = covered.filter((finding) => finding.state === "open" && isOwn(exemption, finding, context)).length;
    if (own > 0)
      return [
        `exemption ${exemption.id} does not count for ${own === 1 ? "1 finding" : `${own} findings`}: ${exemption.approver}, who approved it, wrote the code`,
      ];
    if (used.has(exemption)) return [];
    if (covered.some((finding) => ofItself(finding, context)))
      return [`exemption ${exemption.id} does not count for malice where it lies in what is scanned: name its file with --exemptions to vouch for it`];
    const grave = findings.find((finding) => isGrave(finding) && covers(exemption, { ...finding, verdict: "weakness", secret: null }, context.known));
    if (grave) return [`exemption ${exemption.id} does not cover malice or a live secret: only one that names the fingerprint ${grave.fingerprint} does`];
    return [`exemption ${exemption.id} ${covered.length > 0 ? "is not needed: others cover what it is for" : "covers nothing (any more)"}: delete it`];
  });
}

const pair = (exemption: Exemption, why: string | null): [Exemption, string][] => (why === null ? [] : [[exemption, why]]);

/** The most exact one answers: a fingerprint, then a package, then rules; among equals the one that lasts longest. */
function byPrecision(a: Exemption, b: Exemption): number {
  const exactness = ({ scope }: Exemption): number => (scope.fingerprint ? 0 : (scope.advisory ?? scope.dependency) ? 1 : 2);
  return exactness(a) - exactness(b) || (a.expires > b.expires ? -1 : a.expires < b.expires ? 1 : 0) || (a.id < b.id ? -1 : 1);
}
