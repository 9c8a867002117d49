import { noTelemetry, type Telemetry } from "@plastron/contracts";
import type { Accounts } from "../account.ts";
import { errorName } from "../calls/errors.ts";
import { callName } from "../calls/table.ts";
import { capabilityNames } from "./capabilities.ts";

/** From this part of a run's events on, losses are called a flood: it was no moment of bad luck. */
const FLOOD = 10_000;

/** What the kernel's side counted, which is exact whatever became of the events. */
export function countersOf(accounts: Accounts, slot: number): Telemetry & { capabilities: string[] } {
  const count = (field: Parameters<Accounts["count"]>[1]) => accounts.count(slot, field);
  const names = (rows: Iterable<[number, number]>, name: (index: number) => string) => Object.fromEntries([...rows].map(([index, n]) => [name(index), n]));
  const calls = [...accounts.each(slot, "calls")];
  const sum = (rows: [number, number][]) => rows.reduce((total, [, n]) => total + n, 0);
  const ia32 = sum(calls.filter(([index]) => index >= 512));
  const lost = count("lost");
  const flags: Telemetry["flags"] = [];
  if (lost > 0) flags.push("events_lost");
  if (lost >= FLOOD) flags.push("flooded");
  if (ia32 > 0) flags.push("ia32");
  return {
    ...noTelemetry("", "limited"),
    syscalls: {
      total: sum(calls),
      by_name: names(calls, callName),
      errors: names(accounts.each(slot, "errors"), errorName),
      denied: names(accounts.each(slot, "denied_by"), callName),
      ia32,
    },
    processes: { forks: count("forks"), threads: count("threads"), execs: count("execs"), exits: count("exits"), list: [] },
    files: { opens: count("opens"), by_class: {}, list: [] },
    network: { connects: count("connects"), binds: count("binds"), sends: count("sends"), peers: [], flows: [], names: [] },
    stacks_skipped: count("skipped"),
    lost: { events: lost, listed: 0 },
    flags,
    capabilities: capabilityNames(...accounts.halves(slot, "capabilities")),
  };
}
