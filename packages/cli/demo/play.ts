import { type Attack, type Finding, POLICY, type Trial } from "./attack.ts";
import { judge } from "./judge.ts";
import type { Stage } from "./stage/stage.ts";

/** What one attack came to, on both sides. */
export interface Row {
  attack: Attack;
  without: Side;
  with: Side;
}

/** `ok`: every trial ended as it must. `shown` says what was seen of the attack itself, `wrong` what went wrong. */
export interface Side {
  ok: boolean;
  shown: string;
  wrong: string;
}

/** What was played, and what this kernel does not have to be attacked. Rows are in the order of the attacks. */
export interface Played {
  rows: Row[];
  left_out: { attack: Attack; why: string }[];
}

/** As many at once as keep two cores busy, beside the heavy ones; most of a trial is waiting for its sandbox. */
const AT_ONCE = 3;

/** Plays every attack, first without and then with; several at once, since no two share a sandbox. */
export async function play(
  attacks: readonly Attack[],
  stage: Pick<Stage, "run">,
  each: (attack: Attack, done: number) => void,
  signal: AbortSignal,
): Promise<Played> {
  const played: (Row | { attack: Attack; why: string })[] = [];
  const queueOf = (heavy: boolean) => [...attacks.entries()].filter(([, attack]) => (attack.heavy === true) === heavy).values();
  let done = 0;
  const worker = async (queue: Iterable<[number, Attack]>): Promise<void> => {
    for (const [i, attack] of queue) {
      if (signal.aborted) return;
      each(attack, done);
      played[i] = await playOne(attack, stage);
      done++;
    }
  };
  const light = queueOf(false);
  await Promise.all([worker(queueOf(true)), ...Array.from({ length: AT_ONCE }, () => worker(light))]);
  return {
    rows: played.filter((each) => "without" in each),
    left_out: played.filter((each) => "why" in each),
  };
}

async function playOne(attack: Attack, stage: Pick<Stage, "run">): Promise<Row | { attack: Attack; why: string }> {
  const without = await perform(attack.without, stage);
  if (attack.optional && !without.ok && without.missing) return { attack, why: without.shown };
  return { attack, without, with: await perform(attack.with, stage) };
}

async function perform(trials: readonly Trial[], stage: Pick<Stage, "run">): Promise<Side & { missing: boolean }> {
  const shown: string[] = [];
  const wrong: string[] = [];
  const findings: Finding[] = [];
  for (const trial of trials) {
    const finding = await tryOut(trial, stage);
    findings.push(finding);
    if (shown.length === 0 || trial.place === POLICY) shown.push(finding.detail);
    if (finding.kind !== trial.expect) wrong.push(`${trial.what}: ${finding.kind} instead of ${trial.expect} (${finding.detail})`);
  }
  const missing = findings[0]?.kind === "absent" || findings[0]?.kind === "denied";
  return { ok: wrong.length === 0, shown: shown.join("; "), wrong: wrong.join("; "), missing };
}

async function tryOut(trial: Trial, stage: Pick<Stage, "run">): Promise<Finding> {
  try {
    return judge(trial.sign, await stage.run(trial));
  } catch (error) {
    return { kind: "broken", detail: error instanceof Error ? error.message : String(error) };
  }
}
