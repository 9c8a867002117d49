import { inOrder, invalidBy, type ProblemEntry, parseAs, type SourceDocument } from "@plastron/document";
import { tooBroad } from "./breadth.ts";
import { samePerson } from "./person.ts";
import { type Exemption, exemptionsSchema } from "./schema.ts";

/** Where it stands: beside the code that it is about. */
export const EXEMPTIONS_PATH = ".plastron/exemptions.yaml";
export const MOST_DAYS = 90;

const KIND = { noun: "file of exemptions", code: "invalid_document" } as const;
const HINT = "docs/guides/exempt-a-finding.md shows every field. No exemption of the file counts until it is mended.";

/**
 * Text of `.plastron/exemptions.yaml` → exemptions. Throws PlastronError invalid_document with every fault's line and column: fields that
 * are none, an approver who is the author, more than 90 days, scopes that cover everything. A file with one fault exempts nothing.
 */
export function parseExemptions(text: string): Exemption[] {
  const { value, source } = parseAs(text, exemptionsSchema, KIND);
  const seen = new Set<string>();
  const faults = value.exemptions.flatMap((exemption, at) => {
    const fault = (field: string, message: string): ProblemEntry => ({
      path: `exemptions[${at}].${field}`,
      message,
      ...placeOf(`exemptions[${at}]`, field, source),
    });
    const twice = seen.has(exemption.id) ? [fault("id", `the id ${exemption.id} is taken by another exemption`)] : [];
    seen.add(exemption.id);
    return [...twice, ...faultsOf(exemption, fault)];
  });
  if (faults.length > 0) throw invalidBy(KIND)(inOrder(faults), HINT);
  return value.exemptions;
}

type Fault = (field: string, message: string) => ProblemEntry;

function faultsOf(exemption: Exemption, fault: Fault): ProblemEntry[] {
  const { scope, author, approver, created, expires, status, justification } = exemption;
  const faults: ProblemEntry[] = [];
  const broad = tooBroad(scope);
  if (broad) faults.push(fault("scope", broad));
  if (scope.versions !== undefined && !scope.dependency) faults.push(fault("scope.versions", "versions are a dependency's: say which"));
  if (scope.through !== undefined && !scope.dependency) faults.push(fault("scope.through", "a way leads to a dependency: say to which"));
  if (samePerson(author, approver)) faults.push(fault("approver", `${approver} is its author: somebody else must answer for it`));
  const days = daysBetween(created, expires);
  if (days <= 0) faults.push(fault("expires", "must be after the day on which it was created"));
  if (days > MOST_DAYS)
    faults.push(fault("expires", `is ${days} days after its creation, and ${MOST_DAYS} are the most: ${addDays(created, MOST_DAYS)} at the latest`));
  if (status === "not_affected" && justification === undefined)
    faults.push(fault("status", "not_affected needs a justification, which says why the harm cannot happen here"));
  if (status !== "not_affected" && justification !== undefined) faults.push(fault("justification", "is for the status not_affected alone"));
  return faults;
}

function placeOf(entry: string, field: string, { positions }: SourceDocument) {
  return positions.get(`${entry}.${field}`) ?? positions.get(entry);
}

/** Whole days between two dates of the form 2026-01-31. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
