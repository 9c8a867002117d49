import type { LookGap, ScanFile } from "../analyser.ts";
import { configSignals } from "./config/read.ts";
import { type Block, block } from "./document/model.ts";
import { openDocument } from "./document/open.ts";
import { encodedBlocks } from "./hidden/encoded.ts";
import { unseenIn } from "./hidden/unicode.ts";
import { thoughtsOf } from "./language/read.ts";
import { turnsOf } from "./language/turns.ts";
import type { Pack } from "./pack.ts";
import { withReferences } from "./references.ts";
import { commandSignals } from "./shell/commands.ts";
import { type Signal, signalAt } from "./signal.ts";
import { sourceSignals } from "./source/deeds.ts";

/** All that one file holds of note, before rules judge it. */
export interface Seen {
  readonly signals: readonly Signal[];
  readonly blocks: readonly Block[];
  readonly gaps: readonly LookGap[];
}

/** Reads a file's text as a document, its hidden parts and decoded layers included. */
export function seenIn(file: ScanFile, text: string, pack: Pack): Seen {
  const document = openDocument(file, text);
  const hidden = unseenIn(text, document.surface === "program" && file.language !== "json" && file.language !== "yaml");
  const blocks = [...document.blocks];
  const signals: Signal[] = [];
  for (const { kind, start, end, says, detail } of hidden) {
    const number = blocks.length;
    const whole = block("comment", says, start, document.surface, {
      hidden: detail,
      exact: kind === "padding",
      layers: kind === "padding" ? [] : [`unicode-${kind}`],
    });
    blocks.push(whole);
    signals.push({
      ...signalAt(`hidden-${kind}`, whole, number, { start: 0, end: 1 }),
      start,
      end,
      detail: says || detail,
      traits: says === "" ? ["undecoded"] : ["decoded"],
    });
  }
  for (const each of encodedBlocks(blocks)) blocks.push(each);
  blocks.forEach((each, number) => {
    const commands = each.kind === "string" && !isRun(each, text) ? [] : commandSignals(each, number, file.language, pack);
    // What a fence of a programming language says in its comments is part of a program, not of the text around it.
    const read =
      each.kind === "code" && !/^(?:|text|txt|plain|plaintext|md|markdown|prompt|xml|html)$/.test(each.lang) ? { ...each, surface: "program" as const } : each;
    const found = [...thoughtsOf(read, number, pack), ...turnsOf(each, number, pack.stances), ...commands];
    for (const signal of found) signals.push(signal);
  });
  if (file.language === "json" || file.language === "yaml" || file.language === "markdown") signals.push(...configSignals(file, blocks, pack));
  if (file.language === "python" || file.language === "javascript" || file.language === "typescript") signals.push(...sourceSignals(blocks, text, pack));
  if (file.language === "shell" || file.language === "dockerfile") signals.push(...scriptSignals(file, text, blocks, pack));
  return {
    signals: withReferences(withOddHosts(signals), blocks),
    blocks,
    gaps: document.degraded.map((gap) => ({ kind: "degraded", matters: document.surface === "agent" || gap.reason === "too_large", ...gap })),
  };
}

/** Rules ask for company that is odd by its address as for a signal of its own. */
function withOddHosts(signals: readonly Signal[]): Signal[] {
  const odd = signals.filter(
    ({ name, traits }) => (name === "download-run" || name === "send" || name === "contact") && traits.some((trait) => ODD.has(trait)),
  );
  return [...signals, ...odd.map((signal) => ({ ...signal, name: signal.name === "download-run" ? "download-run-odd" : "send-drop" }))];
}

const ODD = new Set(["drop-host", "paste-host", "raw-host", "short-host", "odd-name"]);

/** A text constant of a program is an order where it is handed to something that runs it; else it is words, of no interest to a shell. */
function isRun(each: Block, text: string): boolean {
  const before = text.slice(Math.max(0, each.start - 200), Math.max(0, each.start - 1));
  if (
    /(?:\bsystem|\bexec\w*|\bspawn\w*|\bpopen|\bPopen|\brun|\bcall|\bcheck_\w+|\bsh|\bshell|\$)\s*\(?\s*(?:\[[^\]\n]{0,160})?[frb]{0,2}["'`]{0,2}$/.test(before)
  )
    return true;
  const name = /\b([A-Za-z_]\w{0,60})\s*(?::\s*\w+\s*)?=\s*[frb]{0,2}["'`]{0,2}$/.exec(before)?.[1];
  if (!name) return false;
  return new RegExp(`(?:system|exec\\w*|spawn\\w*|[pP]open|\\brun|\\bcall|check_\\w+)\\s*\\([^)\\n]{0,120}\\b${name}\\b`).test(text);
}

/** A script is one text of commands: what it fetches on one line it runs on another. */
function scriptSignals({ language }: ScanFile, text: string, blocks: Block[], pack: Pack): Signal[] {
  const whole = block("code", text, 0, "program", { lang: "sh" });
  blocks.push(whole);
  return commandSignals(whole, blocks.length - 1, language, pack);
}
