import { randomUUID } from "node:crypto";
import { DEFAULT_LIMITS, type Limits, PlastronError } from "@plastron/contracts";
import type { Box } from "./box.ts";
import { cgroupRecords } from "./cgroups.ts";
import type { BoxSource } from "./pool.ts";
import { privateRecords, rootRecords } from "./root.ts";
import { type BoxKind, beSeen, cgroupName, commandRecords, commonRecords, releaseWhenGone, type Workshop } from "./sources.ts";
import { encodeSpec, type SpecRecord } from "./spec.ts";
import { ZYGOTE_UIDS } from "./uids.ts";
import { violationReader } from "./watch.ts";

const ZYGOTE_LIMITS: Limits = { ...DEFAULT_LIMITS, memory_bytes: 2 * 1024 * 1024 * 1024, pids: 1024, cpus: 16 };

/** One zygote of one tenant, as the source of a pool. */
export class ZygoteSource implements BoxSource {
  readonly kind = "zygote";
  readonly bornAt = performance.now();
  made = 0;
  readonly #shop: Workshop;
  readonly #kind: BoxKind;
  readonly #box: Box;
  readonly #base: number;
  #ended: () => void = () => {};
  readonly #free: number[] = Array.from({ length: ZYGOTE_UIDS - 1 }, (_, i) => i + 1);

  private constructor(shop: Workshop, kind: BoxKind, box: Box, base: number) {
    this.#shop = shop;
    this.#kind = kind;
    this.#box = box;
    this.#base = base;
  }

  static async open(shop: Workshop, kind: BoxKind): Promise<ZygoteSource> {
    const place = await shop.hooks.enter(kind.confinement);
    const { cgroups } = place;
    const base = shop.uids.takeBlock();
    const cgroup = cgroupName();
    shop.living.add(cgroup);
    const giveBack = () => {
      shop.uids.giveBack(base);
      place.leave();
    };
    const shared = encodeSpec([
      ["zygote", ZYGOTE_UIDS],
      ["children", shop.supervisors.path],
      ...rootRecords(shop.sources, kind.confinement, kind.hidden),
      ["proc", "/proc"],
      ...privateRecords(kind.limits.workspace_bytes, kind.confinement, kind.hidden, "child-"),
      ...commonRecords(kind),
      ...commandRecords(kind, "zygote"),
    ]);
    const box = await shop.forge.launch([["uid", base], ...cgroupRecords(cgroups, cgroup, ZYGOTE_LIMITS)], shared).catch((error: Error) => {
      giveBack();
      throw error;
    });
    releaseWhenGone({ cgroups, living: shop.living }, box, cgroup, giveBack);
    await box.ready;
    return new ZygoteSource(shop, kind, box, base);
  }

  get alive(): boolean {
    return this.#box.state !== "gone";
  }

  async start(): Promise<Box> {
    const { supervisors, hooks, living } = this.#shop;
    const place = await hooks.enter(this.#kind.confinement);
    const { cgroups } = place;
    const inside = this.#free.shift();
    if (inside === undefined || !this.alive) {
      place.leave();
      throw new PlastronError("sandbox_failed", this.alive ? "the zygote has no free uid" : "the zygote has ended");
    }
    const token = randomUUID();
    const cgroup = cgroupName();
    living.add(cgroup);
    const coming = supervisors.expect(token, 10_000);
    const records: SpecRecord[] = [["token", token], ["uid", this.#base + inside], ["inside", inside], ...cgroupRecords(cgroups, cgroup, this.#kind.limits)];
    this.#box.send("Y", encodeSpec(records));
    this.made++;
    const giveBack = () => {
      this.#free.push(inside);
      place.leave();
      this.#ended();
    };
    const box = await coming.catch((error: Error) => {
      giveBack();
      throw error;
    });
    releaseWhenGone({ cgroups, living }, box, cgroup, giveBack);
    box.readViolation = violationReader(this.#kind.confinement);
    await box.ready;
    beSeen(this.#shop, box, cgroups, cgroup, this.#kind);
    place.follow(box, cgroup);
    return box;
  }

  /** Ends the zygote when the last of its children has ended: they live in its namespaces. */
  async retire(): Promise<void> {
    while (this.alive && this.#free.length < ZYGOTE_UIDS - 1) {
      await Promise.race([this.#box.gone, new Promise<void>((ended) => (this.#ended = ended))]);
    }
    await this.close();
  }

  /** Ends the zygote and whatever children it still has. */
  async close(): Promise<void> {
    this.#box.destroy();
    await this.#box.gone;
  }
}
