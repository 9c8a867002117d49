import { statSync } from "node:fs";
import { type FuzzResult, fuzzArtifact, openArtifact, readCases, replayCases, writeCase } from "@plastron/scan";
import { usage } from "../failure.ts";
import { DEFAULT_SECONDS } from "../fuzz/lent.ts";
import { withFuzzSandbox } from "../fuzz/sandbox.ts";
import { startScanProgress } from "../scan/progress.ts";
import { stoppedBySignals } from "../scan/stop.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

export interface FuzzFlags {
  seconds?: number;
  seed?: number;
  harness?: string;
  keep: boolean;
  json?: boolean;
}

/** Fuzzes, tells, and keeps what was found as cases where the artifact is a directory of the caller's. */
export async function fuzzCommand(what: string, flags: FuzzFlags, terminal: Terminal): Promise<number> {
  const { result, kept } = await fuzzed(what, flags, terminal);
  if (flags.json) json(terminal, { matches: result.matches, gaps: result.gaps, harnesses: result.harnesses, left: result.left, notes: result.notes, kept });
  else tell(result, kept, terminal);
  if (result.matches.length > 0) return 1;
  return result.gaps.some(({ matters }) => matters) || result.harnesses.length === 0 ? 2 : 0;
}

async function fuzzed(what: string, flags: FuzzFlags, terminal: Terminal): Promise<{ result: FuzzResult; kept: string[] }> {
  const progress = startScanProgress(terminal, what);
  const stop = stoppedBySignals();
  try {
    const artifact = await openArtifact(what, { signal: stop.signal });
    try {
      const settings = {
        seconds: flags.seconds ?? DEFAULT_SECONDS,
        seed: flags.seed ?? 1,
        signal: stop.signal,
        onProgress: progress.show,
        ...(flags.harness ? { harness: flags.harness } : {}),
      };
      const result = await withFuzzSandbox((sandbox) => fuzzArtifact(artifact, sandbox, settings));
      return { result, kept: flags.keep && isDirectory(what) ? result.confirmed.map((one) => writeCase(what, one)) : [] };
    } finally {
      await artifact.close();
    }
  } finally {
    progress.done();
    stop.release();
  }
}

function tell({ matches, gaps, harnesses, left, notes }: FuzzResult, kept: readonly string[], terminal: Terminal): void {
  const { out, paint } = terminal;
  for (const { severity, title, place, message, flow = [], fix } of matches) {
    line(
      out,
      `${paint(severity === "critical" || severity === "high" ? "red" : "yellow", severity)} ${printable(title)}  ${printable(`${place.path}:${place.line}`)}`,
    );
    line(out, `  ${printable(message)}`);
    for (const step of flow) line(out, `  ${paint("dim", printable(`${step.path}:${step.line} ${step.message}`))}`);
    line(out, `  ${printable(fix.text)}`);
    line(out, "");
  }
  for (const { id, executions, ms, edges, trouble, confirmed } of harnesses) {
    const rate = ms > 0 ? `${Math.round((executions / ms) * 1000).toLocaleString("en")}/s, ${edges} edges` : "";
    line(
      out,
      paint(
        "dim",
        printable(`${id}: ${executions.toLocaleString("en")} executions ${rate}${confirmed ? `, ${confirmed} found` : ""}${trouble ? ` (${trouble})` : ""}`),
      ),
    );
  }
  for (const { detail } of gaps) line(out, paint("yellow", printable(`not seen: ${detail}`)));
  for (const note of notes) line(out, paint("dim", printable(note)));
  for (const path of kept) line(out, `kept ${printable(path)}`);
  const words =
    harnesses.length === 0
      ? "nothing that takes input was found"
      : `${matches.length} findings in ${harnesses.length} functions and tools${left > 0 ? `, ${left} not fuzzed` : ""}`;
  line(out, words);
}

/** Tries the kept cases of a directory again. */
export async function replayCommand(path: string, flags: { json?: boolean }, terminal: Terminal): Promise<number> {
  if (!isDirectory(path)) throw usage(`${path} is not a directory`, "Name the directory that .plastron/fuzz lies in.");
  const { cases, unreadable } = readCases(path);
  const stop = stoppedBySignals();
  try {
    const artifact = await openArtifact(path, { signal: stop.signal });
    const replayed =
      cases.length === 0 ? [] : await withFuzzSandbox((sandbox) => replayCases(artifact, sandbox, cases, stop.signal)).finally(() => artifact.close());
    if (flags.json) json(terminal, { replayed, unreadable });
    else {
      for (const { path: name, state, message } of replayed) line(terminal.out, printable(`${state} ${name}${message ? `: ${message}` : ""}`));
      for (const { path: name, why } of unreadable) line(terminal.out, printable(`unreadable ${name}: ${why}`));
      line(terminal.out, `${replayed.filter(({ state }) => state === "fails").length} of ${replayed.length} cases still fail`);
    }
    if (replayed.some(({ state }) => state === "fails")) return 1;
    return unreadable.length > 0 || replayed.some(({ state }) => state === "gone") ? 2 : 0;
  } finally {
    stop.release();
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
