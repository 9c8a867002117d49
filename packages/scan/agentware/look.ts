import type { LookGap, ScanFile } from "../analyser.ts";
import { configSignals } from "./config/read.ts";
import { markdownBlocks } from "./document/markdown.ts";
import { type Block, block } from "./document/model.ts";
import { openDocument } from "./document/open.ts";
import { encodedBlocks, MAX_DECODED } from "./hidden/encoded.ts";
import { mixedNames } from "./hidden/mixed.ts";
import { MAX_FOUND, unseenIn } from "./hidden/unicode.ts";
import { thoughtsOf } from "./language/read.ts";
import { turnsOf } from "./language/turns.ts";
import { nameSignals } from "./names/read.ts";
import type { Pack } from "./pack.ts";
import { withReferences } from "./references.ts";
import { commandSignals, UNREAD } from "./shell/commands.ts";
import { type Signal, signalAt } from "./signal.ts";
import { sourceSignals } from "./source/deeds.ts";
import { runnerOf } from "./source/run.ts";
import { startsItself } from "./source/starts.ts";

/** All that one file holds of note, before rules judge it. */
export interface Seen {
  readonly signals: readonly Signal[];
  readonly blocks: readonly Block[];
  /** The document alone, as it stands: what of it is offered is hashed, so nothing may be read into it. */
  readonly offered: readonly Block[];
  readonly gaps: readonly LookGap[];
}

/** Reads a file's text as a document, its hidden parts and decoded layers included. */
export function seenIn(file: ScanFile, text: string, pack: Pack): Seen {
  const document = openDocument(file, text);
  const hidden = unseenIn(text, document.surface === "program" && file.language !== "json" && file.language !== "yaml");
  if (document.surface === "program") hidden.push(...mixedNames(text, pack.lookalikes));
  const blocks = document.blocks.flatMap(withInnerText);
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
      // What has no words was decoded to nothing; the rule says what it is.
      ...(says === "" ? { hidden: null, layers: [] } : {}),
      traits: says === "" ? ["undecoded"] : ["decoded"],
    });
  }
  const encoded = encodedBlocks(blocks);
  for (const each of encoded) blocks.push(each);
  const runs = runnerOf(text);
  blocks.forEach((each, number) => {
    // What a fence of a programming language says in its comments is part of a program, not of the text around it.
    const read =
      each.kind === "code" && !/^(?:|text|txt|plain|plaintext|md|markdown|prompt|xml|html)$/.test(each.lang) ? { ...each, surface: "program" as const } : each;
    const thoughts = thoughtsOf(read, number, pack);
    for (const signal of thoughts.signals) signals.push(signal);
    for (const signal of turnsOf(each, number, pack.stances)) signals.push(signal);
    if (each.kind === "string" && !runs(each)) return;
    if (thoughts.command || each.kind === "code") for (const signal of commandSignals(each, number, file.language, pack)) signals.push(signal);
  });
  signals.push(...nameSignals(file, document.blocks, text, pack));
  if (file.language === "json" || file.language === "yaml" || file.language === "markdown") signals.push(...configSignals(file, blocks, pack));
  if (file.language === "python" || file.language === "javascript" || file.language === "typescript" || startsItself(file))
    signals.push(...sourceSignals(file, blocks, text, pack));
  if (file.language === "shell" || file.language === "dockerfile") signals.push(...scriptSignals(file, text, blocks, pack));
  return {
    signals: withReferences(withDerived(signals), blocks),
    blocks,
    offered: document.blocks,
    gaps: [...document.degraded, ...floodsOf(hidden.length, encoded.length, signals)].map((gap) => ({
      ...{ kind: "degraded", matters: document.surface === "agent" || gap.reason === "too_large" },
      ...gap,
    })),
  };
}

/** Behind so much that is encoded or unseen there may be more. */
function floodsOf(hidden: number, encoded: number, signals: readonly Signal[]): { reason: string; detail: string; matters: true }[] {
  return [
    ...(signals.some(({ name }) => name === UNREAD)
      ? [{ reason: "too_many", detail: "more commands than are read: the last were not", matters: true as const }]
      : []),
    ...(hidden >= MAX_FOUND
      ? [{ reason: "too_many", detail: `more places with characters that nobody sees than the ${MAX_FOUND} that were told`, matters: true as const }]
      : []),
    ...(encoded >= MAX_DECODED ? [{ reason: "too_many", detail: `more encoded texts than the ${MAX_DECODED} that were read`, matters: true as const }] : []),
  ];
}

const INNER = new Set<Block["kind"]>(["description", "string", "value", "remark"]);

/** A text of several lines within source or data has headings and lists of its own. */
function withInnerText(each: Block): readonly Block[] {
  if (!INNER.has(each.kind) || each.text.length > 100_000 || each.text.indexOf("\n") < 0 || !/\n[ \t]*(?:[-*+#>|]|\d+[.)]|```|~~~)/.test(each.text))
    return [each];
  const inner = markdownBlocks(each.text, each.surface).blocks;
  return inner.map((part) => ({
    ...part,
    kind: part.kind === "prose" || part.kind === "heading" ? each.kind : part.kind,
    start: each.exact ? each.start + part.start : each.start,
    exact: each.exact,
    section: [...each.section, ...part.section],
    hidden: part.hidden ?? each.hidden,
    layers: each.layers,
  }));
}

/** Rules ask for company that is odd by its address, or told to an assistant, as for a signal of its own. */
function withDerived(signals: readonly Signal[]): Signal[] {
  const odd = signals.filter(
    ({ name, traits }) => (name === "download-run" || name === "send" || name === "contact") && traits.some((trait) => ODD.has(trait)),
  );
  const kept = signals.filter(({ name }) => name === "persistence");
  const untrusted =
    kept.length === 0 ? [] : signals.filter(({ name, traits }) => name === "download-run" && !traits.includes("trusted") && !traits.includes("local"));
  const parameters = signals.filter(({ name, traits }) => (name === "content-demand" || name === "inner-demand") && traits.includes("parameter"));
  const orders = signals.filter(({ name, surface }) => surface === "agent" && (name === "private-take" || name === "secret-order"));
  return [
    ...signals,
    ...odd.map((signal) => ({ ...signal, name: signal.name === "download-run" ? "download-run-odd" : "send-drop" })),
    ...parameters.map((signal) => ({ ...signal, name: "parameter-text" })),
    ...untrusted.map((signal) => ({ ...signal, name: "download-run-untrusted" })),
    ...orders.map((signal) => ({ ...signal, name: "agent-take" })),
  ];
}

const ODD = new Set(["drop-host", "paste-host", "raw-host", "short-host", "odd-name"]);

/** A script is one text of commands: what it fetches on one line it runs on another. */
function scriptSignals({ language }: ScanFile, text: string, blocks: Block[], pack: Pack): Signal[] {
  const whole = block("code", text, 0, "program", { lang: "sh" });
  blocks.push(whole);
  return commandSignals(whole, blocks.length - 1, language, pack);
}
