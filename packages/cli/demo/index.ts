import { hostFacts, openDriver } from "@plastron/sandbox";
import { startProgress } from "../terminal/progress.ts";
import { line, painter, type Terminal } from "../terminal/terminal.ts";
import { ATTACKS } from "./catalogue.ts";
import { interruptible } from "./interrupt.ts";
import { type Played, play } from "./play.ts";
import { goesWell, showComplaints, showJson, showTable, showUnavailable } from "./show.ts";
import { openStage, type Platform, type Stage } from "./stage/stage.ts";

export interface DemoOptions {
  /** JSON Lines, one object a row, instead of the table. */
  json: boolean;
  color: boolean;
  out: NodeJS.WritableStream;
  err: NodeJS.WritableStream;
}

const INTERRUPTED = 130;

/**
 * Replays every attack, first where it must succeed and then under the policy, and shows the table. Everything is made for it and
 * removed after it, also on Ctrl-C. Exit 0 when every attack worked without and was contained with; 1 when one was not, or when
 * this host cannot show it; 130 after Ctrl-C.
 */
export async function demoCommand(options: DemoOptions, platform: Platform = { openDriver, hostFacts }): Promise<number> {
  const begun = performance.now();
  const played = await interruptible(async (signal) => playAll(terminalOf(options), platform, signal));
  if (played === "interrupted") {
    line(options.err, "Interrupted. What the demo had made is removed.");
    return INTERRUPTED;
  }
  if ("why" in played) return unavailable(played.why, options);
  show(played, (performance.now() - begun) / 1000, options);
  return goesWell(played) ? 0 : 1;
}

async function playAll(terminal: Terminal, platform: Platform, signal: AbortSignal): Promise<Played | { why: string }> {
  const progress = startProgress(terminal, "making sandboxes and something to attack", 0);
  let stage: Stage | undefined;
  try {
    stage = await openStage(platform, signal);
    return await play(ATTACKS, stage, (attack, done) => progress.say(`${done} of ${ATTACKS.length}: ${attack.title}`), signal);
  } catch (error) {
    if (stage) throw error;
    return { why: error instanceof Error ? error.message : String(error) };
  } finally {
    await stage?.close();
    progress.done();
  }
}

function show(played: Played, seconds: number, options: DemoOptions): void {
  for (const text of options.json ? showJson(played) : showTable(played, seconds, terminalOf(options))) line(options.out, text);
  if (options.json) for (const text of showComplaints(played)) line(options.err, text);
  if (options.json) for (const { attack, why } of played.left_out) line(options.err, `not shown: ${attack.title}: this kernel does not have it (${why})`);
}

function unavailable(why: string, options: DemoOptions): number {
  for (const text of showUnavailable(ATTACKS, why, options.json)) line(options.out, text);
  if (!options.json) line(options.err, "`plastron doctor` tries each control of this machine and says how to get what is missing.");
  return 1;
}

/** The parts of a terminal that showing needs, from the streams that were given. */
function terminalOf({ color, out, err }: DemoOptions): Terminal {
  const columns = (out as Partial<NodeJS.WriteStream>).columns ?? Number.POSITIVE_INFINITY;
  const interactive = (err as Partial<NodeJS.WriteStream>).isTTY === true && process.env.TERM !== "dumb";
  return { out, err, columns, interactive, paint: painter(color), paintErr: painter(color) };
}
