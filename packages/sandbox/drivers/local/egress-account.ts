import { type EgressAccount, TELEMETRY_BOUNDS } from "@plastron/contracts";

type Flow = EgressAccount["flows"][number];
type Name = EgressAccount["names"][number];

/**
 * Of one run, where the process tells of the sandbox's whole life; a connection that a session's earlier run has opened counts
 * there, and its bytes where they flow. Flags are new each time.
 */
export function accountSince(before: EgressAccount | null, now: EgressAccount): EgressAccount {
  const flows = grown(now.flows, before?.flows ?? [], flowKey, ["connections", "bytes_in", "bytes_out"]);
  const names = grown(now.names, before?.names ?? [], nameKey, ["count"]);
  const [keptFlows, keptNames] = [flows.slice(0, TELEMETRY_BOUNDS.peers), names.slice(0, TELEMETRY_BOUNDS.names)];
  return {
    traffic: less(now.traffic, before?.traffic, ["connections", "bytes_in", "bytes_out"]),
    flows: keptFlows,
    names: keptNames,
    flows_dropped: now.flows_dropped - (before?.flows_dropped ?? 0) + sum(flows.slice(keptFlows.length).map(({ connections }) => connections)),
    names_dropped: now.names_dropped - (before?.names_dropped ?? 0) + sum(names.slice(keptNames.length).map(({ count }) => count)),
    flags: now.flags,
  };
}

const flowKey = ({ address, port }: Flow): string => `${address} ${port}`;
const nameKey = ({ name, type, answer }: Name): string => `${name} ${type} ${answer}`;
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** Entries of which there is more than before. */
function grown<T>(now: readonly T[], before: readonly T[], key: (entry: T) => string, counters: readonly (keyof T)[]): T[] {
  const known = new Map(before.map((entry) => [key(entry), entry]));
  return now.map((entry) => less(entry, known.get(key(entry)), counters)).filter((entry) => counters.some((name) => (entry[name] as number) > 0));
}

function less<T>(now: T, before: T | undefined, counters: readonly (keyof T)[]): T {
  if (!before) return now;
  return { ...now, ...Object.fromEntries(counters.map((name) => [name, Math.max(0, (now[name] as number) - (before[name] as number))])) };
}
