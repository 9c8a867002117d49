import { spawn } from "node:child_process";
import { PlastronError } from "@plastron/contracts";

/** More than any list of names or hashes that is asked for here. */
const MAX_OUTPUT = 256 * 2 ** 20;

/**
 * What every git that reads a repository from elsewhere is told: no configuration but the repository's own, and of that nothing that could
 * start a program or reach a network (a partial clone fetches what it lacks, over any transport that its configuration names), no objects in place of
 * others, no questions. What a hook is given to see objects that are not accepted yet (GIT_QUARANTINE_PATH and its kin) stays.
 */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_LAZY_FETCH: "1",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ASKPASS: "/bin/false",
  SSH_ASKPASS: "/bin/false",
  GIT_PAGER: "cat",
  LC_ALL: "C",
};

/** Reading trees and blobs runs nothing of the repository's, so whose it is does not matter; without this git refuses those of others. */
const ALWAYS = [
  "-c",
  "safe.directory=*",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.quotePath=false",
  "-c",
  "log.showSignature=false",
  "-c",
  "gpg.program=/bin/false",
  "-c",
  "log.showRoot=true",
];

export interface GitOptions {
  /** Where the repository is: a work tree or a bare repository. */
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts git with these arguments. Nothing of them is read by a shell; what comes from outside stands after `--end-of-options`. */
export function startGit(options: GitOptions, args: readonly string[]) {
  const env = { ...process.env, ...GIT_ENVIRONMENT, ...options.env };
  return spawn("git", [...ALWAYS, ...args], { cwd: options.repository, env, stdio: ["pipe", "pipe", "pipe"], signal: options.signal });
}

/** What git prints, as bytes. Rejects with PlastronError invalid_request, saying what git said, where it fails. */
export function git(options: GitOptions, args: readonly string[], input = ""): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = startGit(options, args);
    const output: Buffer[] = [];
    let [size, trouble] = [0, ""];
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) child.kill("SIGKILL");
      else output.push(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      trouble = (trouble + chunk.toString("utf8")).slice(0, 4000);
    });
    child.on("error", (error: NodeJS.ErrnoException) => reject(options.signal?.aborted ? error : noGit(error)));
    child.on("close", (code) => {
      if (code === 0 && size <= MAX_OUTPUT) return resolve(Buffer.concat(output));
      const why = size > MAX_OUTPUT ? `it printed more than ${MAX_OUTPUT} bytes` : trouble.trim().split("\n").at(-1) || `it ended with ${code}`;
      reject(
        new PlastronError("invalid_request", `git ${args[0]}: ${why}`, {
          hint: "Check the revision's name, and that the checkout has it: CI often fetches but the last commit.",
        }),
      );
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** The same as one line of text. */
export async function gitLine(options: GitOptions, args: readonly string[]): Promise<string> {
  return (await git(options, args)).toString("utf8").trim();
}

/** The commit that a name means, as its whole hash. */
export function commitOf(options: GitOptions, revision: string): Promise<string> {
  if (revision.startsWith("-")) throw new PlastronError("invalid_request", `${JSON.stringify(revision)} is no revision`);
  return gitLine(options, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]).catch(() => {
    throw new PlastronError("invalid_request", `there is no commit ${JSON.stringify(revision)} here`, {
      hint: "A shallow clone has only the newest: fetch the base too (fetch-depth: 0 in GitHub's checkout action).",
    });
  });
}

function noGit(error: NodeJS.ErrnoException): Error {
  return error.code === "ENOENT"
    ? new PlastronError("start_failed", "git is not installed, or the repository is not there", { hint: "apt-get install git" })
    : error;
}
