import type { Block } from "./document/model.ts";
import type { Signal } from "./signal.ts";

/** How far from "the example above" its example may stand. */
const REACH = 14;
/** No text points around that often, unless to be too much to follow: then all of it is taken at its word. */
const MAX_REFERENCES = 300;

/**
 * An attack below a heading "Examples of attacks" is none, until another sentence says to run it. Takes the shield off whatever told
 * sentences (signals `refer`) point at: what stands above or below them, or under the heading they name; and off everything, where the
 * text says that its own warnings do not hold (`unwarn`).
 */
export function withReferences(signals: readonly Signal[], blocks: readonly Block[]): Signal[] {
  // A mark of a turn is nothing that could be run; what stands within it is found by itself.
  const shielded = signals.filter(({ name, stance }) => (stance === "warned" || stance === "quoted") && name !== "refer" && name !== "fake-turn");
  if (shielded.length === 0) return [...signals];
  const told = signals.filter((signal) => signal.stance === "told");
  const references = told.filter((signal) => signal.name === "refer");
  const all = references.length > MAX_REFERENCES || told.some((signal) => signal.name === "unwarn");
  const freed = new Set(all ? shielded : pointedAt(references, shielded, blocks));
  return signals.map((signal) => (freed.has(signal) ? { ...signal, stance: "told", traits: [...signal.traits, "referred-to"] } : signal));
}

function pointedAt(references: readonly Signal[], shielded: readonly Signal[], blocks: readonly Block[]): Signal[] {
  const found: Signal[] = [];
  const byTitle = new Map<string, Signal[]>();
  for (const signal of shielded)
    for (const title of blocks[signal.block]?.section ?? []) {
      const plain = plainOf(title);
      if (plain.length < 4) continue;
      const known = byTitle.get(plain);
      if (known) known.push(signal);
      else byTitle.set(plain, [signal]);
      if (byTitle.size > 2000) return [...shielded];
    }
  for (const reference of references) {
    const text = plainOf(reference.detail);
    const near = (distance: number) => distance > 0 && distance <= REACH;
    if (reference.traits.includes("points-up"))
      found.push(
        ...besideOne(
          shielded.filter((signal) => near(reference.block - signal.block)),
          -1,
        ),
      );
    if (reference.traits.includes("points-down"))
      found.push(
        ...besideOne(
          shielded.filter((signal) => near(signal.block - reference.block)),
          0,
        ),
      );
    for (const [title, signals] of byTitle) if (text.includes(title) || text.includes(title.replaceAll(" ", "-"))) found.push(...signals);
  }
  return found;
}

/** The nearest of them, and everything in its block or right beside it. */
function besideOne(candidates: readonly Signal[], at: 0 | -1): Signal[] {
  const one = candidates.toSorted((a, b) => a.block - b.block).at(at);
  return one ? candidates.filter((signal) => Math.abs(signal.block - one.block) <= 2) : [];
}

function plainOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}
