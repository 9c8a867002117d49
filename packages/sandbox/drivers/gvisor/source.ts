import { DEFAULT_LIMITS, type Limits } from "@plastron/contracts";
import type { Box } from "../local/box.ts";
import { type CgroupLayout, cgroupRecords } from "../local/cgroups.ts";
import type { Forge } from "../local/forge.ts";
import { READABLE } from "../local/hidden.ts";
import type { BoxSource } from "../local/pool.ts";
import { writesUnexecutable } from "../local/root.ts";
import { type BoxKind, cgroupName, commandRecords, releaseWhenGone, type Workshop } from "../local/sources.ts";
import { encodeSpec, type SpecRecord } from "../local/spec.ts";
import { GUEST, ociConfig } from "./bundle.ts";
import { filterText } from "./filters.ts";
import { type GuestSources, outerRecords } from "./root.ts";
import { type Platform, runscFlags } from "./runsc.ts";
import { followTrace } from "./trace/index.ts";
import type { UidRanges } from "./uids.ts";

/** What gVisor's own kernel, gofer and their tables take beside the program: added to the program's limit, so that the program has all of its own. */
export const OWN_MEMORY = 64 * 1024 * 1024;

/** What the local driver's workshop has, with guests' sources and ranges of uids instead. */
export interface GuestWorkshop extends Pick<Workshop, "living" | "supervisors" | "log"> {
  forge: Forge;
  cgroups: CgroupLayout;
  sources: GuestSources;
  ranges: UidRanges;
  platform: Platform;
  /** What a guest has in its /proc, seen when the first was tried. */
  guestProc: Set<string>;
}

/**
 * What the host's cgroup is set to for these limits of a program. Processes are bounded inside (the guest's kernel counts
 * them); on the host each of them is a thread of the kernel's and one of a stub's, and the bound there is only a net below.
 */
export function hostLimits(limits: Limits): Limits {
  return { ...limits, memory_bytes: limits.memory_bytes + OWN_MEMORY, pids: limits.pids * 32 + 512 };
}

/** Whichever process the kernel ends for its memory, all of the guest goes with it (cgroup v2; v1 knows no such thing, and gVisor then ends by itself). */
function endTogether(layout: CgroupLayout, name: string): SpecRecord[] {
  return layout.version === "v2" ? [["cgset", `${layout.memory}/${name}/memory.oom.group`, "1"]] : [];
}

/** Guests, each with a kernel of its own, started and confined, in which an interpreter waits for its program. */
export class GuestSource implements BoxSource {
  readonly kind = "process";
  readonly #shop: GuestWorkshop;
  readonly #kind: BoxKind;
  readonly #mode: "run" | "session";
  readonly #filters: string;
  readonly #config: object;

  constructor(shop: GuestWorkshop, kind: BoxKind, mode: "run" | "session" = "run") {
    this.#shop = shop;
    this.#kind = kind;
    this.#mode = mode;
    this.#filters = filterText(kind.confinement);
    const records = commandRecords(kind, mode);
    const of = (op: string) => records.filter((record) => record[0] === op).map((record) => String(record[1]));
    this.#config = ociConfig({
      command: [...of("exec"), ...of("arg").slice(1)],
      environment: of("env"),
      limits: kind.limits,
      noexec: writesUnexecutable(kind.confinement),
      unexecutable: kind.hidden.filter((path) => path.startsWith(READABLE)).map((path) => path.slice(READABLE.length)),
    });
  }

  async start(): Promise<Box> {
    const { forge, ranges, cgroups, living, sources } = this.#shop;
    const ids = ranges.take();
    const cgroup = cgroupName();
    living.add(cgroup);
    const giveBack = () => ranges.giveBack(ids);
    const own: SpecRecord[] = [
      ["uid", ids + GUEST.uid],
      ["guest", ids],
      ...cgroupRecords(cgroups, cgroup, hostLimits(this.#kind.limits)),
      ...endTogether(cgroups, cgroup),
      ...outerRecords(sources, this.#kind, this.#filters, this.#config, ids),
    ];
    const box = await forge.launch(own, encodeSpec(this.#shared())).catch((error: Error) => {
      giveBack();
      throw error;
    });
    releaseWhenGone(this.#shop, box, cgroup, giveBack);
    followTrace(box);
    await box.ready;
    return box;
  }

  #shared(): SpecRecord[] {
    const arguments_ = ["runsc", ...runscFlags(this.#shop), "run", "--bundle=/bundle", "guest"];
    return [
      ...(this.#mode === "session" ? [["session"] as SpecRecord] : []),
      ["exec", "/runsc"],
      ...arguments_.map((argument): SpecRecord => ["arg", argument]),
      ["env", "PATH=/"],
    ];
  }
}

/** What warm guests are made with; memory and cpu are set to a run's own when it begins. */
export const kindLimits = ({ workspace_bytes, open_files, pids }: Limits): Limits => ({ ...DEFAULT_LIMITS, workspace_bytes, open_files, pids });
