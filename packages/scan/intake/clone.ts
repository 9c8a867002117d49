import { join } from "node:path";
import type { Artifact } from "./artifact.ts";
import { fetchWith, type Scratch, withoutCredentials } from "./download.ts";
import { GIT_ENVIRONMENT } from "./git-command.ts";
import { withHistory } from "./git-history.ts";
import { openRevision, type RevisionOptions } from "./git-revision.ts";
import type { Limits } from "./limits.ts";
import { pinnedToPublic } from "./public-host.ts";

export interface CloneRequest {
  readonly url: string;
  readonly revision: string;
  readonly scratch: Scratch;
  readonly limits: Limits;
  /** `one`: the commit alone. `all`: every commit of every branch, for those who look into the past. */
  readonly depth: "one" | "all";
  readonly signal?: AbortSignal | undefined;
  /** Where a stranger names the address: its host must be a public one, and no redirect leads away from it. */
  readonly publicOnly?: boolean | undefined;
}

/** Never asked for: a program's answer would be a person's credentials. The user's own configuration (proxies, certificates) counts; the repository's does not. */
const CLONE_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "/bin/false",
  SSH_ASKPASS: "/bin/false",
  GIT_SSH_COMMAND: "ssh -oBatchMode=yes",
  GIT_ALLOW_PROTOCOL: "https:http:ssh:git",
  GIT_LFS_SKIP_SMUDGE: "1",
  LC_ALL: "C",
};

/**
 * Fetches one commit without a work tree: so there is nothing that a hook, a filter, a submodule or LFS could do, and nothing that `.gitattributes` hides.
 */
export async function cloneRepository({ url, revision, scratch, limits, depth, signal, publicOnly }: CloneRequest): Promise<string> {
  const pinned = publicOnly ? await pinnedToPublic(url) : [];
  const repository = join(scratch.path, "repository.git");
  const env = { ...process.env, ...CLONE_ENVIRONMENT };
  const common = { program: "git", env, scratch, limits, signal, what: withoutCredentials(url) };
  const careful = ["-c", "core.hooksPath=/dev/null", "-c", "transfer.fsckObjects=true", "-c", "protocol.version=2", "-c", "init.templateDir=", ...pinned];
  await fetchWith({ ...common, args: [...careful, "init", "--quiet", "--bare", repository] });
  const refs = [`+${revision}:refs/heads/scanned`, ...(depth === "all" ? ["+refs/heads/*:refs/heads/of/*"] : [])];
  const fetch = ["fetch", "--quiet", ...(depth === "one" ? ["--depth=1"] : []), "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
  await fetchWith({ ...common, args: [...careful, "--git-dir", repository, ...fetch, "--", url, ...refs] });
  return repository;
}

/** The commit that was cloned, under the name that the user gave it. */
export async function openClone(request: CloneRequest, options: Omit<RevisionOptions, "repository" | "env">): Promise<Artifact> {
  const repository = await cloneRepository(request);
  const artifact = await openRevision("refs/heads/scanned", { ...options, repository, env: GIT_ENVIRONMENT });
  const named = { ...artifact, ref: { ...artifact.ref, name: withoutCredentials(request.url) } };
  return request.depth === "all" ? withHistory(named, { repository, signal: request.signal }) : named;
}
