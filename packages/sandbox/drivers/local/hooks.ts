import { statSync } from "node:fs";
import { mkdir, rmdir } from "node:fs/promises";
import { type Confinement, type Hooks, PlastronError } from "@plastron/contracts";
import type { Box } from "./box.ts";
import { type CgroupLayout, prepareCgroups, removeCgroup } from "./cgroups.ts";
import { HookProcess } from "./hook-process.ts";
import { cgroupOf, mountNamespaceIn, violationOf } from "./hook-records.ts";
import type { UidPool } from "./uids.ts";

const IDLE_MS = 30_000;
/** Each is a process and a cgroup: runs that each ask for another network would else leave hundreds behind them for that long. */
const MAX_RESTING = 16;
/** A reader that dies is followed by another so often; the kernel takes 64 programs of a kind on a cgroup. */
const MAX_READERS = 8;

/** Where the cgroup of one sandbox is made, and who watches it. */
export interface Enclosure {
  cgroups: CgroupLayout;
  /** Records of the cgroup `name` are those of this sandbox from now on. */
  follow(box: Box, name: string): void;
  /** Once, when the sandbox's cgroup has gone. */
  leave(): void;
}

export interface HookGroupsOptions {
  cgroups: CgroupLayout;
  /** native/build/plastron-hooks */
  binary: string;
  uids: UidPool;
  log(message: string, fields?: Record<string, unknown>): void;
  idleMs?: number;
}

/**
 * One cgroup for each confinement with hooks, which carries its programs: its sandboxes' cgroups are made below, so that a program
 * is loaded once, and neither the death of the agent nor of the reader sets anything free. They hold until the cgroup is removed.
 *
 * A confinement whose hooks cannot be put in place is refused, whatever else confines the sandbox: policies are compiled for a
 * host (`HostFacts.hooks`), and one that has hooks all the same was promised to be enforced by them.
 */
export class HookGroups {
  readonly #options: HookGroupsOptions;
  readonly #groups = new Map<string, Promise<HookGroup>>();
  readonly #open = new Set<HookGroup>();
  /** Nobody is inside; who has rested the longest comes first. */
  readonly #resting = new Set<HookGroup>();
  #made = 0;
  #closed = false;

  constructor(options: HookGroupsOptions) {
    this.#options = options;
  }

