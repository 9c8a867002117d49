import { entriesOf, inOrder, type Position, readDocument } from "@plastron/document";
import { checkMeaning } from "./check.ts";
import { invalid, POLICY } from "./invalid.ts";
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
  const source = readDocument(text, POLICY);
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
