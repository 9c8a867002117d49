import { ANALYSERS, type Approvals, type GateDecision, type ScanResult } from "@plastron/contracts";
import type { Exemption } from "../exemptions/index.ts";
import { knownAt, type Move, reconcile } from "../findings/reconcile/index.ts";
import { decide } from "../gate/decide.ts";
import type { Pentest } from "../gate/pentest.ts";
import { DEFAULT_GATE, type GatePolicy, parseGatePolicy, policyFor } from "../gate/policy.ts";
import type { Artifact } from "../intake/artifact.ts";
import { commitOf, type GitOptions, git, gitLine } from "../intake/git-command.ts";
import { openRevision } from "../intake/git-revision.ts";
import { APPROVALS_FILE, parseApprovals } from "./approvals.ts";
import { exempting } from "./exempting.ts";
import type { ScanOptions } from "./options.ts";
import { type Brought, pastOfBase, withBrought } from "./past.ts";
import { type OnProgress, Scanner } from "./scan.ts";

/** Where a project keeps its own, below its root. */
export const GATE_FILE = ".plastron/gate.yaml";
export const ATTESTATIONS = ".plastron/attestations";

export interface Change extends GitOptions {
  /** A commit; what it has in common with the head is what counts. Null: nothing was there before, and all is new. */
  readonly base: string | null;
  readonly head: string;
  /** The gate policy of whoever runs the gate; absent: that of the base, which the change cannot alter; then the default. */
  readonly policy?: GatePolicy | undefined;
  readonly environment?: string | null;
  /** Statements besides those in the head's own folder. */
  readonly pentests?: readonly Pentest[];
  /** Who approved the change, where a forge or a signature tells: exemptions that the change brings count by them alone. */
  readonly approvals?: readonly string[];
  /** Exemptions of whoever runs the gate, beside those of the base. */
  readonly exemptions?: readonly Exemption[];
  readonly scan?: ScanOptions;
  readonly now?: Date;
}

export interface Judgement {
  readonly decision: GateDecision;
  readonly head: ScanResult;
  /** Findings of the base alone: what this change ends. */
  readonly ended: number;
  readonly base: { readonly commit: string; readonly status: ScanResult["status"] } | null;
}

/**
 * Scans what a change starts from and what it ends in, tells new findings from those that stood there, and decides. What the change is judged by (the gate
 * policy, the exemptions, the approvals) is taken from what it is merged into, as that stands now, never from the change.
 */
export async function judgeChange(change: Change, onProgress: OnProgress = () => {}): Promise<Judgement> {
  const head = await commitOf(change, change.head);
  const base = change.base === null ? null : await commitOf(change, change.base);
  const start = base === null ? null : await mergeBase(change, base, head);
  // Of the base as it is now: who makes a change chooses where it branches off, which may be before there was a policy.
  const own = change.policy ?? (await policyAt(change, base));
  const policy = policyFor(own, change.environment ?? null);
  const approvals = change.scan?.approvals ?? (await approvalsAt(change, base));
  const { before, seen } = await scannedBoth(start, { head, base }, { ...change, scan: { ...change.scan, approvals } }, onProgress);
  const found = own.verify_secrets && !change.scan?.verifySecrets ? withNote(seen, NOT_ASKED) : seen;
  const reconciled = reconcile(before?.findings ?? [], found.findings, start === null ? [] : await movesBetween(change, start, head));
  const today = (change.now ?? new Date()).toISOString().slice(0, 10);
  const files = { git: change, base, start, head, fileAt: (commit: string, path: string) => fileAt(change, commit, path) };
  const after = await exempting(found, reconciled, { ...files, today, approvals: change.approvals ?? [], given: change.exemptions ?? [] });
  const pentests = [...(await pentestsAt(change, head)), ...(change.pentests ?? [])];
  const decision = decide({
    policy,
    head: after,
    known: new Set([...knownAt(reconciled), ...(await pastOfBase(after, change, base))]),
    pentests,
    now: change.now ?? new Date(),
  });
  return { decision, head: after, ended: reconciled.gone.length, base: start === null || before === null ? null : { commit: start, status: before.status } };
}

