import { visible } from "../../packages/scan/report/text/visible.ts";
import { table } from "../table.ts";
import { type GraveFinding, type PrecisionReport, TARGET_FALSE_PER_TEN } from "./index.ts";

const words = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([word, number]) => `${number} ${word}`)
    .join(", ") || "none";

/** The report as lines for a terminal. */
export function printPrecision({ packages, totals, stale }: PrecisionReport): string[] {
  const grave = packages.flatMap(({ what, grave }) => grave.map((finding) => ({ what, finding })));
  const open = totals.judged["not yet"] ?? 0;
  const met = totals.false_per_ten <= TARGET_FALSE_PER_TEN && open === 0;
  return [
    ...table(
      [
        ["package", "files", "MB", "s", "status"],
        ...packages.map(({ what, files, bytes, seconds, status }) => [what, String(files), (bytes / 1e6).toFixed(1), seconds.toFixed(1), status]),
      ],
      ["findings", ...packages.map(({ severities, verdicts }) => (Object.keys(severities).length === 0 ? "none" : `${words(severities)}: ${words(verdicts)}`))],
    ),
    ...packages.flatMap(({ what, gaps }) => gaps.map((gap) => visible(`not seen as it should be: ${what}: ${gap}`))),
    "",
    ...grave.flatMap(({ what, finding }) => linesOf(what, finding)),
    ...stale.map((one) => `judged, but no longer told: ${one}`),
    `${totals.packages} packages, ${totals.incomplete} not seen whole, ${totals.malice} called malicious`,
    `${totals.grave} high, critical or malicious: ${words(totals.judged)}`,
    `false in ten packages: ${totals.false_per_ten.toFixed(2)} (at most ${TARGET_FALSE_PER_TEN}, with none left to judge: ${met ? "met" : "MISSED"})`,
  ];
}

function linesOf(what: string, { severity, verdict, rule, place, line, message, flow, judged, why, fingerprint }: GraveFinding): string[] {
  return [
    `${what}: ${severity} ${verdict} ${rule} (${fingerprint})`,
    `  ${place}: ${line.slice(0, 200)}`,
    `  ${message}`,
    ...flow.map((step) => `    ${step}`),
    `  judged: ${judged}${why === "" ? "" : `: ${why}`}`,
    "",
  ].map(visible);
}
