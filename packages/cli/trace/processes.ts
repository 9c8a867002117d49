import type { Activity, Telemetry } from "@plastron/contracts";

type Listed = Telemetry["processes"]["list"][number];

export interface Process {
  /** In the order of their beginning, from 1: what a person can speak of. */
  number: number;
  pid: number;
  parent: Process | null;
  depth: number;
  name: string;
  /** Null: nothing is known of it but its name. */
  listed: Listed | null;
}

/** The processes of a run by the host's pid. A pid that is only in the timeline (a thread, one beyond the list) belongs to who began it. */
export class Processes {
  readonly #byPid = new Map<number, Process>();
  readonly #threads = new Map<number, number>();
  readonly all: Process[] = [];

  constructor({ processes, timeline }: Telemetry) {
    const listed = processes.list.toSorted((a, b) => a.started_us - b.started_us);
    for (const each of listed) this.#add(each.pid, each.parent, nameOf(each.argv[0] || each.exe), each);
    for (const each of timeline ?? []) if (each.kind === "fork" && each.thread) this.#threads.set(each.child, each.pid);
    for (const each of timeline ?? []) if (each.kind === "fork" && !each.thread) this.#add(each.child, each.pid, each.comm, null);
  }

  of({ pid, comm }: Pick<Activity, "pid" | "comm">): Process {
    for (let at = pid, steps = 0; steps < 8; steps++) {
      const found = this.#byPid.get(at);
      if (found) return found;
      const owner = this.#threads.get(at);
      if (owner === undefined) break;
      at = owner;
    }
    return this.#add(pid, null, comm, null);
  }

  #add(pid: number, parent: number | null, name: string, listed: Listed | null): Process {
    const known = this.#byPid.get(pid);
    if (known) return known;
    const above = parent === null ? null : (this.#byPid.get(parent) ?? null);
    const made: Process = { number: this.all.length + 1, pid, parent: above, depth: above ? above.depth + 1 : 0, name: name || "?", listed };
    this.#byPid.set(pid, made);
    this.all.push(made);
    return made;
  }

  /** Each below who began it. */
  tree(): Process[] {
    const below = (parent: Process | null): Process[] => this.all.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each)]);
    return below(null);
  }
}

export const nameOf = (exe: string): string => exe.slice(exe.lastIndexOf("/") + 1);

/** As it would be typed. */
export function commandLine(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
