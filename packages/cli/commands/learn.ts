import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { usage } from "../failure.ts";
import type { Ended, Learned, Replayed, Workload } from "../learn/learn.ts";
import { readWorkload, type WorkloadFlags } from "../learn/workload.ts";
import { startProgress } from "../terminal/progress.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { describeEvent, shown } from "../violations/words.ts";

export interface LearnFlags extends WorkloadFlags {
  name: string;
  runs: number;
  duration: number;
  verify: number;
  output: string;
  force?: boolean;
  allowDangerous?: boolean;
  json?: boolean;
}

/**
 * Learns what a workload does, writes its profile and policy, and runs it again under that policy. Exit 1 where it does not pass
 * the policy that was made from it.
 */
export async function learnCommand(words: readonly string[], flags: LearnFlags, terminal: Terminal): Promise<number> {
  const workload = await readWorkload(words, flags, terminal);
  const { learnedPolicyText, profileSummary, armorProfileModel } = await import("@plastron/policy");
  const progress = startProgress(terminal, "letting it run while it is looked at", 300);
  try {
    const { learned, policy, replays } = await carryOut(workload, flags, learnedPolicyText, (words) => progress.say(words));
    const files = writeAll(flags.output, {
      "profile.json": `${JSON.stringify(learned.profile, null, 2)}\n`,
      "policy.yaml": policy,
      "armor-profile-model.json": `${JSON.stringify(armorProfileModel(learned.profile, flags.name), null, 2)}\n`,
    });
    progress.done();
    if (flags.json) json(terminal, { profile: learned.profile, policy, files, learned: learned.ends.map(told), verified: replays });
    else {
      for (const each of profileSummary(learned.profile)) line(terminal.out, each);
      for (const file of files) line(terminal.out, `wrote ${file}`);
      say(learned, replays, terminal);
    }
    return replays.every(({ same, violations }) => same && violations.length === 0) ? 0 : 1;
  } finally {
    progress.done();
  }
}

type PolicyText = typeof import("@plastron/policy").learnedPolicyText;

async function carryOut(workload: Workload, flags: LearnFlags, policyText: PolicyText, progress: (words: string) => void) {
  const [{ learn, replay }, { withOwnDriver }, { hostFacts }] = await Promise.all([
    import("../learn/learn.ts"),
    import("../run/own-driver.ts"),
    import("@plastron/sandbox"),
  ]);
  return withOwnDriver(async (driver) => {
    const host = await hostFacts();
    const learned = await learn(workload, { runs: flags.runs, durationMs: flags.duration, force: flags.force === true }, driver, host, (run) =>
      progress(`letting it run while it is looked at (${run} of ${flags.runs})`),
    );
    const policy = policyText(learned.profile, { name: flags.name, allowDangerous: flags.allowDangerous === true });
    const replays: Replayed[] = [];
    for (let i = 1; i <= flags.verify; i++) {
      progress(`letting it run under what was learnt (${i} of ${flags.verify})`);
      replays.push(await replay(policy, workload, learned.ends, driver, host));
    }
    return { learned, policy, replays };
  }, "seen");
}

function writeAll(directory: string, texts: Record<string, string>): string[] {
  try {
    mkdirSync(directory, { recursive: true });
    return Object.entries(texts).map(([name, text]) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    });
  } catch (error) {
    throw usage(`${directory} cannot be written: ${(error as Error).message}`, "Name another directory with --output.");
  }
}

function say({ ends }: Learned, replays: readonly Replayed[], terminal: Terminal): void {
  const { err, paintErr } = terminal;
  const odd = ends.find(({ status }) => status !== "completed");
  if (odd) line(err, `${paintErr("yellow", "note")}: while it was learnt it ended as ${odd.status} (exit ${odd.exit_code ?? "none"}): ${lastLine(odd)}`);
  if (replays.length === 0) return;
  const hit = replays.flatMap(({ violations }) => violations);
  if (hit.length === 0 && replays.every(({ same }) => same)) {
    line(err, `${paintErr("green", "verified")}: it ran ${replays.length} times under what was learnt, ended as before and hit no rule.`);
    return;
  }
  line(
    err,
    `${paintErr("red", "not verified")}: of ${replays.length} runs under what was learnt ${replays.filter((each) => each.violations.length > 0 || !each.same).length} went otherwise.`,
  );
  for (const { rule_id, event } of hit.slice(0, 10)) line(err, `  ${rule_id}: ${shown(describeEvent(event))}`);
  const wrong = replays.find(({ same }) => !same);
  if (wrong) line(err, `  it ended as ${wrong.status} (exit ${wrong.exit_code ?? "none"}): ${lastLine(wrong)}`);
  line(err, "  Learn from more runs (--runs): what it does differs from run to run.");
}

const lastLine = ({ stderr }: Ended): string => printable(stderr.trimEnd().split("\n").at(-1) ?? "");
const told = ({ status, exit_code }: Ended) => ({ status, exit_code });
