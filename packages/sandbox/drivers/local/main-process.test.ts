import { noTelemetry, type Telemetry } from "@plastron/contracts";
import { expect, it } from "vitest";
import { withMainEnd } from "./main-process.ts";

type Row = Telemetry["processes"]["list"][number];
const row = (pid: number, parent: number | null, end: Partial<Row> = {}): Row => ({
  ...{ pid, parent, exe: "/usr/bin/python3.11", argv: [], started_us: 0, ended_us: null, code: null, signal: null },
  ...end,
});
const seen = (list: Row[], exits: number, timeline: Telemetry["timeline"] = null): Telemetry => {
  const none = noTelemetry("");
  return { ...none, level: "full", reason: null, timeline, processes: { ...none.processes, exits, list } };
};

it("the main process has the run's end, where the kernel saw it killed with its sandbox, or not at all", () => {
  const killed = { ended_us: 900, signal: "SIGKILL" };
  const child = row(8, 7, { ended_us: 300, signal: "SIGKILL" });
  const [exit, childs] = [7, 8].map((pid) => ({ kind: "exit", t_us: 900, pid, comm: "python3", code: null, signal: "SIGKILL" }) as const);
  const timeline = [childs, exit] as NonNullable<Telemetry["timeline"]>;
  const told = withMainEnd(seen([row(7, null, killed), child], 2, timeline), { exit_code: 3, signal: null }, 500);
  expect(told.processes).toMatchObject({ exits: 2, list: [{ pid: 7, ended_us: 900, code: 3, signal: null }, child] });
  expect(told.timeline).toEqual([childs, { ...exit, code: 3, signal: null }]);

  const missed = withMainEnd(seen([row(7, null), child], 1), { exit_code: 0, signal: null }, 500);
  expect(missed.processes).toMatchObject({ exits: 2, list: [{ ended_us: 500, code: 0, signal: null }, child] });
});

it("a program that was killed was killed, and an account without processes gets none", () => {
  const told = withMainEnd(seen([row(7, null)], 0), { exit_code: null, signal: "SIGSEGV" }, 500);
  expect(told.processes.list[0]).toMatchObject({ code: null, signal: "SIGSEGV" });
  expect(withMainEnd(noTelemetry("none"), { exit_code: 0, signal: null }, 5)).toEqual(noTelemetry("none"));
});
