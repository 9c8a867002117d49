import type { GateDecision } from "@plastron/contracts";
import { fits } from "./glob.ts";
import type { GatePolicy } from "./policy.ts";

/** One line of what a pre-receive hook reads: `OLD NEW REF`. Null for a ref that is made or goes. */
export interface RefUpdate {
  readonly ref: string;
  readonly old: string | null;
  readonly new: string | null;
}

/** What git knows of an update of a branch; asked only of protected ones. */
export interface UpdateFacts {
  /** Whether the old commit is among the ancestors of the new one. */
  readonly forward: boolean;
  /** First-parent commits that the update brings: what enters the branch by itself, newest first. */
  readonly commits: readonly { readonly commit: string; readonly parents: number; readonly elsewhere: boolean }[];
}

/** Parses the hook's standard input. Throws on a line that is none: what is not understood must not pass. */
export function parseUpdates(input: string): RefUpdate[] {
  const lines = input.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [, old = "", next = "", ref = ""] = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (.+)$/.exec(line) ?? [];
    if (ref === "") throw new Error(`a hook's line that is none: ${JSON.stringify(line.slice(0, 200))}`);
    return { ref, old: /^0+$/.test(old) ? null : old, new: /^0+$/.test(next) ? null : next };
  });
}

/** The branch that an update is of, where the policy protects it; null where it is none that matters. */
export function protectedBranch(ref: string, policy: GatePolicy): string | null {
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  return branch !== undefined && policy.protected.some((pattern) => fits(pattern, branch)) ? branch : null;
}

/**
 * Why an update of a protected branch is refused whatever it holds, or null where its content decides. A merge brings commits with two parents
 * or more, or, fast-forwarded, commits that the server had from another ref already; all else entered directly.
 */
export function refusedUpdate(update: RefUpdate, branch: string, facts: UpdateFacts | null, policy: GatePolicy): GateDecision["reasons"][number] | null {
  const deny = (rule: string, message: string, hint: string) => ({ rule, effect: "deny" as const, message, hint, fingerprints: [] });
  if (update.new === null || facts === null)
    return deny("protected", `${branch} is protected: it cannot be deleted`, "Take it out of `protected` in the gate policy first.");
  if (update.old !== null && !facts.forward)
    return deny("protected", `${branch} is protected: its history cannot be rewritten`, "Merge instead of forcing; revert what must go.");
  const direct = facts.commits.filter(({ parents, elsewhere }) => parents < 2 && !elsewhere);
  if (policy.direct_push === "allow" || direct.length === 0 || update.old === null) return null;
  const names = direct.slice(0, 3).map(({ commit }) => commit.slice(0, 10));
  return deny(
    "direct_push",
    `${branch} is protected: ${direct.length === 1 ? "a commit" : `${direct.length} commits`} (${names.join(", ")}${direct.length > 3 ? ", …" : ""}) would enter it directly`,
    "Push to a branch of your own, and merge that; `direct_push: allow` in the gate policy lets commits in that pass.",
  );
}
