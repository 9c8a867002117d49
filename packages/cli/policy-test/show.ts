import type { RowResult } from "@plastron/policy";
import { type Cell, renderTable } from "../terminal/table.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import type { LiveReport } from "./live.ts";

const DENIED = 13;
const POSSIBLE = 0;

/** A row per rule: was the forbidden denied, or did it pass and was recorded; did the allowed work; then what went wrong, and the count. */
export function showLiveTests(report: LiveReport, terminal: Terminal): void {
  const { paint, out } = terminal;
  for (const text of renderTable(["", "RULE", "FORBIDDEN", "ALLOWED", "NOTE"], report.rows.map(row), terminal)) line(out, text);
  const parts = [paint("green", `${report.passed} passed`), report.failed > 0 ? paint("red", `${report.failed} failed`) : "0 failed"];
  const missing = report.rows.filter(isMissing).length;
  if (missing > 0) parts.push(paint("yellow", `${missing} not enforced on this host`));
  if (report.unclaimed > missing) parts.push(`${report.unclaimed - missing} with nothing to try`);
  line(out, `\n${printable(report.policy)}: ${parts.join(", ")} (${report.driver} driver, tier ${report.tier})`);
}

/** Claimed nothing because it cannot be had here; other rows that claim nothing allow, or observe what cannot be made to happen. */
const isMissing = ({ verdict, fidelity }: RowResult): boolean => verdict === "unclaimed" && fidelity === "unsupported";

function row(result: RowResult): Cell[] {
  if (result.verdict === "unclaimed") {
    return [
      { text: "-", style: "dim" },
      { text: printable(result.rule) },
      { text: "" },
      { text: "" },
      {
        text: isMissing(result) ? "not enforced here: `plastron policy explain` says why" : "nothing to try: `plastron policy explain` says why",
        style: "dim",
      },
    ];
  }
  const good = result.verdict === "passed";
  const why =
    result.tests.length === 0
      ? "claims enforcement without a test"
      : result.tests.flatMap((test) => (test.why === "" ? [] : [`${test.id}: ${test.why}`])).join("; ");
  return [
    good ? { text: "✓", style: "green" } : { text: "✗", style: "red" },
    { text: printable(result.rule) },
    result.observes ? observed(result) : verdict(result, "forbidden", DENIED, "denied", "possible"),
    verdict(result, "allowed", POSSIBLE, "works", "denied"),
    { text: printable(why), style: "dim" },
  ];
}

/** It passes, and nobody was told, is as wrong as that it was denied. */
function observed(result: RowResult): Cell {
  const passes = verdict(result, "forbidden", POSSIBLE, "passes, recorded", "denied");
  const isTold = ({ forbidden }: RowResult["tests"][number]) =>
    forbidden.violations.some(({ rule_id, action }) => rule_id === result.rule && action === "AUDIT");
  return passes.style === "green" && !result.tests.every(isTold) ? { text: "not recorded", style: "red" } : passes;
}

function verdict({ tests }: RowResult, which: "forbidden" | "allowed", wanted: number, good: string, bad: string): Cell {
  if (tests.length === 0) return { text: "untested", style: "red" };
  const wrong = tests.map((test) => test[which].exit_code).filter((code) => code !== wanted);
  if (wrong.length === 0) return { text: good, style: "green" };
  return { text: wrong.some((code) => code === (wanted === DENIED ? POSSIBLE : DENIED)) ? bad : "broken", style: "red" };
}
