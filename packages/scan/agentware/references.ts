import type { Block } from "./document/model.ts";
import type { Signal } from "./signal.ts";

/** How far from "the example above" its example may stand. */
const REACH = 14;

/**
 * An attack below a heading "Examples of attacks" is none, until another sentence says to run it. Takes the shield off whatever told
 * sentences (signals `refer`) point at: what stands above or below them, or under the heading they name; and off everything, where the
 * text says that its own warnings do not hold (`unwarn`).
 */
export function withReferences(signals: readonly Signal[], blocks: readonly Block[]): Signal[] {
  const told = signals.filter((signal) => signal.stance === "told");
  const references = told.filter((signal) => signal.name === "refer");
  const freed = new Set<Signal>();
  const shielded = signals.filter((signal) => signal.stance !== "told" && signal.name !== "refer");
  if (shielded.length === 0) return [...signals];
  if (told.some((signal) => signal.name === "unwarn")) for (const signal of shielded) freed.add(signal);
  for (const reference of references) for (const signal of pointedAt(reference, shielded, blocks)) freed.add(signal);
  return signals.map((signal) => (freed.has(signal) ? { ...signal, stance: "told", traits: [...signal.traits, "referred-to"] } : signal));
}

function pointedAt(reference: Signal, shielded: readonly Signal[], blocks: readonly Block[]): Signal[] {
  const text = plainOf(reference.detail);
  const near = (distance: number) => distance !== 0 && Math.abs(distance) <= REACH;
  const before = shielded.filter((signal) => near(reference.block - signal.block) && signal.block < reference.block);
  const after = shielded.filter((signal) => near(signal.block - reference.block) && signal.block > reference.block);
  const found: Signal[] = [];
  if (reference.traits.includes("points-up")) found.push(...ofBlock(before.at(-1), before));
  if (reference.traits.includes("points-down")) found.push(...ofBlock(after[0], after));
  return [...found, ...shielded.filter((signal) => blocks[signal.block]?.section.some((title) => names(text, title)))];
}

/** Everything in the block of one that was found, or that stands right beside it. */
function ofBlock(one: Signal | undefined, all: readonly Signal[]): Signal[] {
  return one ? all.filter((signal) => Math.abs(signal.block - one.block) <= 2) : [];
}

/** Whether a sentence names a heading: its words, or its anchor. */
function names(text: string, title: string): boolean {
  const plain = plainOf(title);
  if (plain.length < 4) return false;
  return text.includes(plain) || text.includes(plain.replace(/\s+/g, "-"));
}

function plainOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}
