import { join } from "node:path";
import { PlastronError } from "@plastron/contracts";
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
export function cloneRepository({ revision, depth, ...request }: CloneRequest): Promise<string> {
  const refs = [`+${revision}:refs/heads/scanned`, ...(depth === "all" ? ["+refs/heads/*:refs/heads/of/*"] : [])];
  return fetchRefs(request, { refs, shallow: depth === "one", env: {} });
}

export interface CommitsRequest extends Pick<CloneRequest, "url" | "scratch" | "limits" | "signal" | "publicOnly"> {
  /** Whole hashes; they are there afterwards, with all that came before them. */
  readonly commits: readonly string[];
  /** Sent to this address and no other: `Authorization: Basic …`. */
  readonly header: string;
}

/**
 * Fetches these very commits, by a credential that no command line, no file and no error shows. Redirects are not followed.
 * @throws PlastronError invalid_request, forbidden
 */
export async function fetchCommits({ commits, header, ...request }: CommitsRequest): Promise<string> {
  const odd = commits.find((commit) => !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit));
  if (odd !== undefined) throw new PlastronError("invalid_request", `${JSON.stringify(odd)} is no whole commit hash`);
  const refs = [...new Set(commits)].map((commit) => `+${commit}:refs/heads/judged/${commit}`);
  // Old histories hold objects that no git makes today; they are only read here, name by name, and never checked out.
  const lenient = { "fetch.fsckObjects": "false" };
  const settings = { [`http.${request.url}.extraHeader`]: header, "http.followRedirects": "false", "credential.helper": "", ...lenient };
  try {
    return await fetchRefs(request, { refs, shallow: false, env: { ...ALONE, ...configured(settings) } });
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    const secret = header.split(" ").at(-1) as string;
    throw new PlastronError(error.code, error.message.replaceAll(secret, "…"), { hint: error.hint });
  }
}

/** Settings for git in its environment: a command line is everybody's to read. */
function configured(settings: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(settings).flatMap(([key, value], i): [string, string][] => [
    [`GIT_CONFIG_KEY_${i}`, key],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(Object.keys(settings).length), ...Object.fromEntries(entries) };
}

/** No other configuration counts where a credential is in play, no other protocol, and nothing is traced: a trace would show it. */
const ALONE: Readonly<Record<string, string | undefined>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ALLOW_PROTOCOL: "https:http",
  GIT_TRACE: undefined,
  GIT_TRACE_CURL: undefined,
  GIT_TRACE_PACKET: undefined,
  GIT_TRACE2: undefined,
  GIT_TRACE2_EVENT: undefined,
  GIT_TRACE2_PERF: undefined,
  GIT_CURL_VERBOSE: undefined,
};

interface Refs {
  readonly refs: readonly string[];
  readonly shallow: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function fetchRefs(
  { url, scratch, limits, signal, publicOnly }: Omit<CloneRequest, "revision" | "depth">,
  { refs, shallow, env: more }: Refs,
): Promise<string> {
  const pinned = publicOnly ? await pinnedToPublic(url) : [];
  const repository = join(scratch.path, "repository.git");
  const env = { ...process.env, ...CLONE_ENVIRONMENT, ...more };
  const common = { program: "git", env, scratch, limits, signal, what: withoutCredentials(url) };
  const careful = ["-c", "core.hooksPath=/dev/null", "-c", "transfer.fsckObjects=true", "-c", "protocol.version=2", "-c", "init.templateDir=", ...pinned];
  await fetchWith({ ...common, args: [...careful, "init", "--quiet", "--bare", repository] });
  const fetch = ["fetch", "--quiet", ...(shallow ? ["--depth=1"] : []), "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
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
