import { type Forge, type ForgeRequest, giteaStatus, githubCheck, gitlabStatus, type Judgement, sendToForge } from "@plastron/scan";
import { usage } from "../failure.ts";

/** Where a CI job runs, as its forge tells it in the environment. */
export interface Place {
  readonly forge: Forge;
  requests(judgement: Judgement, started: Date): ForgeRequest[];
}

type Env = Readonly<Record<string, string | undefined>>;
export const FORGES = ["github", "gitlab", "gitea"] as const;
export type ForgeName = (typeof FORGES)[number];

/** Tells a forge what a gate decided, as the CI job's own environment says where and by which token. */
export async function tellForge(name: string, judgement: Judgement, started: Date, env: Env = process.env): Promise<void> {
  const place = placeOf(name, env);
  await sendToForge(place.forge, place.requests(judgement, started));
}

export function placeOf(name: string, env: Env): Place {
  if (name === "github") return github(env);
  if (name === "gitlab") return gitlab(env);
  if (name === "gitea") return gitea(env);
  throw usage(`there is no forge ${name}`, `Forges are ${FORGES.join(", ")}.`);
}

function github(env: Env): Place {
  const { GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } = needed(env, "GITHUB_REPOSITORY", "GITHUB_TOKEN");
  const root = env.GITHUB_API_URL || "https://api.github.com";
  const details_url = env.GITHUB_RUN_ID ? `${env.GITHUB_SERVER_URL || "https://github.com"}/${repository}/actions/runs/${env.GITHUB_RUN_ID}` : undefined;
  return {
    forge: { name: "GitHub", root, headers: { Authorization: `Bearer ${token}`, Accept: "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28" } },
    requests: ({ decision, head }, started) =>
      githubCheck(
        decision,
        head.findings,
        { repository, commit: commitOf(head, env.PLASTRON_COMMIT), details_url },
        { started_at: started.toISOString(), completed_at: new Date().toISOString() },
      ),
  };
}

function gitlab(env: Env): Place {
  const { CI_API_V4_URL: root, CI_PROJECT_ID: repository } = needed(env, "CI_API_V4_URL", "CI_PROJECT_ID");
  const { GITLAB_TOKEN: token } = needed(env, "GITLAB_TOKEN");
  return {
    forge: { name: "GitLab", root, headers: { "PRIVATE-TOKEN": token } },
    requests: ({ decision, head }) => gitlabStatus(decision, { repository, commit: commitOf(head, env.PLASTRON_COMMIT), details_url: env.CI_JOB_URL }),
  };
}

function gitea(env: Env): Place {
  const { GITEA_URL: url, GITEA_REPOSITORY: repository, GITEA_TOKEN: token } = needed(env, "GITEA_URL", "GITEA_REPOSITORY", "GITEA_TOKEN");
  return {
    forge: { name: "Gitea", root: `${url.replace(/\/+$/, "")}/api/v1`, headers: { Authorization: `token ${token}` } },
    requests: ({ decision, head }) => giteaStatus(decision, { repository, commit: commitOf(head, env.PLASTRON_COMMIT) }),
  };
}

/** The commit that was judged. GitHub's pull requests are checked out as a merge that nobody pushed: PLASTRON_COMMIT names the one that is shown. */
function commitOf({ artifact }: Judgement["head"], told: string | undefined): string {
  const commit = told || artifact.revision || "";
  if (!/^[0-9a-f]{40,64}$/.test(commit))
    throw usage(`${JSON.stringify(commit)} is no whole commit hash`, "Set PLASTRON_COMMIT to the commit that the status is for.");
  return commit;
}

function needed<Name extends string>(env: Env, ...names: Name[]): Record<Name, string> {
  const missing = names.filter((name) => !env[name]);
  if (missing.length > 0)
    throw usage(`${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set`, "docs/guides/gate.md shows the CI job for each forge.");
  return Object.fromEntries(names.map((name) => [name, env[name] as string])) as Record<Name, string>;
}