  /** The place for a sandbox of this confinement. Rejects with `sandbox_failed` where its hooks cannot be put in place. */
  async enter(confinement: Confinement): Promise<Enclosure> {
    if (confinement.hooks === null) return { cgroups: this.#options.cgroups, follow: () => {}, leave: () => {} };
    while (!this.#closed) {
      const opening = this.#groups.get(confinement.id) ?? this.#begin(confinement);
      const group = await opening;
      if (group.enter()) {
        this.#resting.delete(group);
        return group;
      }
      if (this.#groups.get(confinement.id) === opening) this.#groups.delete(confinement.id);
    }
    throw new PlastronError("sandbox_failed", "the driver is closing");
  }

  /** Layouts in which sandboxes' cgroups may be, beside the driver's own. */
  layouts(): CgroupLayout[] {
    return [...this.#open].map(({ cgroups }) => cgroups);
  }

  /** Ends and removes all of them, with what is still inside. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#groups.values());
    await Promise.all([...this.#open].map((group) => group.close()));
    const { cgroups } = this.#options;
    if (cgroups.unified !== "" && !cgroups.dirs.includes(cgroups.unified)) await rmdir(cgroups.unified).catch(() => {});
  }

  #rests(group: HookGroup): void {
    this.#resting.add(group);
    const [oldest] = this.#resting;
    if (!oldest || this.#resting.size <= MAX_RESTING) return;
    this.#resting.delete(oldest);
    void oldest.close();
  }

  #begin(confinement: Confinement): Promise<HookGroup> {
    const name = `hooks-${confinement.id.slice(0, 12)}-${++this.#made}`;
    const forget = () => {
      if (this.#groups.get(confinement.id) === opening) this.#groups.delete(confinement.id);
    };
    const closed = (group: HookGroup) => {
      this.#open.delete(group);
      this.#resting.delete(group);
      forget();
    };
    const opening = HookGroup.open(this.#options, confinement, name, { closed, rests: (group) => this.#rests(group) });
    this.#groups.set(confinement.id, opening);
    opening.then((group) => this.#open.add(group), forget);
    return opening;
  }
}

/** The layout of sandboxes below the group `dir`: on version 1 in that too, on version 2 in that alone. */
export function belowGroup(cgroups: CgroupLayout, dir: string): CgroupLayout {
  if (cgroups.version === "v2") return { ...cgroups, dirs: [dir], memory: dir, pids: dir, cpu: dir, cpuacct: dir, unified: dir, io: cgroups.io && dir };
  return { ...cgroups, dirs: [...cgroups.dirs.filter((other) => other !== cgroups.unified), dir], unified: dir };
}

/** Who hears of a group: nobody is inside any more, it is gone. */
interface Told {
  rests(group: HookGroup): void;
  closed(group: HookGroup): void;
}

class HookGroup implements Enclosure {
  readonly cgroups: CgroupLayout;
  readonly #dir: string;
  readonly #uid: number;
  readonly #options: HookGroupsOptions;
  readonly #confinement: Confinement;
  readonly #told: Told;
  readonly #boxes = new Map<bigint, { box: Box; mountNamespace: number | null }>();
  #process!: HookProcess;
  #attaching: Promise<void> | undefined;
  #readers = 0;
  #lost = false;
  #inside = 0;
  #closing: Promise<void> | undefined;
  #idle: NodeJS.Timeout | undefined;

  private constructor(options: HookGroupsOptions, confinement: Confinement, name: string, told: Told) {
    const { cgroups, uids } = options;
    this.#options = options;
    this.#confinement = confinement;
    this.#told = told;
    this.#dir = `${cgroups.unified}/${name}`;
    this.#uid = uids.take();
    this.cgroups = belowGroup(cgroups, this.#dir);
  }

  static async open(options: HookGroupsOptions, confinement: Confinement, name: string, told: Told): Promise<HookGroup> {
    const { cgroups } = options;
    if (confinement.hooks === null || cgroups.version === "none" || cgroups.unified === "")
      throw new PlastronError("sandbox_failed", "the policy's hooks need cgroups and their unified hierarchy, which this host does not have", {
        hint: "Mount it: `mount -t cgroup2 none /sys/fs/cgroup/unified` (beside version 1), or boot with systemd.unified_cgroup_hierarchy=1.",
      });
    const group = new HookGroup(options, confinement, name, told);
    try {
      if (cgroups.version === "v2") await prepareCgroups(group.cgroups);
      else await mkdir(group.#dir, { recursive: true });
      await group.#attach();
    } catch (error) {
      await group.#remove();
      throw error;
    }
    group.#rest();
    return group;
  }

  /** False: it is closing, or too many readers have died. Another one must be made. */
  enter(): boolean {
    if (this.#closing || this.#lost) return false;
    clearTimeout(this.#idle);
    this.#inside++;
    return true;
  }

  follow(box: Box, name: string): void {
    let id: bigint;
    try {
      id = statSync(`${this.#dir}/${name}`, { bigint: true }).ino;
    } catch {
      return; // it has ended already
    }
    this.#boxes.set(id, { box, mountNamespace: mountNamespaceIn(`${this.#dir}/${name}`) });
    let looking = Promise.resolve();
    box.beforeEnd.push(() => {
      looking = this.#process.flush(id).then((leftOut) => box.recordDropped(leftOut));
      return looking;
    });
    /* A sandbox goes while the last of its records are still on their way. */
    void box.gone.then(() => looking).then(() => this.#boxes.delete(id));
  }

  leave(): void {
    this.#inside--;
    this.#rest();
  }

  close(): Promise<void> {
    clearTimeout(this.#idle);
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await this.#attaching?.catch(() => {});
    await this.#process.close();
    await this.#remove();
  }

  #attach(): Promise<void> {
    const { binary, log } = this.#options;
    const start = async () => {
      this.#readers++;
      this.#process = await HookProcess.start(binary, this.#dir, this.#uid, this.#confinement.hooks as Hooks, (record) => this.#record(record));
      void this.#process.gone.then(() => {
        if (this.#closing) return;
        log("the reader of a policy's hooks has died; they hold, but what they record is lost until another reads", { confinement: this.#confinement.id });
        return this.#follow();
      });
    };
    this.#attaching = start();
    return this.#attaching;
  }

  /** The programs of the reader that died stay. Those of the next are put beside them and decide the same; it is told what these record. */
  async #follow(): Promise<void> {
    try {
      if (this.#readers >= MAX_READERS) throw new Error(`${this.#readers} readers have died`);
      await this.#attach();
    } catch (error) {
      this.#lost = true;
      this.#options.log("what a policy's hooks record can be read no more", { confinement: this.#confinement.id, error: (error as Error).message });
      this.#rest();
    }
  }

  #rest(): void {
    if (this.#inside > 0 || this.#closing) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.close(), this.#lost ? 0 : (this.#options.idleMs ?? IDLE_MS));
    this.#idle.unref();
    this.#told.rests(this);
  }

  #record(record: Buffer): void {
    const known = this.#boxes.get(cgroupOf(record));
    const violation = known && violationOf(record, this.#confinement, new Date().toISOString(), known.mountNamespace);
    if (violation) known.box.record(violation);
  }

  async #remove(): Promise<void> {
    await removeCgroup(this.#dir);
    this.#options.uids.giveBack(this.#uid);
    this.#told.closed(this);
  }
}
