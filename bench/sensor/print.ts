import { isMeasured } from "../measure.ts";
import { table } from "../table.ts";
import type { SensorReport } from "./index.ts";

/** The report as lines for a person. */
export function printSensorReport({ costs, floods, peers, targets, settings }: SensorReport): string[] {
  const ns = (value: number) => value.toFixed(value < 10_000 ? 1 : 0);
  return [
    "plastron bench sensor",
    ...(settings.quick ? ["  --quick: too few runs to judge by."] : []),
    ...section(
      "What being looked at adds (nanoseconds; the best tenth of the rounds)",
      table([
        ["", "without", "with", "added", "added %"],
        ...costs.map((cost) => [cost.name, ns(cost.without_ns), ns(cost.with_ns), ns(cost.added_ns), cost.added_percent.toFixed(1)]),
      ]),
    ),
    ...section(
      "Floods: events as fast as this machine makes them, and as fast as one processor would read them",
      table([
        ["", "events", "events/s", "lost", "read, per second of the reader's processor"],
        ...floods.map((flood) => [flood.name, ...[flood.events, flood.events_per_s, flood.lost, flood.capacity_per_s].map(String)]),
      ]),
    ),
    ...section(
      "The getppid loop under others that count calls",
      table([
        ["", "ns", "times the bare loop"],
        ...peers.map(({ name, ns: of }) => (isMeasured(of) ? [name, of.ns.toFixed(0), `${of.times.toFixed(1)} ×`] : [name, "–", of.unavailable])),
      ]),
    ),
    ...section(
      "Targets",
      table(
        [["", "target", "measured"], ...targets.map(({ name, at_most, unit, measured }) => [name, `≤ ${at_most} ${unit}`, `${measured.toFixed(1)} ${unit}`])],
        [undefined, ...targets.map(({ met }) => (met ? "met" : "NOT MET"))],
      ),
    ),
  ];
}

const section = (title: string, lines: string[]): string[] => ["", title, ...lines];
