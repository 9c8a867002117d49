import { isMeasured, type Measured, type Summary } from "../measure.ts";
import { table } from "../table.ts";
import type { Latency } from "./latency.ts";
import { printPhases } from "./print-phases.ts";
import { NOISY, type Report, type Target } from "./report.ts";
import type { Throughput } from "./throughput.ts";

/** The report as lines for a person; `--json` has every figure, this the ones that tell. */
export function printReport(report: Report): string[] {
  return [
    ...heading(report),
    ...section("Bare starts and cold sandboxes, Python print(1) unless named", bareStarts(report)),
    ...section("One run at a time over HTTP", latencies(report)),
    ...section(`${report.settings.concurrency} at once`, throughputs(report)),
    ...section("What bounds it", bounds(report)),
    ...section("CPU time of a run in µs, by who spent it", cpuTimes(report)),
    ...section("Where the time of a run goes, medians in µs", printPhases(report)),
    ...section("Idle memory with default pools, MiB of PSS", memory(report)),
    ...section("Ratios of this run (times: below 1 is faster than the peer; rates: above 1)", ratios(report)),
    ...section("Targets", targets(report.targets)),
  ];
}

function heading({ machine, platform, settings }: Report): string[] {
  const { cores, cpu, kernel, node, busy_before } = machine;
  const busy = Math.round(busy_before * 100);
  const noise = `  This machine was ${busy} % busy with other things before the bench began: go by the ratios, and repeat when it is quiet.`;
  return [
    `plastron bench sandbox · ${cores} cores, ${cpu} · Linux ${kernel} · Node ${node} · driver ${platform.driver ?? "unknown"}, tier ${platform.tier ?? "unknown"}`,
    ...(busy_before >= NOISY ? [noise] : []),
    ...(settings.quick ? ["  --quick: too few runs to judge by."] : []),
  ];
}

const section = (title: string, lines: string[]): string[] => ["", title, ...lines];

function bareStarts({ bare_starts }: Report): string[] {
  const names = { python: "bare python3", node: "bare node, console.log(1)", bubblewrap: "bubblewrap", nsjail: "nsjail", runc: "runc" };
  const all = Object.entries(names).map(([key, name]) => ({ name, found: bare_starts[key as keyof typeof names] }));
  return tableOf(["p50 ms", "p95 ms", "n"], all, summary);
}

const LATENCY_NAMES: Record<keyof Report["latency"], string> = {
  python: "Python print(1)",
  python_zygote: "Python print(1), zygote",
  numpy_pandas: "Python with numpy and pandas",
  numpy_pandas_zygote: "Python with numpy and pandas, zygote",
  node: "Node console.log(1)",
  bash: "bash echo 1",
  dify_python: "Python through Dify's API",
  peer_python: "Python, the peer",
  dify_node: "Node through Dify's API",
  peer_node: "Node, the peer",
};
const DRIVER_ALONE = "Python print(1), driver alone without HTTP";

function latencies({ latency, direct_driver: direct }: Report): string[] {
  const rows = Object.entries(LATENCY_NAMES).map(([key, name]) => ({ name, found: latency[key as keyof typeof LATENCY_NAMES] }));
  const alone = { name: DRIVER_ALONE, found: isMeasured(direct) ? direct.latency : direct };
  const cells = (found: Latency) => [...summary(found), ...[found.warm, found.zygote, found.failed].map(String)];
  return tableOf(["p50 ms", "p95 ms", "n", "warm", "zygote", "failed"], [...rows, alone], cells, (found) => found.last_failure);
}

/** A row for each; what could not be measured has its reason behind it, and what is worth a remark that. */
function tableOf<T extends object>(
  header: string[],
  rows: { name: string; found: Measured<T> }[],
  cells: (found: T) => string[],
  remark: (found: T) => string | null = () => null,
): string[] {
  const lines = rows.map(({ name, found }) => [name, ...(isMeasured(found) ? cells(found) : ["–"])]);
  const notes = rows.map(({ found }) => (isMeasured(found) ? (remark(found) ?? undefined) : found.unavailable));
  return table([["", ...header], ...lines], [undefined, ...notes]);
}

function summary(found: Summary): string[] {
  return [found.p50_ms.toFixed(2), found.p95_ms.toFixed(2), String(found.n)];
}

function throughputRows({ throughput, direct_driver: direct }: Report): { name: string; found: Measured<Throughput> }[] {
  const rows = Object.entries(throughput).map(([key, found]) => ({ name: LATENCY_NAMES[key as keyof typeof throughput], found }));
  return [...rows, { name: DRIVER_ALONE, found: isMeasured(direct) ? direct.throughput : direct }];
}

const measuredThroughputs = (report: Report) => throughputRows(report).flatMap(({ name, found }) => (isMeasured(found) ? [{ name, found }] : []));

function throughputs(report: Report): string[] {
  const cells = ({ latency, runs_per_s, busy }: Throughput) => {
    const counts = [latency.n, latency.warm, latency.zygote, latency.failed].map(String);
    return [runs_per_s.toFixed(1), latency.p50_ms.toFixed(1), latency.p95_ms.toFixed(1), ...counts, `${Math.round(busy * 100)} %`];
  };
  return tableOf(
    ["runs/s", "p50 ms", "p95 ms", "n", "warm", "zygote", "failed", "cores busy"],
    throughputRows(report),
    cells,
    ({ latency }) => latency.last_failure,
  );
}

const bounds = (report: Report): string[] => measuredThroughputs(report).map(({ name, found }) => `  ${name}: ${found.bound_by}`);

function cpuTimes(report: Report): string[] {
  const columns = ["server", "agent", "postgres", "sandboxes", "generator", "rest"] as const;
  const rows = measuredThroughputs(report).map(({ name, found }) => [name, ...columns.map((column) => String(found.cpu_us_per_run[column] ?? "–"))]);
  return [...table([["", ...columns], ...rows]), "  rest: supervisors, the kernel's work on namespaces, and whatever else ran on this machine"];
}

function memory({ idle_memory: idle }: Report): string[] {
  if (!isMeasured(idle)) return [`  ${idle.unavailable}`];
  const rows = idle.groups.map(({ name, processes, mib }) => [name, String(processes), mib.toFixed(1)]);
  const hidden = idle.unreadable > 0 ? [`  ${idle.unreadable} processes may not be read and are missing from the sum`] : [];
  return [
    ...table([["", "processes", "MiB"], ...rows, ["all", String(idle.groups.reduce((sum, { processes }) => sum + processes, 0)), idle.total_mib.toFixed(1)]]),
    ...hidden,
  ];
}

function ratios({ ratios: all }: Report): string[] {
  const known = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [[name.replaceAll("_", " "), `${value.toFixed(2)} ×`]]));
  return table(known);
}

function targets(all: Target[]): string[] {
  const rows = all.map(({ name, at_most, at_least, unit, measured }) => [
    name,
    at_most === null ? `≥ ${at_least} ${unit}` : `≤ ${at_most} ${unit}`,
    measured === null ? "–" : `${measured.toFixed(1)} ${unit}`,
  ]);
  const verdicts = all.map(({ met }) => (met === null ? "not measured" : met ? "met" : "NOT MET"));
  return table([["", "target", "measured"], ...rows], [undefined, ...verdicts]);
}
