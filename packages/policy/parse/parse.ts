import { checkMeaning } from "./check.ts";
import { inOrder, invalid, type Position, type ProblemEntry, readDocument, type SourceDocument } from "./document.ts";
import { member, pathOf } from "./path.ts";
import { faultsOfTheRest } from "./rest.ts";
import { type PolicyDocument, policySchema } from "./schema.ts";

/** A valid document, with the place of every value in its text so that later refusals can name a line. */
export type ParsedPolicy = PolicyDocument & {
  readonly positions: ReadonlyMap<string, Position>;
  /** Unknown and mis-filed rule names have no effect, as upstream; the fidelity report has a row for each. */
  readonly upstreamCompat: boolean;
};

/**
 * YAML (or JSON) text of one VarmorPolicy or VarmorClusterPolicy → the document. Any text may be given.
 * Throws PlastronError invalid_policy, whose `errors` have path, message, line and column of everything that is wrong,
 * misspelt names with the nearest valid one. A rule that cannot be enforced on a host is no error: its row in the report says so.
 * With `upstreamCompat` what upstream passes over in silence is a row, too.
 */
export function parsePolicy(text: string, options: { upstreamCompat?: boolean } = {}): ParsedPolicy {
  const source = readDocument(text);
  const result = policySchema.safeParse(source.value);
  const meant = { positions: source.positions, upstreamCompat: options.upstreamCompat ?? false };
  if (!result.success) {
    const { issues } = result.error;
    const faults = [...issues.flatMap((issue) => entriesOf(issue, source)), ...faultsOfTheRest(source.value, issues, meant)];
    throw invalid(inOrder(faults));
  }
  const policy = { ...result.data, ...meant };
  checkMeaning(policy);
  return policy;
}

function entriesOf(issue: { code: string; path: PropertyKey[]; message: string; keys?: string[] }, source: SourceDocument): ProblemEntry[] {
  const path = pathOf(issue.path);
  const missing = issue.code === "invalid_type" && issue.path.length > 0 && !source.positions.has(path);
  if (missing) return [{ path, message: `${path} is missing`, ...placeOf(issue.path, source) }];
  if (issue.code !== "unrecognized_keys" || !issue.keys)
    return [{ path, message: `${path || "the document"}: ${inWords(issue.message)}`, ...placeOf(issue.path, source) }];
  const messages = issue.message.split("; ");
  return issue.keys.map((key, i) => ({ path: member(path, key), message: messages[i] ?? issue.message, ...source.keys.get(member(path, key)) }));
}

const TYPES: Record<string, string> = {
  string: "text (in quotes, if it looks like a number)",
  boolean: "a boolean, true or false",
  array: "a list",
  object: "a map of fields",
  record: "a map of fields",
};

/** The schema library's own words for a value of another type, in ours. */
function inWords(message: string): string {
  const expected = /^Invalid input: expected (\w+), received \w+$/.exec(message)?.[1];
  return expected === undefined ? message : `must be ${TYPES[expected] ?? `a ${expected}`}`;
}

/** A missing field has no place of its own: the nearest thing around it that has one. */
function placeOf(parts: readonly PropertyKey[], source: SourceDocument): Position | undefined {
  for (let length = parts.length; length >= 0; length--) {
    const place = source.positions.get(pathOf(parts.slice(0, length)));
    if (place) return place;
  }
  return undefined;
}
