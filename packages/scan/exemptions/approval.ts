import { personOf, samePerson } from "./person.ts";
import type { Exemption } from "./schema.ts";

export interface Approval {
  /** Who wrote the commits of the change. */
  readonly authors: readonly string[];
  /** Who approved it by means that its authors do not control: a forge's review, a verified signature of a commit. */
  readonly approvals?: readonly string[];
}

export interface Approved {
  readonly counted: Exemption[];
  readonly pending: { readonly exemption: Exemption; readonly why: string }[];
}

/**
 * Which exemptions of a change count when the change itself is judged: those that stand at its base just so, or end earlier now. One that the
 * change brings, or widens, is words of its author: it counts where its approver is none of the authors and did approve, as told from outside.
 */
export function approvedBy(base: readonly Exemption[], head: readonly Exemption[], { authors, approvals = [] }: Approval): Approved {
  const stood = new Map(base.map((exemption) => [exemption.id, exemption]));
  const counted: Exemption[] = [];
  const pending: { exemption: Exemption; why: string }[] = [];
  for (const exemption of head) {
    const why = standsAt(stood.get(exemption.id), exemption) ? null : unapproved(exemption, authors, approvals);
    if (why === null) counted.push(exemption);
    else pending.push({ exemption, why });
  }
  return { counted, pending };
}

function standsAt(base: Exemption | undefined, head: Exemption): boolean {
  return base !== undefined && head.expires <= base.expires && canonical({ ...head, expires: base.expires }) === canonical(base);
}

function unapproved({ id, approver }: Exemption, authors: readonly string[], approvals: readonly string[]): string | null {
  if (authors.some((author) => samePerson(author, approver)))
    return `exemption ${id} is new in this change, and its approver ${approver} is one of the change's authors`;
  const given = new Set(approvals.map(personOf));
  return given.has(personOf(approver)) ? null : `exemption ${id} is new in this change: merge it first by itself, or have ${approver} approve the change`;
}

/** Equal for equal meaning, whatever the order of the fields in the file. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
