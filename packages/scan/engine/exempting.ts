import { PlastronError, type ScanResult } from "@plastron/contracts";
import { approvedBy, EXEMPTIONS_PATH, type Exemption, parseExemptions, withExemptions } from "../exemptions/index.ts";
import { identitiesOf, type Reconciled } from "../findings/reconcile/index.ts";
import { type GitOptions, git } from "../intake/git-command.ts";

export interface Exempting {
  readonly git: GitOptions;
  /** Where the change starts; null: nothing was there before. */
  readonly start: string | null;
  readonly head: string;
  /** Who approved the change, as told by means that its authors do not control. */
  readonly approvals: readonly string[];
  readonly today: string;
  /** A file's text at a commit; null where it is not there. */
  fileAt(commit: string, path: string): Promise<string | null>;
}

/**
 * The scan of a change's end with the exemptions that count there: those that stand where it starts. What the change itself brings is not
 * its own to approve, and a file that is not valid exempts nothing; the notes say both.
 */
export async function exempting(result: ScanResult, reconciled: Reconciled, change: Exempting): Promise<ScanResult> {
  const base = change.start === null ? NONE : await exemptionsAt(change, change.start);
  const head = await exemptionsAt(change, change.head);
  if (base.exemptions.length === 0 && head.exemptions.length === 0 && head.note === null) return result;
  const authors = await authorsOf(change);
  const { counted, pending } = approvedBy(base.exemptions, head.exemptions, { authors, approvals: change.approvals });
  const fresh = new Set(reconciled.fresh.map(({ fingerprint }) => fingerprint));
  const judged = withExemptions(result, counted, { today: change.today, known: identitiesOf(reconciled), authors, fresh });
  const notes = [head.note, ...pending.map(({ why }) => why)].filter((note) => note !== null);
  return { ...judged, coverage: { ...judged.coverage, notes: [...judged.coverage.notes, ...notes] } };
}

interface Read {
  readonly exemptions: readonly Exemption[];
  readonly note: string | null;
}
const NONE: Read = { exemptions: [], note: null };

async function exemptionsAt(change: Exempting, commit: string): Promise<Read> {
  const text = await change.fileAt(commit, EXEMPTIONS_PATH);
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
