import type { ScanResult, Severity } from "@plastron/contracts";
import { outermost, placeWords } from "../../findings/places.ts";
import { visible } from "../text/visible.ts";
import { verdictOf } from "../words.ts";

const COMMAND: Record<Severity, string> = { critical: "error", high: "error", medium: "warning", low: "notice", info: "notice" };

/**
 * Workflow commands of GitHub Actions: each open finding an annotation at its line, most urgent first (a step shows ten of each kind), the
 * verdict at the end. Nothing of the artifact can begin a line, so none of its text is a command.
 */
export function renderGithub(result: ScanResult): string {
  const open = result.findings.filter(({ state }) => state === "open");
  const lines = open.map((finding) => {
    const { place, severity, title, message, priority, fix, rule } = finding;
    const inside = outermost(place) !== place.path;
    const at = inside ? ["line=1"] : [`line=${place.line}`, `endLine=${Math.max(place.line, place.end_line)}`, `col=${place.column}`];
    const where = inside ? [`In ${placeWords(place)}:${place.line}.`] : [];
    const text = [message, ...where, `Why now: ${priority.words}`, `What to do: ${fix.text}`, rule].map(visible).join("\n");
    return command(COMMAND[severity], [`file=${value(outermost(place))}`, ...at, `title=${value(title)}`], text);
  });
  const { kind, headline, detail } = verdictOf(result);
  const verdict = command(kind === "incomplete" ? "error" : kind === "findings" ? "warning" : "notice", ["title=Plastron"], `${headline}: ${detail}`);
  return `${[...lines, verdict].join("\n")}\n`;
}

const command = (name: string, properties: readonly string[], text: string): string => `::${name} ${properties.join(",")}::${data(text)}`;
const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const value = (text: string): string => data(visible(text)).replaceAll(":", "%3A").replaceAll(",", "%2C");
