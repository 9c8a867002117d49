import { setTimeout as sleep } from "node:timers/promises";
import { type GateDecision, PlastronError, toProblem } from "@plastron/contracts";
import {
  CHECK_NAME,
  DEFAULT_LIMITS,
  ForgeError,
  fetchCommits,
  githubCheck,
  githubCheckEnd,
  githubCheckStart,
  type Judgement,
  type judgeChange,
  makeScratch,
  parseExemptions,
  parseGatePolicy,
  type ScanOptions,
  type Target,
} from "@plastron/scan";
import { type InHand, MOST_TRIES } from "../../jobs/worker.ts";
import type { Github, GithubRepository, Pull } from "./github.ts";
import type { ChangeJobs } from "./jobs.ts";
import type { End, Job } from "./store.ts";

export interface Judging {
  readonly github: Github;
  readonly jobs: ChangeJobs;
  readonly server: string;
  /** The gate policy and environment that the project itself has. */
  readonly projectOf: (tenant: string, name: string) => Promise<{ gate: string | null; environment: string | null; exemptions: string | null }>;
  readonly scan: ScanOptions;
  /** packages/scan's, or a test's own. */
  readonly judge: typeof judgeChange;
  /** How often it is looked whether something newer came. */
  readonly lookMs: number;
}

/** A forge that cannot be reached is tried again for so long, ever more rarely; then nobody is told. */
const LONGEST_MS = 12 * 3_600_000;
const STATES: Readonly<Record<GateDecision["decision"], "passed" | "denied" | "held">> = { pass: "passed", deny: "denied", hold: "held" };

/** A newer state of the same pull request came, or it is closed: nobody waits for this one. */
class Overtaken extends Error {}

/**
 * Judges one change and tells GitHub by a check run: first that it is under way, then what came of it. Whatever happens ends the check: as a failure that
 * says why, never neutral. Where GitHub itself cannot be reached, the job is put back.
 */
export async function judgeForgeChange(job: Job, hand: InHand<null>, { github, jobs, server, ...more }: Judging): Promise<void> {
  try {
    const repository = await github.open(job, hand.signal);
    const end = await judged(job, hand.signal, repository, { jobs, server, ...more });
    await jobs.finish(job, server, end);
  } catch (error) {
    if (hand.signal.aborted) return; // given back, or another server's
    const { code, detail } = toProblem(error);
    const age = Date.now() - job.created_at.getTime();
    if (isPassing(error) && age < LONGEST_MS) return jobs.postpone(job, server, Math.min(3600, 10 + age / 2000));
    await jobs.finish(job, server, { status: "failed", problem: { code, detail } });
    throw error;
  }
}

type Parts = Omit<Judging, "github">;

async function judged(job: Job, signal: AbortSignal, repository: GithubRepository, parts: Parts): Promise<End> {
  const target = targetOf(job);
  const started_at = new Date().toISOString();
  const times = () => ({ started_at, completed_at: new Date().toISOString() });
  // What is overtaken before it was begun gets no check: a flood of pushes would leave a flood of them.
  const before = await stateOf(job, repository, parts.jobs).catch((error: Error) => error);
  if (before instanceof Overtaken && job.check_run === null) return superseded(before);
  if (before instanceof Error && isPassing(before)) throw before;
  const run = await startedRun(job, repository, started_at, parts);
  try {
    if (before instanceof Error) throw before;
    const { decision, head } = await whileCurrent(job, signal, repository, parts, (still) => judgement(job, still, repository, before.pull, parts));
    await repository.send(githubCheck(decision, head.findings, target, times(), run));
    return { status: STATES[decision.decision], decision };
  } catch (error) {
    if (signal.aborted || isPassing(error)) throw error;
    const overtaken = error instanceof Overtaken;
    const { code, detail, hint } = toProblem(error);
    const said = overtaken
      ? { title: `Not judged: ${error.message}`, summary: "" }
      : { title: `It could not be judged: ${detail}`, summary: `${detail}\n\n${hint}` };
    await repository.send([githubCheckEnd(target, overtaken ? "cancelled" : "failure", said, times(), run)]);
    return overtaken ? superseded(error) : { status: "failed", problem: { code, detail } };
  }
}

