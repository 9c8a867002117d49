import type { ScanResult } from "@plastron/contracts";
import { inHistory } from "../findings/places.ts";
import type { Artifact } from "../intake/artifact.ts";
import { type GitOptions, git, gitLine } from "../intake/git-command.ts";
import { withHistory } from "../intake/git-history.ts";

/** Commits by their hashes: what is to be merged, and into what. Null: into nothing, and all that led to the head is new. */
export interface Brought {
  readonly head: string;
  readonly base: string | null;
}

/** The head, and beside its files what the commits that it brings added on the way: whoever fetches the branch gets those as well. */
export function withBrought(artifact: Artifact, options: GitOptions, { head, base }: Brought): Promise<Artifact> {
  return withHistory(artifact, options, { commits: base === null ? [head] : [head, `^${base}`] });
}

/**
 * Fingerprints of secrets that lie in no file of the head but in a commit on its way, and there in a content that the base's history has as well: a merge of the
 * base into the change brings nothing that is not there already.
 */
export async function pastOfBase(result: ScanResult, options: GitOptions, base: string | null): Promise<string[]> {
  if (base === null) return [];
  const contents = new Map<string, Promise<boolean>>();
  const known = (content: string): Promise<boolean> => {
    const asked = contents.get(content) ?? hasContent(options, base, content);
    contents.set(content, asked);
    return asked;
  };
  const fingerprints: string[] = [];
  for (const { place, fingerprint } of result.findings.filter((finding) => inHistory(finding.place))) {
    const commit = place.layers.find((layer) => layer.startsWith("commit:"))?.slice("commit:".length);
    const content = await gitLine(options, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}:${place.path}`]).catch(() => null);
    if (content !== null && (contents.size < MOST_ASKED || contents.has(content)) && (await known(content))) fingerprints.push(fingerprint);
  }
  return fingerprints;
}

/** Each costs a walk through the base's history; secrets beyond count as new. */
const MOST_ASKED = 200;

async function hasContent(options: GitOptions, base: string, content: string): Promise<boolean> {
  const log = await git(options, ["log", "--format=%H", "--max-count=1", "--diff-merges=separate", `--find-object=${content}`, "--end-of-options", base, "--"]);
  return log.length > 0;
}
