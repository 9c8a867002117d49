import type { Finding, GateDecision } from "@plastron/contracts";
import { cut } from "./request.ts";

const TITLES: Readonly<Record<GateDecision["decision"], string>> = {
  pass: "Nothing stands against it",
  deny: "Denied",
  hold: "It cannot be said: the scan is incomplete",
};

/** One line: what was decided, and the first reason. */
export function titleOf(decision: GateDecision, most = 255): string {
  const [first] = decision.reasons;
  return cut(first ? `${TITLES[decision.decision]}: ${first.message}` : TITLES[decision.decision], most);
}

/** The decision as Markdown. Names and titles are the artifact's: made plain text, so that they neither link, mention nor load anything. */
export function summaryOf(decision: GateDecision, findings: readonly Finding[], most = 60_000): string {
  const byPrint = new Map(findings.map((finding) => [finding.fingerprint, finding]));
  const lines = decision.reasons.flatMap(({ rule, message, hint, fingerprints }) => [
    `### ${plain(rule)}: ${plain(message)}`,
    "",
    ...fingerprints.flatMap((fingerprint) => byPrint.get(fingerprint) ?? []).map(row),
    "",
    plain(hint),
    "",
  ]);
  const counts = `${decision.counted.length} counted, ${decision.known} known before, ${decision.exempted} exempted.`;
  const parts = [counts, "", ...lines];
  let text = "";
  for (const [at, line] of parts.entries()) {
    if (text.length + line.length > most - 100) return `${text}\n… and ${parts.length - at} more lines: the whole report has all.\n`;
    text += `${line}\n`;
  }
  return text;
}

function row({ place, severity, title, fix, rule }: Finding): string {
  const where = `${[...place.layers, place.path].join("!/")}:${place.line}`;
  return `- **${severity}** ${code(where)} ${plain(title)} (${plain(rule)}). ${plain(fix.text.split("\n")[0] as string)}`;
}

/** Markdown, HTML and mentions as the characters that they are. */
export function plain(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .replace(/[\\`*_{}[\]()#+!|~<>&]/g, (character) => `&#${character.codePointAt(0)};`)
    .replace(/@(?=\w)/g, "@\u200b")
    .replace(/:\/\//g, ":&#47;&#47;");
}

function code(text: string): string {
  const safe = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? `${fence}${safe}${fence}` : `${fence} ${safe} ${fence}`;
}