const isPassing = (error: unknown): boolean => error instanceof ForgeError && error.passing;
const superseded = ({ message }: Overtaken): End => ({ status: "superseded", problem: { code: "superseded", detail: message } });

/**
 * A check is a commit's, whatever that is to be merged into. So one that passes for another branch has another name: else who can push to any branch would
 * have a pass for the default one, by a pull request into a branch that holds the harm already.
 */
function targetOf({ repository, head, target }: Job): Target {
  return { repository, commit: head, ...(target === null ? {} : { check: `${CHECK_NAME}: ${target}` }) };
}

/** The check run of this change; one that a killed server left is found again, so that none stays in progress for ever. */
async function startedRun(job: Job, repository: GithubRepository, started_at: string, { jobs, server }: Parts): Promise<number> {
  if (job.check_run !== null) return job.check_run;
  const left = await repository.startedRun(targetOf(job), job.id);
  const run = left ?? (await repository.start(githubCheckStart(targetOf(job), started_at, job.id)));
  await jobs.begun(job, server, run);
  return run;
}

/** Does the work as long as nothing newer came for the same pull request. */
async function whileCurrent<Result>(
  job: Job,
  signal: AbortSignal,
  repository: GithubRepository,
  { jobs, lookMs }: Parts,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const [over, overtaken] = [new AbortController(), new AbortController()];
  const look = async () => {
    while (!over.signal.aborted && !overtaken.signal.aborted) {
      await sleep(lookMs, undefined, { signal: AbortSignal.any([over.signal, signal]) });
      if ((await jobs.newer(job)).length === 0) continue;
      await stateOf(job, repository, jobs).catch((error: Error) => error instanceof Overtaken && overtaken.abort(error));
    }
  };
  void look().catch(() => {}); // it is over, or the database is away: then the work ends by that
  try {
    return await work(AbortSignal.any([signal, overtaken.signal]));
  } catch (error) {
    throw overtaken.signal.aborted ? overtaken.signal.reason : error;
  } finally {
    over.abort();
  }
}

/** The pull request as it is now, for deliveries come in any order. @throws Overtaken where this is no state of it any more, or is judged again right after */
async function stateOf(job: Job, repository: GithubRepository, jobs: ChangeJobs): Promise<{ pull: Pull | null }> {
  if (await jobs.hasTwin(job)) throw new Overtaken("it is judged again right after");
  const pull = job.number === null ? null : await repository.pull(job.number);
  if (!pull || job.line !== `pull/${job.number}`) return { pull }; // a merge queue's commit stands for itself
  if (pull.state !== "open") throw new Overtaken("the pull request is closed");
  if (pull.head.sha !== job.head) throw new Overtaken("a newer commit was pushed");
  const retargeted = (await jobs.newer(job)).some(({ head, base }) => head === pull.head.sha && base === pull.base.sha);
  if (retargeted) throw new Overtaken("the pull request's base was changed");
  return { pull };
}

/** Of its pull request; of a push, those of the pull request that it merged: what they approved is the same. */
async function approversOf({ number, head }: Job, pull: Pull | null, repository: GithubRepository): Promise<string[]> {
  if (number !== null && pull) return repository.approvers(number, pull);
  const merged = await repository.mergedBy(head);
  return merged === null ? [] : repository.approvers(merged, await repository.pull(merged));
}

async function judgement(job: Job, signal: AbortSignal, repository: GithubRepository, pull: Pull | null, parts: Parts): Promise<Judgement> {
  if (job.tries > MOST_TRIES) throw new PlastronError("internal", `judging it was begun ${MOST_TRIES} times and never came to its end`);
  const { gate, environment, exemptions } = await parts.projectOf(job.tenant, job.project);
  const scratch = makeScratch();
  try {
    const commits = job.base === null ? [job.head] : [job.base, job.head];
    const fetched = await fetchCommits({ ...repository.clone, commits, scratch, limits: DEFAULT_LIMITS, signal });
    const approvals = await approversOf(job, pull, repository);
    const policy = gate === null ? undefined : parseGatePolicy(gate);
    const given = exemptions === null ? [] : parseExemptions(exemptions);
    const change = { repository: fetched, base: job.base, head: job.head, policy, environment, approvals, exemptions: given };
    return await parts.judge({ ...change, scan: parts.scan, signal });
  } finally {
    scratch.remove();
  }
}
