import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import type { Confinement, Limits, Runtime } from "@plastron/contracts";
import type { ImageMount, Shelf } from "../../images/index.ts";
import { workerCommand, zygoteCommand } from "../../runtimes/index.ts";
import type { Box } from "./box.ts";
import { capabilityRecords } from "./capabilities.ts";
import { type CgroupLayout, cgroupRecords, reclaimCgroups } from "./cgroups.ts";
import type { Egress } from "./egress.ts";
import type { Forge } from "./forge.ts";
import type { HookGroups } from "./hooks.ts";
import type { BoxSource } from "./pool.ts";
import { recordedBy } from "./reports.ts";
import { imageRecords, landlockRecords, privateRecords, type RootSources, rootRecords } from "./root.ts";
import { type Eyes, type Looked, Sight } from "./sight.ts";
import { encodeSpec, type SpecRecord } from "./spec.ts";
import type { SupervisorSocket } from "./supervisors.ts";
import type { UidPool } from "./uids.ts";
import { violationReader, watchRecords } from "./watch.ts";

/** Where the interpreters are inside every sandbox (root.ts puts them there). */
const INTERPRETERS: Record<Runtime, string> = { python3: "/usr/bin/python3", nodejs: "/opt/plastron/node/bin/node", bash: "/usr/bin/bash" };
/** Their files on the host: what a sensor learns ahead, for call stacks. */
export const INTERPRETER_FILES: readonly string[] = [process.execPath, INTERPRETERS.python3];
const RLIMIT = { core: 4, nofile: 7 };
/** One byte, and not none: with 0 the host's handler of core dumps is started all the same (core(5), "Piping core dumps"). */
const NO_CORE = 1;

/** What a sandbox is made for; two requests with the same kind can use the same pool. */
export interface BoxKind {
  runtime: Runtime;
  confinement: Confinement;
  /** Resolved `confinement.hidden`, `forbidden_programs` and `unexecutable` (hidden.ts): paths inside the sandbox. */
  hidden: string[];
  imports: string[];
  limits: Limits;
  /** Packages besides the interpreter's own. `hidden` holds for them too. */
  image?: ImageMount | undefined;
  /** Of a build: what else is in its root. */
  shown?: SpecRecord[];
}

/** What all sources of one driver share. */
export interface Workshop {
  forge: Forge;
  sources: RootSources;
  cgroups: CgroupLayout;
  hooks: HookGroups;
  egress: Egress;
  uids: UidPool;
  /** Names of the cgroups of living sandboxes: what is not in here may be reclaimed. */
  living: Set<string>;
  supervisors: SupervisorSocket;
  /** The images of this agent. */
  shelf: Shelf;
  eyes: Eyes;
  log(message: string, fields?: Record<string, unknown>): void;
}

export const cgroupName = (): string => `box-${randomUUID()}`;

/** What must happen when a sandbox is gone, however it went. A supervisor removes its cgroup itself; a killed one could not. */
export function releaseWhenGone(shop: Pick<Workshop, "cgroups" | "living">, box: Box, cgroup: string, giveBack: () => void): void {
  void box.gone.then(async () => {
    /* It removes the first of its directories last. */
    if (shop.cgroups.dirs[0] !== undefined && existsSync(`${shop.cgroups.dirs[0]}/${cgroup}`)) await reclaimCgroups(shop.cgroups, cgroup);
    shop.living.delete(cgroup);
    giveBack();
  });
}

/** From now on it is seen, where anybody can. Its pid 1 is known. */
export function beSeen({ eyes }: Pick<Workshop, "eyes">, box: Box, { unified, version }: CgroupLayout, cgroup: string, { confinement }: BoxKind): Sight {
  const sight = new Sight(eyes, box.pid, unified === "" || version === "none" ? null : `${unified}/${cgroup}`);
  box.sight = sight;
  box.isRecorded = recordedBy(confinement);
  void box.gone.then(() => sight.release());
  return sight;
}

