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
  readonly projectOf: (tenant: string, name: string) => Promise<{ gate: string | null; environment: string | null }>;
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
    if (error instanceof ForgeError && error.passing && age < LONGEST_MS) return jobs.postpone(job, server, Math.min(3600, 10 + age / 2000));
    await jobs.finish(job, server, { status: "failed", problem: { code, detail } });
    throw error;
  }
}

type Parts = Omit<Judging, "github">;

async function judged(job: Job, signal: AbortSignal, repository: GithubRepository, parts: Parts): Promise<End> {
  const target = targetOf(job);
  const started_at = new Date().toISOString();
  const times = () => ({ started_at, completed_at: new Date().toISOString() });
  const run = await startedRun(job, repository, started_at, parts);
  try {
    const { decision, head } = await whileCurrent(job, signal, repository, parts, (pull, still) => judgement(job, still, repository, pull, parts));
    await repository.send(githubCheck(decision, head.findings, target, times(), run));
    return { status: STATES[decision.decision], decision };
  } catch (error) {
    if (signal.aborted || (error instanceof ForgeError && error.passing)) throw error;
    const overtaken = error instanceof Overtaken;
    const { code, detail, hint } = toProblem(error);
    const problem = overtaken ? { code: "superseded", detail: error.message } : { code, detail };
    const said = overtaken
      ? { title: `Not judged: ${error.message}`, summary: "" }
      : { title: `It could not be judged: ${detail}`, summary: `${detail}\n\n${hint}` };
    await repository.send([githubCheckEnd(target, overtaken ? "cancelled" : "failure", said, times(), run)]);
    return { status: overtaken ? "superseded" : "failed", problem };
  }
}

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
  work: (pull: Pull | null, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const pull = job.number === null ? null : await repository.pull(job.number);
  if (await jobs.hasTwin(job)) throw new Overtaken("it is judged again right after");
  const own = job.line === `pull/${job.number}`; // a merge queue's commit stands for itself
  if (pull && own) await demandCurrent(job, pull, jobs);
  const [over, overtaken] = [new AbortController(), new AbortController()];
  const look = async () => {
    while (pull && own && !over.signal.aborted) {
      await sleep(lookMs, undefined, { signal: AbortSignal.any([over.signal, signal]) });
      if ((await jobs.newer(job)).length > 0) await demandCurrent(job, await repository.pull(job.number as number), jobs);
    }
  };
  void look().catch((error: Error) => error instanceof Overtaken && overtaken.abort(error));
  try {
    return await work(pull, AbortSignal.any([signal, overtaken.signal]));
  } catch (error) {
    throw overtaken.signal.aborted ? overtaken.signal.reason : error;
  } finally {
    over.abort();
  }
}

/** Deliveries come in any order: what holds now, GitHub says. */
async function demandCurrent(job: Job, { state, head, base }: Pull, jobs: ChangeJobs): Promise<void> {
  if (state !== "open") throw new Overtaken("the pull request is closed");
  if (head.sha !== job.head) throw new Overtaken("a newer commit was pushed");
  const retargeted = (await jobs.newer(job)).some((newer) => newer.head === head.sha && newer.base === base.sha);
  if (retargeted) throw new Overtaken("the pull request's base was changed");
}

/** Of its pull request; of a push, those of the pull request that it merged: what they approved is the same. */
async function approversOf({ number, head }: Job, pull: Pull | null, repository: GithubRepository): Promise<string[]> {
  if (number !== null && pull) return repository.approvers(number, pull);
  const merged = await repository.mergedBy(head);
  return merged === null ? [] : repository.approvers(merged, await repository.pull(merged));
}

async function judgement(job: Job, signal: AbortSignal, repository: GithubRepository, pull: Pull | null, parts: Parts): Promise<Judgement> {
  if (job.tries > MOST_TRIES) throw new PlastronError("internal", `judging it was begun ${MOST_TRIES} times and never came to its end`);
  const { gate, environment } = await parts.projectOf(job.tenant, job.project);
  const scratch = makeScratch();
  try {
    const commits = job.base === null ? [job.head] : [job.base, job.head];
    const fetched = await fetchCommits({ ...repository.clone, commits, scratch, limits: DEFAULT_LIMITS, signal });
    const approvals = await approversOf(job, pull, repository);
    const policy = gate === null ? undefined : parseGatePolicy(gate);
    return await parts.judge({ repository: fetched, base: job.base, head: job.head, policy, environment, approvals, scan: parts.scan, signal });
  } finally {
    scratch.remove();
  }
}
