import type { Confinement, Violation } from "@plastron/contracts";
import { describeRecord, readWatchRecord } from "../../violations/index.ts";
import type { SpecRecord } from "./spec.ts";

/** Bits of native/notify.h. */
const PERMISSION = { read: 1, write: 2, append: 4, exec: 8 } as const;

/** Whether a confinement has calls that are looked at while the program runs. */
export const isWatched = ({ watch }: Confinement): boolean => watch.calls.length > 0 || looksAtPaths(watch);

/** Whether every call that takes a path is looked at. */
export const looksAtPaths = ({ paths, lists = [] }: Confinement["watch"]): boolean => paths.length > 0 || lists.length > 0;

/** What native/notify.h reads. Empty where nothing is watched: such a sandbox has no listener and no watcher. */
export function watchRecords(confinement: Confinement): SpecRecord[] {
  const { calls, paths, lists = [] } = confinement.watch;
  if (!isWatched(confinement) || confinement.seccomp === "" || confinement.weak?.seccomp === true) return [];
  return [
    ["watch"],
    ...calls.flatMap(({ number, otherwise, entries }): SpecRecord[] => [
      ["watch-call", number, otherwise],
      ...entries.flatMap(({ when, errno, rule, late }): SpecRecord[] => [
        ["watch-entry", errno, rule ?? -1, late ? 1 : 0],
        ...when.map(({ index, width, op, mask, value }): SpecRecord => ["watch-when", index, width, op, mask, value]),
      ]),
    ]),
    ...paths.map(({ rule, glob, permissions, deny, report }): SpecRecord => {
      return ["watch-path", rule, bitsOf(permissions), deny ? 1 : 0, report ? 1 : 0, glob];
    }),
    ...lists.flatMap(({ rule, permissions, deny, report, allowed }): SpecRecord[] => [
      ["watch-list", rule, bitsOf(permissions), deny ? 1 : 0, report ? 1 : 0],
      ...allowed.map((entry): SpecRecord => ["watch-allow", bitsOf(entry.permissions), entry.glob]),
    ]),
  ];
}

const bitsOf = (permissions: readonly (keyof typeof PERMISSION)[]): number => permissions.reduce((all, name) => all | PERMISSION[name], 0);

/** How a supervisor's records of one confinement become violations. */
export function violationReader({ watch, rules }: Confinement): (payload: Uint8Array) => Violation | undefined {
  const names = new Map(watch.calls.map(({ number, name }) => [number, name]));
  return (payload) => {
    const record = readWatchRecord(payload);
    return describeRecord(record, rules, names.get(record.number));
  };
}
