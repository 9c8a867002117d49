import type { GateDecision } from "@plastron/contracts";
import { type ForgeRequest, segment, type Target } from "./request.ts";
import { titleOf } from "./summary.ts";

const CONTEXT = "plastron/gate";

/** GitLab's commit status (https://docs.gitlab.com/api/commits/#set-the-pipeline-status-of-a-commit). */
export function gitlabStatus(decision: GateDecision, { repository, commit, details_url }: Target): ForgeRequest[] {
  const state = decision.decision === "pass" ? "success" : "failed";
  const more = details_url ? { target_url: details_url } : {};
  return [
    {
      method: "POST",
      path: `/projects/${segment(repository)}/statuses/${segment(commit)}`,
      body: { state, name: CONTEXT, description: titleOf(decision), ...more },
    },
  ];
}

/** Gitea's and Forgejo's (https://docs.gitea.com/api/ repoCreateStatus). `error` is what could not be said; both block a protected branch. */
export function giteaStatus(decision: GateDecision, { repository, commit, details_url }: Target): ForgeRequest[] {
  const [owner = "", name = ""] = repository.split("/");
  const state = { pass: "success", deny: "failure", hold: "error" }[decision.decision];
  const more = details_url ? { target_url: details_url } : {};
  return [
    {
      method: "POST",
      path: `/repos/${segment(owner)}/${segment(name)}/statuses/${segment(commit)}`,
      body: { state, context: CONTEXT, description: titleOf(decision), ...more },
    },
  ];
}
