import type { Limits, RunResult } from "@plastron/contracts";
import type { RunEnd } from "../local/box.ts";
import { describeEnd } from "../local/result.ts";

/** The bit of a status that says that the guest's kernel ended under its program (native/guest/report.h). */
const GUEST_DIED = 0x10000;

/** Processes are counted and refused inside a guest: its word takes the place of the host's pids cgroup. */
export function guestEnd(end: RunEnd): RunEnd {
  const refused = end.facts.get("pids_refused") ?? "0";
  return { ...end, stats: new Map(end.stats).set("pids", `max ${refused}`), before: new Map(end.before).set("pids", "max 0") };
}

/** As the local driver describes an end (of `guestEnd`); a guest's kernel can also end by itself. */
export function describeGuestEnd(end: RunEnd, limits: Limits): Omit<RunResult, "sandbox" | "phases_us" | "stdout" | "stderr"> {
  const described = describeEnd(end, limits);
  const died = (Number(end.facts.get("status") ?? 0) & GUEST_DIED) !== 0;
  return died && described.reason === null ? { ...described, reason: "the guest's kernel ended under it" } : described;
}
