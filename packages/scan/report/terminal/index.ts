import type { Finding, ScanResult } from "@plastron/contracts";
import { placeWords } from "../../findings/places.ts";
import { columnsOf, cut, wrapped } from "../text/layout.ts";
import { visible } from "../text/visible.ts";
import { byLevel, count, duration, LEVEL_MEANING, LEVEL_WORDS, LEVELS, size, verdictOf } from "../words.ts";
import { coverageLines } from "./coverage.ts";
import { exemptionWords, findingLine, findingLines } from "./finding.ts";
import { LEVEL_STYLE, type Screen, type Style, screen } from "./paint.ts";

export interface TerminalOptions {
  /** Columns of the terminal; left out for a pipe, whose lines are not broken. */
  readonly columns?: number;
  /** Left out: none. Whoever calls knows NO_COLOR and whether it speaks to a terminal. */
  readonly colour?: boolean;
  /** How many findings are shown in full; the rest is counted. */
  readonly most?: number;
}

const MOST = 50;
const MOST_EXEMPTIONS = 20;
const MOST_OF_ONE = 5;
const VERDICT: Record<ReturnType<typeof verdictOf>["kind"], [Style, string]> = {
  incomplete: ["alarm", " INCOMPLETE "],
  findings: ["red", "✗"],
  exempted: ["yellow", "✓"],
  clean: ["green", "✓"],
};

/** For a person at a terminal: by urgency, then by file; what was looked at; and at the end, where the eye is, the verdict. */
export function renderTerminal(result: ScanResult, options: TerminalOptions = {}): string {
  const on = screen(options);
  const most = options.most ?? MOST;
  const open = result.findings.filter(({ state }) => state === "open");
  const shown = open.slice(0, most);
  const lines = [
    ...headLines(result, on),
    ...LEVELS.flatMap((level) => levelLines(level, shown, open, on)),
    ...restLines(open.slice(most), on),
    ...exemptedLines(result, on),
    ...coverageLines(result, on),
    "",
    ...verdictLines(result, on),
  ];
  return `${lines.join("\n")}\n`;
}

function headLines({ artifact, coverage, ms }: ScanResult, { paint, columns }: Screen): string[] {
  const facts = [artifact.kind, artifact.revision ?? "", artifact.digest.slice(0, 12), count(coverage.files, "file"), size(coverage.bytes), duration(ms)];
  return [paint("bold", cut(visible(artifact.name), columns)), paint("dim", cut(facts.filter(Boolean).map(visible).join(" · "), columns)), ""];
}

function levelLines(level: Finding["priority"]["level"], shown: readonly Finding[], open: readonly Finding[], on: Screen): string[] {
  const here = shown.filter(({ priority }) => priority.level === level);
  if (here.length === 0) return [];
  const all = open.filter(({ priority }) => priority.level === level).length;
  const files = Map.groupBy(here, ({ place }) => placeWords(place));
  const head = `${on.paint(LEVEL_STYLE[level], on.paint("bold", LEVEL_WORDS[level]))} ${on.paint("dim", `${LEVEL_MEANING[level]} · ${count(all, "finding")}`)}`;
  const body = [...files].flatMap(([path, findings]) => [
    `${on.paint("bold", cut(visible(path), on.columns))}`,
    ...findings.flatMap((finding) => (level === "note" ? [findingLine(finding, on)] : [...findingLines(finding, on), ""])),
    ...(level === "note" ? [""] : []),
  ]);
  return [head, "", ...body];
}

function restLines(rest: readonly Finding[], { paint }: Screen): string[] {
  return rest.length === 0
    ? []
    : [paint("yellow", `and ${count(rest.length, "more finding")} that ${rest.length === 1 ? "is" : "are"} not shown here: ${byLevel(rest)}`), ""];
}

/** By exemption: who answers for it and until when, then what it covers. */
function exemptedLines({ findings }: ScanResult, on: Screen): string[] {
  const groups = Map.groupBy(
    findings.filter(({ state }) => state === "exempted"),
    ({ exemption }) => (exemption ? exemptionWords(exemption) : ""),
  );
  if (groups.size === 0) return [];
  const lines = [...groups].slice(0, MOST_EXEMPTIONS).flatMap(([words, group]) => {
    const rows = group.slice(0, MOST_OF_ONE).map(({ place, title }) => `    ${cut(visible(`${placeWords(place)}:${place.line}  ${title}`), on.columns - 4)}`);
    const more = group.length > MOST_OF_ONE ? [`    and ${group.length - MOST_OF_ONE} more`] : [];
    return [...wrapped(visible(words), on.columns - 2).map((line) => `  ${line}`), ...[...rows, ...more].map((row) => on.paint("dim", row))];
  });
  const more = groups.size > MOST_EXEMPTIONS ? [`  and ${groups.size - MOST_EXEMPTIONS} more exemptions`] : [];
  return [on.paint("bold", "Exempted"), ...lines, ...more, ""];
}

function verdictLines(result: ScanResult, { paint, columns }: Screen): string[] {
  const verdict = verdictOf(result);
  const [style, mark] = VERDICT[verdict.kind];
  const head = verdict.kind === "incomplete" ? mark : `${mark} ${verdict.headline}`;
  const said = verdict.kind === "incomplete" ? paint(style, mark) : `${paint(style, mark)} ${paint("bold", verdict.headline)}`;
  const [first = "", ...rest] = wrapped(verdict.detail, columns - columnsOf(head) - 2);
  return [`${said}  ${first}`, ...rest.map((line) => `${" ".repeat(columnsOf(head) + 2)}${line}`)];
}
