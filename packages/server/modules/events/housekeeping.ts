import { sql } from "kysely";
import type { Database } from "../../database/pool.ts";

/** What must happen now and then, by name, so that a failure can say what failed. */
export interface Chore {
  name: string;
  everyMs: number;
  work(): Promise<unknown>;
}

/** Partitions of the events table for this week: made long before they are needed, so that a day's first event never waits. */
export function eventPartitions(db: Database): Chore {
  return { name: "event partitions", everyMs: 3_600_000, work: () => sql`select make_event_partitions(7)`.execute(db) };
}

/** Does each chore in its rhythm until stopped. A failure is told and the next time is a new chance. */
export function startHousekeeping(chores: Chore[], onError: (chore: string, error: Error) => void): { stop(): void } {
  const timers = chores.map((chore) => {
    const timer = setInterval(() => void chore.work().catch((error: Error) => onError(chore.name, error)), chore.everyMs);
    timer.unref();
    return timer;
  });
  return { stop: () => timers.forEach(clearInterval) };
}
