import type { Language } from "../../analyser.ts";
import type { Budget } from "../detect.ts";

/** A text that stands in another one by some encoding; `from` and `to` are places of the file itself. */
export interface Piece {
  readonly text: string;
  readonly layers: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** To be widened. */
export function* layersOf(_text: string, _language: Language, _budget: Budget): Generator<Piece> {}