/** Where a policy came from is not known here, and a repository must not have its gate send what is in it anywhere: only `scan.verifySecrets` counts. */
const NOT_ASKED =
  "no provider was asked whether secrets work: verify_secrets is not followed in a repository's own policy, but by --policy, or as --verify-secrets";

function withNote(result: ScanResult, note: string): ScanResult {
  return { ...result, coverage: { ...result.coverage, notes: [...result.coverage.notes, note] } };
}

/** The newest commit that both have; without one, the base itself: unrelated histories have nothing in common that could be known. */
async function mergeBase(options: GitOptions, base: string, head: string): Promise<string> {
  return gitLine(options, ["merge-base", base, head]).catch(() => base);
}

/** Where it starts and where it ends, by the same workers. Providers are asked about secrets of the end alone. */
async function scannedBoth(start: string | null, brought: Brought, change: Change, onProgress: OnProgress) {
  const scanner = new Scanner(change.scan ?? {});
  const scanned = async (opened: Promise<Artifact>, more: Pick<ScanOptions, "verifySecrets"> = {}): Promise<ScanResult> => {
    const artifact = await opened;
    try {
      return await scanner.scan(artifact, onProgress, change.signal, more);
    } finally {
      await artifact.close();
    }
  };
  try {
    const before = start === null ? null : await scanned(openRevision(start, change), { verifySecrets: false });
    return { before, seen: await scanned(openHead(change, brought)) };
  } finally {
    await scanner.close();
  }
}

async function openHead(change: Change, brought: Brought): Promise<Artifact> {
  const artifact = await openRevision(brought.head, change);
  return (change.scan?.analysers ?? ANALYSERS).includes("secrets") ? withBrought(artifact, change, brought).catch(closed(artifact)) : artifact;
}

const closed = (artifact: Artifact) => async (error: unknown) => {
  await artifact.close();
  throw error;
};

/** The project's policy as it stands at a commit. One that is not valid is an error: it must not turn into the default, which may ask for less. */
export async function policyAt(options: GitOptions, commit: string | null): Promise<GatePolicy> {
  const text = commit === null ? null : await fileAt(options, commit, GATE_FILE);
  return text === null ? DEFAULT_GATE : parseGatePolicy(text);
}

/** What was approved as it stands at a commit. */
async function approvalsAt(options: GitOptions, commit: string | null): Promise<Approvals | null> {
  const text = commit === null ? null : await fileAt(options, commit, APPROVALS_FILE);
  return text === null ? null : parseApprovals(text);
}

/** A file's text at a commit, or null where it is not there. */
export async function fileAt(options: GitOptions, commit: string, path: string): Promise<string | null> {
  const there = await gitLine(options, ["ls-tree", "--full-tree", "--name-only", "--end-of-options", commit, "--", path]);
  return there === "" ? null : (await git(options, ["cat-file", "blob", "--end-of-options", `${commit}:${path}`])).toString("utf8");
}

async function pentestsAt(options: GitOptions, commit: string): Promise<Pentest[]> {
  const list = await git(options, ["ls-tree", "-z", "--full-tree", "--name-only", "--end-of-options", commit, "--", `${ATTESTATIONS}/`]);
  const paths = list
    .toString("utf8")
    .split("\0")
    .filter((path) => path.endsWith(".json"));
  const newest = paths.toSorted().slice(-MOST_STATEMENTS);
  return Promise.all(newest.map(async (where) => ({ where, text: (await fileAt(options, commit, where)) ?? "" })));
}

const MOST_STATEMENTS = 100;

/** Files that git takes for renamed. */
async function movesBetween(options: GitOptions, base: string, head: string): Promise<Move[]> {
  const args = ["diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--no-ext-diff", "--no-textconv", "--end-of-options", base, head];
  const fields = (await git(options, args)).toString("utf8").split("\0");
  const moves: Move[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) moves.push({ from: fields[at + 1] as string, to: fields[at + 2] as string });
  return moves;
}
