import { chmodSync, copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { defaultCacheDirectory, judgePush } from "@plastron/scan";
import { advisoriesDirectory } from "../advisories/home.ts";
import { Failure, usage } from "../failure.ts";
import { showDecision } from "../gate/show.ts";
import { addedRules } from "../rules/home.ts";
import { line, painter, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { policyFrom } from "./gate.ts";

const LAUNCHER = resolve(import.meta.dirname, "../../../plastron");
const MARK = "# Put here by `plastron gate install-hook`.";

/** Writes hooks/pre-receive of a repository; a policy is copied beside it, where no push reaches. */
export function installHook(repository: string, flags: { policy?: string; environment?: string; force?: boolean }, terminal: Terminal): number {
  const hooks = join(resolve(repository), existsSync(join(repository, ".git")) ? ".git/hooks" : "hooks");
  if (!statSync(hooks, { throwIfNoEntry: false })?.isDirectory())
    throw usage(`${repository} is no git repository`, "Name the bare repository that people push to.");
  const hook = join(hooks, "pre-receive");
  const there = existsSync(hook) ? readFileSync(hook, "utf8") : null;
  if (there !== null && !there.includes(MARK) && !flags.force)
    throw new Failure("conflict", `${hook} is there already`, {
      hint: "Let it call `plastron gate hook` with its standard input, or replace it with --force.",
    });
  const policy = join(hooks, "plastron-gate.yaml");
  if (flags.policy !== undefined) {
    policyFrom(flags.policy);
    copyFileSync(flags.policy, policy);
  }
  const meant = flags.environment === undefined ? "" : ` --environment ${quoted(flags.environment)}`;
  const given = existsSync(policy) ? ` --policy ${quoted(policy)}` : "";
  // Whatever goes wrong ends with a status other than 0, and git refuses the push.
  writeFileSync(hook, `#!/bin/sh\n${MARK}\nexec ${quoted(LAUNCHER)} gate hook${given}${meant}\n`);
  chmodSync(hook, 0o755);
  line(terminal.out, `${hook} asks the gate from now on${given ? `, under ${policy}` : ", under the policy of the repository's default branch"}.`);
  return 0;
}

/** What git calls: 0 lets the push in. All is said on standard error, which the client shows as `remote: …`. */
export async function receiveHook(flags: { policy?: string; environment?: string }, terminal: Terminal): Promise<number> {
  const policy = flags.policy === undefined ? undefined : policyFrom(flags.policy);
  const input = await text(process.stdin);
  const screen = { paint: painter(false), columns: 100 };
  let refused = 0;
  for await (const judged of judgePush({
    repository: process.cwd(),
    input,
    policy,
    environment: flags.environment ?? null,
    scan: { verifySecrets: policy?.verify_secrets ?? false, advisories: advisoriesDirectory(undefined), rules: addedRules(), cache: defaultCacheDirectory() },
  })) {
    line(terminal.err, `gate of ${printable(judged.branch)}:`);
    if (judged.judgement) showDecision(judged.judgement, terminal.err, screen);
    else line(terminal.err, printable(`DENIED  ${judged.reason.message}. ${judged.reason.hint}`));
    if (judged.judgement?.decision.decision !== "pass") refused++;
  }
  return refused > 0 ? 1 : 0;
}

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
