import type { Language } from "../../analyser.ts";
import type { Budget } from "../detect.ts";
import { encodedIn } from "./encoded.ts";
import { escapedIn } from "./escapes.ts";
import { joinedIn } from "./joined.ts";
import type { Piece } from "./piece.ts";

/** A text inside the file by way of one or more encodings, outermost first; `from` and `to` are places of the file itself. */
export interface Layered {
  readonly text: string;
  readonly layers: readonly string[];
  readonly from: number;
  readonly to: number;
}

const DEPTH = 3;

/** Everything that stands in a text by some encoding, and in that by another, three deep; as much as the budget allows. */
export function* layersOf(text: string, language: Language, budget: Budget): Generator<Layered> {
  yield* below({ text, layers: [], from: 0, to: text.length }, language, budget);
}

function* below(outer: Layered, language: Language, budget: Budget): Generator<Layered> {
  const inside = outer.layers.length > 0;
  for (const piece of piecesOf(outer.text, language)) {
    budget.left -= 4 * piece.text.length + 64;
    if (budget.left < 0) return;
    if (piece.text.length < 8) continue;
    const layered: Layered = {
      text: piece.text,
      layers: [...outer.layers, piece.layer],
      from: inside ? outer.from : piece.from,
      to: inside ? outer.to : piece.to,
    };
    yield layered;
    if (layered.layers.length < DEPTH) yield* below(layered, language, budget);
  }
}

function* piecesOf(text: string, language: Language): Generator<Piece> {
  if (language !== "binary") {
    yield* escapedIn(text);
    yield* joinedIn(text, language);
  }
  yield* encodedIn(text);
}