export function commonRecords(kind: BoxKind): SpecRecord[] {
  const { confinement, limits } = kind;
  const weak = confinement.weak ?? {};
  const records: SpecRecord[] = [
    ["rlimit", RLIMIT.core, NO_CORE],
    ["rlimit", RLIMIT.nofile, limits.open_files],
    ...landlockRecords(confinement, kind.hidden, INTERPRETERS[kind.runtime]),
  ];
  if (confinement.seccomp !== "" && weak.seccomp !== true) records.push(["seccomp", Buffer.from(confinement.seccomp, "base64")]);
  records.push(...watchRecords(confinement), ...capabilityRecords(confinement));
  if (confinement.user_namespaces) records.push(["keep-user-namespaces"]);
  if (weak.capabilities === true) records.push(["keep-root"]);
  if (weak.network_namespace !== undefined) records.push(["join-network", weak.network_namespace]);
  return records;
}

export function commandRecords(kind: BoxKind, mode: "run" | "session" | "zygote"): SpecRecord[] {
  const interpreter = INTERPRETERS[kind.runtime];
  const command =
    mode === "zygote"
      ? zygoteCommand({ interpreter, imports: kind.imports, library: "/opt/plastron/libplastron-zygote.so" })
      : workerCommand({ runtime: kind.runtime, mode, interpreter, imports: kind.imports, programs: kind.image?.programs });
  return [
    ["exec", interpreter],
    ...command.argv.map((arg): SpecRecord => ["arg", arg]),
    ...Object.entries(command.env).map(([name, value]): SpecRecord => ["env", `${name}=${value}`]),
  ];
}

/** Sandboxes with a launcher, an interpreter and an address space of their own. */
export class ProcessSource implements BoxSource {
  readonly kind = "process";
  readonly #shop: Workshop;
  readonly #kind: BoxKind;
  /** Encoded once: all but the uid and the cgroup is the same for every sandbox of a kind. */
  readonly #shared: Uint8Array;
  readonly #early: Looked | undefined;

  /** `early`: the one program that a sandbox is made for, which is looked at from before its interpreter's first call. */
  constructor(shop: Workshop, kind: BoxKind, mode: "run" | "session" = "run", early?: Looked) {
    const { confinement, limits, hidden } = kind;
    this.#shop = shop;
    this.#kind = kind;
    this.#early = early;
    this.#shared = encodeSpec([
      ...(mode === "session" ? [["session"] as SpecRecord] : []),
      ...(early ? [["await-agent"] as SpecRecord] : []),
      ...rootRecords(shop.sources, confinement, hidden, [...imageRecords(kind.image), ...(kind.shown ?? [])]),
      ...privateRecords(limits.workspace_bytes, confinement, hidden, ""),
      ...commonRecords(kind),
      ...commandRecords(kind, mode),
    ]);
  }

  async start(): Promise<Box> {
    const { forge, uids, hooks, egress, living } = this.#shop;
    const way = await egress.enter(this.#kind.confinement);
    const place = await hooks.enter(this.#kind.confinement).catch((error: Error) => {
      way?.leave();
      throw error;
    });
    const { cgroups } = place;
    const uid = uids.take();
    const cgroup = cgroupName();
    living.add(cgroup);
    const giveBack = () => {
      uids.giveBack(uid);
      place.leave();
      way?.leave();
    };
    const shared = way ? Buffer.concat([this.#shared, encodeSpec(way.records)]) : this.#shared;
    const box = await forge.launch([["uid", uid], ...cgroupRecords(cgroups, cgroup, this.#kind.limits)], shared).catch((error: Error) => {
      giveBack();
      throw error;
    });
    releaseWhenGone({ cgroups, living }, box, cgroup, giveBack);
    if (this.#kind.image) this.#shop.shelf.hold(this.#kind.image.id, box.gone);
    box.readViolation = violationReader(this.#kind.confinement);
    if (this.#early) {
      await box.placed();
      beSeen(this.#shop, box, cgroups, cgroup, this.#kind).armEarly(this.#early);
      box.proceed();
    }
    await box.ready;
    if (!this.#early) beSeen(this.#shop, box, cgroups, cgroup, this.#kind);
    place.follow(box, cgroup);
    way?.follow(box);
    return box;
  }
}
