import type { MatchInput, Severity } from "@plastron/contracts";
import { type Hit, lesser, lower } from "./detect.ts";
import { placeKind } from "./place-kind.ts";
import { digestOf, redacted, redactSecrets } from "./redact.ts";

/** A hit, and where in the file itself what it was found in begins and ends: for a plain one, the secret; for a layered one, what was decoded. */
export interface Found {
  readonly hit: Hit;
  readonly layers: readonly string[];
  readonly from: number;
  readonly to: number;
}

const SNIPPET_MOST = 240;

/** What is said of a secret. No field of it holds the secret, nor another one of the same line. */
export function matchOf(
  found: Found,
  all: readonly Found[],
  file: { path: string; layers: readonly string[]; text: string; lines: readonly number[] },
): MatchInput {
  const { hit } = found;
  const { detector } = hit;
  const { severity, confidence } = graded(hit, file.path);
  const shown = redacted(hit.secret, detector.show);
  const digest = digestOf(detector.id, hit.secret);
  const inside = found.layers.length === 0 ? "" : ` It is hidden from a plain look: ${found.layers.join(", then ")}.`;
  return {
    rule: `secrets/${detector.id}`,
    analyser: "secrets",
    verdict: "secret",
    title: detector.title,
    message: `${detector.title} (${shown}) lies open here: whoever can read this file, its history or a package made of it can use it.${inside}${hit.notes.map((note) => ` ${note}`).join("")}`,
    severity,
    confidence,
    cwe: [...detector.cwe],
    place: { path: file.path, ...span(file.lines, found), snippet: snippet(file.text, found, all), layers: [...file.layers, ...found.layers] },
    secret: { detector: detector.id, provider: detector.provider, redacted: shown, digest, state: "unverified" },
    fix: {
      text: `${detector.fix} Then take it out of the code: read it from the environment or a secret store. Deleting the line is not enough, its history keeps it.`,
    },
    references: [...detector.references],
    anchor: digest,
  };
}

/** In a test or a document most are made up; what a checksum proves is real wherever it stands, and still less likely to be in use. */
function graded({ detector, severity, confidence, proved }: Hit, path: string): { severity: Severity; confidence: Hit["confidence"] } {
  const kind = placeKind(path);
  if (kind !== "test" && kind !== "docs") return { severity, confidence };
  // Keys of its own are what a test of anything encrypted has.
  const own = detector.cwe.includes(321);
  return proved && !own ? { severity: lower(severity, "medium"), confidence } : { severity: lower(severity, "low"), confidence: lesser(confidence, "low") };
}

function span(lines: readonly number[], { from, to }: Found): { line: number; column: number; end_line: number; end_column: number } {
  const line = lineAt(lines, from);
  const end = lineAt(lines, Math.max(from, to - 1));
  return { line: line + 1, column: from - lines[line]! + 1, end_line: end + 1, end_column: to - lines[end]! + 1 };
}

function lineAt(lines: readonly number[], at: number): number {
  let [low, high] = [0, lines.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]! <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The line, or what is round it of a long one, with everything hidden that any detector found in it. */
function snippet(text: string, { from, to, hit }: Found, all: readonly Found[]): string {
  const before = text.lastIndexOf("\n", from - 1) + 1;
  const first = from === 0 ? 0 : Math.max(before, from - SNIPPET_MOST / 2);
  const newline = text.indexOf("\n", from);
  const last = Math.min(newline === -1 ? text.length : newline, Math.max(from + SNIPPET_MOST / 2, Math.min(to + 60, from + SNIPPET_MOST)));
  let shown = "";
  let at = first;
  for (const each of all.filter((other) => other.to > first && other.from < last).sort((a, b) => a.from - b.from || b.to - a.to)) {
    if (each.to <= at) continue;
    shown +=
      redactSecrets(text.slice(at, Math.max(at, Math.min(each.from, last)))) +
      (each.from >= at ? redacted(text.slice(each.from, each.to), each.hit.detector.show) : "");
    at = each.to;
  }
  if (at < last) shown += redactSecrets(text.slice(at, last));
  return shown.replaceAll(hit.secret, redacted(hit.secret, hit.detector.show)).trim().slice(0, 500);
}
