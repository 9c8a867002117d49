import type { Gap, ScanResult } from "@plastron/contracts";
import { cut, padded, wrapped } from "../text/layout.ts";
import { visible } from "../text/visible.ts";
import { ANALYSER_WORDS, analysersOf, count, duration, size } from "../words.ts";
import type { Screen, Style } from "./paint.ts";

const MOST_GAPS = 12;
const GAP_STYLE: Record<Gap["kind"], Style> = { failed: "red", degraded: "yellow", skipped: "yellow" };

/** What was looked at, by whom, and what was not. */
export function coverageLines(result: ScanResult, screen: Screen): string[] {
  const { coverage } = result;
  const { paint } = screen;
  const rows = analysersOf(result).map((name) => {
    const of = coverage.analysers[name];
    const cached = of?.cached ? `, ${of.cached.toLocaleString("en")} known` : "";
    return `  ${padded(name, 13)}${paint("dim", cut(`${count(of?.files ?? 0, "file")}${cached}, ${size(of?.bytes ?? 0)}, ${duration(of?.ms ?? 0)}`, screen.columns - 15))}`;
  });
  const absent = Object.keys(ANALYSER_WORDS).filter((name) => coverage.analysers[name as keyof typeof ANALYSER_WORDS] === undefined);
  return [
    paint("bold", "Coverage"),
    ...rows,
    ...(absent.length > 0 ? [`  ${paint("dim", cut(`not looked for: ${absent.join(", ")}`, screen.columns - 2))}`] : []),
    ...gapLines(result, screen),
    ...coverage.notes.flatMap((note) => wrapped(visible(note), screen.columns - 4).map((line, at) => `  ${at === 0 ? paint("cyan", "i") : " "} ${line}`)),
  ];
}

/** What matters first; the rest is counted. */
function gapLines({ coverage }: ScanResult, screen: Screen): string[] {
  const { paint, columns } = screen;
  const shown = coverage.gaps.filter(({ matters }) => matters).slice(0, MOST_GAPS);
  const lines = shown.flatMap((gap) => {
    const text = `${gap.kind} ${gap.analyser}  ${visible(gap.path)}: ${visible(gap.detail || gap.reason)}`;
    return wrapped(text, columns - 4).map((line, at) => `  ${at === 0 ? paint(GAP_STYLE[gap.kind], "!") : " "} ${line}`);
  });
  const matter = coverage.gaps.filter(({ matters }) => matters).length;
  const beside = coverage.gaps.length - matter;
  /* What is not listed may be anything: it counts as what matters. */
  const more = matter - shown.length + coverage.gaps_total - coverage.gaps.length;
  return [
    ...lines,
    ...(more > 0 ? [`  ${paint("yellow", "!")} and ${more.toLocaleString("en")} more like these`] : []),
    ...(beside > 0
      ? [`  ${paint("dim", cut(`${count(beside, "thing")} beside the point not looked at (pictures, cyclic links and the like)`, columns - 2))}`]
      : []),
  ];
}
