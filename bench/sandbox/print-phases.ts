import { isMeasured, type Measured } from "../measure.ts";
import { bar, table } from "../table.ts";
import type { Latency } from "./latency.ts";
import type { Report } from "./report.ts";

/** Phases in the order in which a run goes through them; deeper ones are part of the one above. Phases not named here come last. */
const PHASES: [name: string, depth: number, meaning: string][] = [
  ["client", 0, "from the client's write to the whole answer"],
  ["total", 1, "in the server, from the head of the request to the answer"],
  ["auth", 2, "the key"],
  ["admit", 2, "a place, and the admission handed to the database"],
  ["agent", 2, "from the order to the agent to its result"],
  ["agent_connect", 3, "until the connection to the agent took it"],
  ["queue", 3, "waiting for a place in the agent"],
  ["acquire", 3, "until a sandbox was there"],
  ["run", 3, "from the program's first byte in to its result out"],
  ["program", 4, "the interpreter with the program"],
  ["commit", 2, "waiting until the record is durable"],
];

const BAR = 24;

/** One column for each way of running Python, and a bar for the first of them. */
export function printPhases({ latency, throughput, settings }: Report): string[] {
  const columns: [title: string, found: Measured<Latency>][] = [
    ["own process", latency.python],
    ["zygote", latency.python_zygote],
    [`${settings.concurrency} at once`, isMeasured(throughput.python) ? throughput.python.latency : throughput.python],
    ["Node", latency.node],
  ];
  const phases = columns.map(([, found]) => phasesOf(found));
  const first = phases[0] ?? {};
  const known = PHASES.map(([name]) => name);
  const more = [...new Set(phases.flatMap(Object.keys))].filter((name) => !known.includes(name)).map((name): (typeof PHASES)[number] => [name, 2, ""]);
  const seen = [...PHASES, ...more].filter(([name]) => phases.some((all) => all[name] !== undefined));
  const full = first.client ?? 0;
  const rows = seen.map(([name, depth]) => ["  ".repeat(depth) + name, ...phases.map((all) => String(all[name] ?? "–"))]);
  const bars = seen.map(([name, , meaning]) => `${bar(first[name] ?? 0, full, BAR).padEnd(BAR)}  ${meaning}`);
  return table([["", ...columns.map(([title]) => title)], ...rows], [undefined, ...bars]);
}

function phasesOf(found: Measured<Latency>): Record<string, number> {
  return isMeasured(found) ? { client: Math.round(found.p50_ms * 1000), ...found.phases_us } : {};
}
