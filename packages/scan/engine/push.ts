import type { GateDecision } from "@plastron/contracts";
import type { GatePolicy } from "../gate/policy.ts";
import { parseUpdates, protectedBranch, type RefUpdate, refusedUpdate, type UpdateFacts } from "../gate/push.ts";
import { type GitOptions, git, gitLine } from "../intake/git-command.ts";
import { type Judgement, judgeChange, policyAt } from "./change.ts";
import type { ScanOptions } from "./options.ts";

export interface Push extends GitOptions {
  /** What git gives its pre-receive hook. */
  readonly input: string;
  /** The server's own; without it that of the repository's default branch, then the default. */
  readonly policy?: GatePolicy | undefined;
  /** What protected branches of this repository are meant for, where the policy has environments. */
  readonly environment?: string | null;
  readonly scan?: ScanOptions;
}

/** A protected branch that the push would change: refused whatever it holds, or judged by it. */
export type JudgedUpdate =
  | { readonly branch: string; readonly reason: GateDecision["reasons"][number]; readonly judgement?: undefined }
  | { readonly branch: string; readonly judgement: Judgement };

/**
 * Judges each protected branch that a push would change. The new commits are in git's quarantine, which its environment names; they are seen here and by
 * nobody else. Throws where anything cannot be told: the caller then refuses.
 */
export async function* judgePush(push: Push): AsyncIterable<JudgedUpdate> {
  const policy = push.policy ?? (await policyAt(push, await defaultTip(push)));
  for (const asked of parseUpdates(push.input)) {
    const update = { ...asked, ref: await pointedAt(push, asked.ref) };
    const branch = protectedBranch(update.ref, policy);
    if (branch === null) continue;
    const reason = refusedUpdate(update, branch, await factsOf(push, update), policy);
    if (reason) yield { branch, reason };
    else {
      const base = update.old ?? (await defaultTip(push));
      const change = { repository: push.repository, env: push.env, signal: push.signal, scan: push.scan, environment: push.environment ?? null };
      yield { branch, judgement: await judgeChange({ ...change, base, head: update.new as string, policy }) };
    }
  }
}

/** The branch that a symbolic ref stands for: git writes through it, so a push to HEAD, or to any alias, is a push to that branch. */
async function pointedAt(options: GitOptions, ref: string): Promise<string> {
  let at = ref;
  for (let links = 0; links < 5; links++) {
    const next = await gitLine(options, ["symbolic-ref", "--quiet", "--", at]).catch(() => null);
    if (next === null || next === at) return at;
    at = next;
  }
  throw new Error(`${ref} leads through too many symbolic refs`);
}

async function factsOf(push: Push, update: RefUpdate): Promise<UpdateFacts | null> {
  if (update.new === null) return null;
  if (update.old === null) return { forward: true, commits: [] };
  const { old } = update;
  const forward = await git(push, ["merge-base", "--is-ancestor", old, update.new]).then(
    () => true,
    () => false,
  );
  // Not `--not --all` alone: the branch itself is among them, at its old commit, which is what `^old` says.
  const [entering, unknown] = await Promise.all([revisions(push, [update.new, `^${old}`]), revisions(push, [update.new, "--not", "--all"])]);
  const elsewhere = new Set(unknown.map(({ commit }) => commit));
  return { forward, commits: entering.map((each) => ({ ...each, elsewhere: !elsewhere.has(each.commit) })) };
}

async function revisions(options: GitOptions, which: readonly string[]): Promise<{ commit: string; parents: number }[]> {
  const list = (await git(options, ["rev-list", "--first-parent", "--parents", ...which])).toString("latin1");
  return list
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [commit = "", ...parents] = line.split(" ");
      return { commit, parents: parents.length };
    });
}

/** The commit of the default branch, or null in a repository that has none yet. */
async function defaultTip(options: GitOptions): Promise<string | null> {
  return gitLine(options, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).catch(() => null);
}
