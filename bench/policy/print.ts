import { isMeasured, type Summary } from "../measure.ts";
import { table } from "../table.ts";
import type { PolicyReport } from "./index.ts";
import type { CallCost } from "./overhead.ts";

/** The report as lines for a person. */
export function printPolicyReport(report: PolicyReport): string[] {
  const { compile, filter, overhead, settings } = report;
  return [
    "plastron bench policy",
    ...(settings.quick ? ["  --quick: too few runs to judge by."] : []),
    ...section("Compiling a policy", [
      ...table([
        ["", "p50 ms", "p95 ms", "n"],
        summary("every built-in rule", compile.every_rule),
        summary("the same recorded, with raw rules of each kind", compile.everything),
      ]),
      `  the first of a process, nothing warmed up: ${compile.first_ms.toFixed(1)} ms`,
    ]),
    ...section("What the filter of every rule adds to a call", [
      ...(isMeasured(overhead)
        ? table([["", "no filter ns", "ours +ns", "list +ns", "ours / list"], row("getpid", overhead.getpid), row("ioctl", overhead.ioctl)])
        : [`  ${overhead.unavailable}`]),
      `  ours: ${filter.ours_instructions} instructions, a tree over the numbers; the same rules as a list: ${filter.linear_instructions}`,
      "  Linux 5.11 and later keep the answers for calls without conditions (getpid) and run no filter for them; ioctl's is run.",
    ]),
    ...section(
      "Targets",
      table(
        [
          ["", "target", "measured"],
          ...report.targets.map(({ name, at_most, unit, measured }) => [
            name,
            `≤ ${at_most} ${unit}`,
            measured === null ? "–" : `${measured.toFixed(1)} ${unit}`,
          ]),
        ],
        [undefined, ...report.targets.map(({ met }) => (met === null ? "not measured" : met ? "met" : "NOT MET"))],
      ),
    ),
  ];
}

const section = (title: string, lines: string[]): string[] => ["", title, ...lines];

const summary = (name: string, { p50_ms, p95_ms, n }: Summary): string[] => [name, p50_ms.toFixed(2), p95_ms.toFixed(2), String(n)];

function row(name: string, cost: CallCost): string[] {
  const ratio = cost.ours_to_linear === null ? "–" : `${cost.ours_to_linear.toFixed(2)} ×`;
  return [name, cost.none_ns.toFixed(1), cost.ours_added_ns.toFixed(1), cost.linear_added_ns.toFixed(1), ratio];
}
