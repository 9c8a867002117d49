import { isMeasured, type Measured, type Summary } from "../measure.ts";
import { NOISY } from "../sandbox/report.ts";
import { table } from "../table.ts";
import type { GvisorReport } from "./index.ts";

/** The report as lines for a person. */
export function printGvisor({ machine, cold_runsc, latency, ratios, target }: GvisorReport): string[] {
  const rows = Object.entries(latency).flatMap(([name, { gvisor, everyday }]) => [
    { name: `${name}, gVisor`, found: gvisor as Measured<Summary & { warm?: number }> },
    { name: `${name}, everyday driver`, found: everyday as Measured<Summary & { warm?: number }> },
  ]);
  const all = [...rows, { name: "python, runsc do (cold)", found: cold_runsc as Measured<Summary & { warm?: number }> }];
  const cells = all.map(({ name, found }) => [
    name,
    ...(isMeasured(found) ? [found.p50_ms.toFixed(2), found.p95_ms.toFixed(2), String(found.n), found.warm === undefined ? "–" : String(found.warm)] : ["–"]),
  ]);
  const busy = Math.round(machine.busy_before * 100);
  const shown = (value: number | null) => (value === null ? "–" : `${value.toFixed(2)} ×`);
  return [
    `plastron bench gvisor · ${machine.cores} cores, ${machine.cpu} · Linux ${machine.kernel} · Node ${machine.node}`,
    ...(machine.busy_before >= NOISY
      ? [`  This machine was ${busy} % busy with other things before the bench began: go by the ratios, and repeat when it is quiet.`]
      : []),
    "",
    "One run at a time over HTTP, in turns",
    ...table([["", "p50 ms", "p95 ms", "n", "warm"], ...cells], [undefined, ...all.map(({ found }) => (isMeasured(found) ? undefined : found.unavailable))]),
    "",
    "Ratios of this run (below 1 is faster)",
    ...table([
      ["Python in gVisor to the everyday driver", shown(ratios.gvisor_python_to_everyday)],
      ["Python in gVisor, warm, to a cold runsc", shown(ratios.gvisor_python_to_cold_runsc)],
    ]),
    "",
    `  ${target.name}: ${target.measured === null ? "–" : `${target.measured.toFixed(1)} ms`}, target ≤ ${target.at_most} ms: ${target.met === null ? "not measured" : target.met ? "met" : "NOT MET"}`,
  ];
}
