import { PlastronError, type ScanResult } from "@plastron/contracts";
import { approvedBy, EXEMPTIONS_PATH, type Exemption, parseExemptions, withExemptions } from "../exemptions/index.ts";
import { identitiesOf, type Reconciled } from "../findings/reconcile/index.ts";
import { type GitOptions, git } from "../intake/git-command.ts";

export interface Exempting {
  readonly git: GitOptions;
  /** What the change is to be merged into, as it stands now; null: nothing is there. */
  readonly base: string | null;
  /** Where it branched off. */
  readonly start: string | null;
  readonly head: string;
  /** Who approved the change, as told by means that its authors do not control. */
  readonly approvals: readonly string[];
  /** Those of whoever runs the gate: they count whatever the repository says. */
  readonly given: readonly Exemption[];
  readonly today: string;
  /** A file's text at a commit; null where it is not there. */
  fileAt(commit: string, path: string): Promise<string | null>;
}

/**
 * The scan of a change's end with the exemptions that count there: those that whoever runs the gate gives, and those that stand in what it is merged into. What
 * the change itself brings is not its own to approve, what was taken back since it branched off counts no more, and a file that is not valid exempts nothing;
 * the notes say all three.
 */
export async function exempting(result: ScanResult, reconciled: Reconciled, change: Exempting): Promise<ScanResult> {
  const [base, start, head] = await Promise.all([exemptionsAt(change, change.base), exemptionsAt(change, change.start), exemptionsAt(change, change.head)]);
  const merged = head.note === null ? mergedExemptions(base.exemptions, start.exemptions, head.exemptions) : [];
  if (merged.length === 0 && change.given.length === 0 && head.note === null) return result;
  const authors = await authorsOf(change);
  const { counted, pending } = approvedBy(base.exemptions, merged, { authors, approvals: change.approvals });
  const fresh = new Set(reconciled.fresh.map(({ fingerprint }) => fingerprint));
  const judged = withExemptions(result, [...change.given, ...counted], { today: change.today, known: identitiesOf(reconciled), authors, fresh });
  const notes = [head.note, ...pending.map(({ why }) => why)].filter((note) => note !== null);
  return { ...judged, coverage: { ...judged.coverage, notes: [...judged.coverage.notes, ...notes] } };
}

/** What the file will say once the change is merged: the change's own, and what the base gained since it branched off. */
function mergedExemptions(base: readonly Exemption[], start: readonly Exemption[], head: readonly Exemption[]): Exemption[] {
  const here = new Set([...start, ...head].map(({ id }) => id));
  return [...head, ...base.filter(({ id }) => !here.has(id))];
}

interface Read {
  readonly exemptions: readonly Exemption[];
  readonly note: string | null;
}
const NONE: Read = { exemptions: [], note: null };

async function exemptionsAt(change: Exempting, commit: string | null): Promise<Read> {
  const text = commit === null ? null : await change.fileAt(commit, EXEMPTIONS_PATH);
  if (text === null) return NONE;
  try {
    return { exemptions: parseExemptions(text), note: null };
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    return { exemptions: [], note: `${EXEMPTIONS_PATH} is not valid, so nothing is exempted: ${error.message}` };
  }
}

async function authorsOf({ git: options, start, head }: Exempting): Promise<string[]> {
  const range = start === null ? [head] : [head, `^${start}`];
  const log = await git(options, ["log", "-z", "--format=%an <%ae>", "--end-of-options", ...range]);
  return [...new Set(log.toString("utf8").split("\0").filter(Boolean))];
}
