import type { Confinement, Violation } from "@plastron/contracts";
import { describeRecord, readWatchRecord } from "../../violations/index.ts";
import type { SpecRecord } from "./spec.ts";

/** Bits of native/notify.h. */
const PERMISSION = { read: 1, write: 2, append: 4, exec: 8 } as const;

/** Whether a confinement has calls that are looked at while the program runs. */
export const isWatched = ({ watch }: Confinement): boolean => watch.calls.length > 0 || watch.paths.length > 0;

/** What native/notify.h reads. Empty where nothing is watched: such a sandbox has no listener and no watcher. */
export function watchRecords(confinement: Confinement): SpecRecord[] {
  const { calls, paths } = confinement.watch;
  if (!isWatched(confinement) || confinement.seccomp === "" || confinement.weak?.seccomp === true) return [];
  return [
    ["watch"],
    ...calls.flatMap(({ number, otherwise, entries }): SpecRecord[] => [
      ["watch-call", number, otherwise],
      ...entries.flatMap(({ when, errno, rule }): SpecRecord[] => [
        ["watch-entry", errno, rule ?? -1],
        ...when.map(({ index, width, op, mask, value }): SpecRecord => ["watch-when", index, width, op, mask, value]),
      ]),
    ]),
    ...paths.map(({ rule, glob, permissions, deny, report }): SpecRecord => {
      const bits = permissions.reduce((all, name) => all | PERMISSION[name], 0);
      return ["watch-path", rule, bits, deny ? 1 : 0, report ? 1 : 0, glob];
    }),
  ];
}

/** How a supervisor's records of one confinement become violations. */
export function violationReader({ watch, rules }: Confinement): (payload: Uint8Array) => Violation | undefined {
  const names = new Map(watch.calls.map(({ number, name }) => [number, name]));
  return (payload) => {
    const record = readWatchRecord(payload);
    return describeRecord(record, rules, names.get(record.number));
  };
}
