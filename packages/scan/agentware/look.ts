import type { LookGap, ScanFile } from "../analyser.ts";
import { type Block, block } from "./document/model.ts";
import { openDocument } from "./document/open.ts";
import { encodedBlocks } from "./hidden/encoded.ts";
import { unseenIn } from "./hidden/unicode.ts";
import { thoughtsOf } from "./language/read.ts";
import type { Pack } from "./pack.ts";
import { withReferences } from "./references.ts";
import { commandSignals } from "./shell/commands.ts";
import { type Signal, signalAt } from "./signal.ts";

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
    for (const signal of [...thoughtsOf(each, number, pack), ...commandSignals(each, number, file.language, pack)]) signals.push(signal);
  });
  if (file.language === "shell" || file.language === "dockerfile") signals.push(...scriptSignals(file, text, blocks, pack));
  return {
    signals: withReferences(signals, blocks),
    blocks,
    gaps: document.degraded.map((gap) => ({ kind: "degraded", matters: document.surface === "agent" || gap.reason === "too_large", ...gap })),
  };
}

/** A script is one text of commands: what it fetches on one line it runs on another. */
function scriptSignals({ language }: ScanFile, text: string, blocks: Block[], pack: Pack): Signal[] {
  const whole = block("code", text, 0, "program", { lang: "sh" });
  blocks.push(whole);
  return commandSignals(whole, blocks.length - 1, language, pack);
}
