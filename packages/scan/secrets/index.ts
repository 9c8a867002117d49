/**
 * Credentials that lie open. Detectors are data (rules/secrets); one pass over a text finds the words that announce any of them, and only there
 * their patterns are tried, their checksums and structures checked, and placeholders and samples left out. What is encoded, escaped or put together of pieces is
 * looked at again. No secret leaves this folder but through `revealSecrets`, which only a verifier may call.
 */
import { createHash } from "node:crypto";
import type { MatchInput } from "@plastron/contracts";
import type { Analyser, LookGap, ScanFile } from "../analyser.ts";
import { type Budget, Detection } from "./detect.ts";
import { withoutDoubles } from "./doubles.ts";
import { ofHistory } from "./history.ts";
import { layersOf } from "./layers/index.ts";
import { type Found, matchOf } from "./match.ts";
import { digestOf } from "./redact.ts";
import { detectorsOf } from "./rule.ts";
import { textOf } from "./text.ts";

export { redactSecrets } from "./redact.ts";
export { type Detector, detectorsOf } from "./rule.ts";
export { hostOf, requestFor, stateOf, type VerifierSpec, type VerifyRequest, verifiersOf } from "./verify/spec.ts";
export { type FoundState, type SecretVerifier, withState } from "./verify/state.ts";

/** Raised when the code answers otherwise than before for the same rules. */
const CODE = 1;
const HITS_MOST = 2000;

/** What `project` is told of a file: which secrets it holds, and of a piece of history the findings themselves. */
export interface SecretFacts {
  readonly digests: readonly string[];
  readonly past: readonly MatchInput[];
}

/** `documents`: the parsed files of rules/secrets. @throws for rules that are not as they should be. */
export function createSecrets(documents: readonly unknown[], options: { readonly now?: () => number } = {}): Analyser<SecretFacts> {
  const detectors = detectorsOf(documents);
  const detection = new Detection(detectors);
  const now = options.now ?? Date.now;
  return {
    name: "secrets",
    version: createHash("sha256")
      .update(JSON.stringify([CODE, detectors]))
      .digest("hex")
      .slice(0, 16),
    wants: () => true,
    file(file) {
      const { found, gaps, text } = findIn(detection, file, now());
      const lines = found.length === 0 ? [0] : lineStarts(text);
      const matches = found.map((each) => matchOf(each, found, { path: file.path, layers: file.layers, text, lines }));
      const digests = [...new Set(matches.map((match) => match.anchor))];
      const past = ofHistory(file);
      return { matches: past ? [] : matches, facts: digests.length === 0 ? null : { digests, past: past ? matches : [] }, gaps };
    },
    project(project) {
      return { matches: onlyInPast([...project.facts<SecretFacts>("secrets").values()]), facts: null, gaps: [] };
    },
  };
}

/** A secret that a commit brought and a later one took away is still there for whoever has the repository: one finding, at the first piece that has it. */
function onlyInPast(facts: readonly SecretFacts[]): MatchInput[] {
  const said = new Set(facts.filter(({ past }) => past.length === 0).flatMap(({ digests }) => digests));
  const matches: MatchInput[] = [];
  for (const match of facts.flatMap(({ past }) => past)) {
    if (said.has(match.anchor)) continue;
    said.add(match.anchor);
    matches.push({ ...match, message: `${match.message} It is gone from the newest state, but not from the history.` });
  }
  return matches;
}

/** A secret itself, for a verifier: the digest tells which finding it is. */
export interface Revealed {
  readonly digest: string;
  readonly detector: string;
  /** Name of a verifier; null where nobody can be asked. */
  readonly verify: string | null;
  readonly secret: string;
}

/** The secrets of a file in the clear, of those that can be asked about, or all. Never to be logged, kept or sent to anybody but the provider that gave it out. */
export function revealSecrets(documents: readonly unknown[], file: ScanFile, { all = false }: { all?: boolean } = {}): Revealed[] {
  const { found } = findIn(readied(documents), file, Date.now());
  return found.flatMap(({ hit: { detector, secret } }) =>
    detector.verify === null && !all ? [] : [{ digest: digestOf(detector.id, secret), detector: detector.id, verify: detector.verify, secret }],
  );
}

const READY = new WeakMap<readonly unknown[], Detection>();

function readied(documents: readonly unknown[]): Detection {
  const known = READY.get(documents) ?? new Detection(detectorsOf(documents));
  READY.set(documents, known);
  return known;
}

function findIn(detection: Detection, file: ScanFile, now: number): { found: Found[]; gaps: LookGap[]; text: string } {
  const text = textOf(file);
  const budget: Budget = { left: 64 * text.length + 4_000_000, hits: HITS_MOST };
  const found: Found[] = detection.find(text, file.path, now, budget).map((hit) => ({ hit, layers: [], from: hit.start, to: hit.end }));
  for (const piece of layersOf(text, file.language, budget)) {
    for (const hit of detection.find(piece.text, file.path, now, budget)) found.push({ hit, layers: piece.layers, from: piece.from, to: piece.to });
  }
  const gaps: LookGap[] =
    budget.left >= 0
      ? []
      : [{ kind: "degraded", reason: "budget", detail: "more looks like secrets here than can be looked at: the rest was not", matters: true }];
  return { found: withoutDoubles(found), gaps, text };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
