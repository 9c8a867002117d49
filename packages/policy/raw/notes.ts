import type { FidelityRow } from "@plastron/contracts";
import { type Position, type ProblemEntry, suggestion } from "@plastron/document";
import { invalid } from "../parse/invalid.ts";
import type { Resolvable } from "../rules/resolve.ts";
import { IGNORED } from "../unsupported.ts";

/** A part of the report, where nothing is enforced for it: what it is called, where it stands, and why. */
export function unenforced(rule: string, category: string, note: string, mechanism = "none"): FidelityRow {
  return { rule, category, fidelity: "unsupported", mechanism, note, self_tests: [] };
}

const MAX_SUGGESTIONS = 100;
/** Messages quote words of the document, which may be as long as it. */
const MAX_MESSAGE = 500;

/**
 * What is found while raw rules are read. Faults are gathered, so that one error names them all with their lines; what a rule
 * leaves without effect becomes a row. `IGNORED` is what upstream passes over in silence: a fault too, unless the policy was
 * read with `upstreamCompat`.
 */
export class Notes {
  readonly rows: FidelityRow[] = [];
  readonly #faults: ProblemEntry[] = [];
  readonly #policy: Resolvable;
  #suggested = 0;

  constructor(policy: Resolvable) {
    this.#policy = policy;
  }

  /** Wrong however it is read: upstream refuses it, or it means nothing. */
  wrong(path: string, message: string): void {
    const short = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
    this.#faults.push({ path, message: `${path}: ${short}`, ...this.#placeOf(path) });
  }

  /** Upstream passes over it in silence, and the author cannot have meant that. */
  ignored(path: string, message: string): void {
    if (this.#policy.upstreamCompat) this.row(path, message, IGNORED);
    else this.wrong(path, message);
  }

  /** Nothing is enforced for what stands at `path`, and nobody is at fault. */
  row(path: string, note: string, mechanism?: string): void {
    this.rows.push(unenforced(fieldOf(path), path, note, mechanism));
  }

  /** `. Did you mean …?` or nothing. For the first misspelt words alone: looking for them in a document full of them takes long. */
  meant(word: string, candidates: Iterable<string>): string {
    this.#suggested++;
    return this.#suggested > MAX_SUGGESTIONS ? "" : suggestion(word, candidates);
  }

  /** Throws PlastronError invalid_policy if anything was wrong. */
  finish(): void {
    if (this.#faults.length > 0) throw invalid(this.#faults);
  }

  /** A missing field has no place of its own: the nearest thing around it that has one. */
  #placeOf(path: string): Position | undefined {
    for (let at = path; at !== ""; at = at.replace(/(?:\.[^.[]*|\[[^[\]]*\]|^[^.[]*)$/, "")) {
      const place = this.#policy.positions?.get(at);
      if (place) return place;
      if (!/[.[]/.test(at)) break;
    }
    return this.#policy.positions?.get("");
  }
}

/** What violations and rows call it: the path below `enhanceProtect`, or below `spec.policy`. */
export function fieldOf(path: string): string {
  return path.replace(/^spec\.policy\.(?:enhanceProtect\.)?/, "");
}
