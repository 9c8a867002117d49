import type { Activity, Telemetry } from "@plastron/contracts";

type Exit = { exit_code: number | null; signal: string | null };

/**
 * The account with the end of the run's main process as the run has it. A program's end is told before its interpreter is gone, which
 * then leaves by itself or is killed with its sandbox, seen or not: what the kernel says of that is luck, and about nobody's program.
 * `wall_us`: how long the program took. The main process is the first that was there when the run began.
 */
export function withMainEnd(telemetry: Telemetry, { exit_code: code, signal }: Exit, wall_us: number): Telemetry {
  const { processes, timeline } = telemetry;
  const main = processes.list.find(({ parent }) => parent === null);
  if (main === undefined) return telemetry;
  const ended = { ...main, ended_us: main.ended_us ?? Math.max(wall_us, main.started_us), code, signal };
  const list = processes.list.map((each) => (each === main ? ended : each));
  const exits = processes.exits + (main.ended_us === null ? 1 : 0);
  const isEnd = (each: Activity) => each.kind === "exit" && each.pid === main.pid;
  return {
    ...telemetry,
    processes: { ...processes, exits, list },
    timeline: timeline?.map((each) => (isEnd(each) ? { ...each, code, signal } : each)) ?? null,
  };
}
