import { mkdir, rm } from "node:fs/promises";
import { type Image, PlastronError, type RunResult } from "@plastron/contracts";
import type { DriverOptions } from "../../driver.ts";
import { type BuildBox, Builder, type BuildOrder, type ImageStore, type Images } from "../../images/index.ts";
import { Egress } from "./egress.ts";
import type { Fleet } from "./fleet.ts";
import { describeEnd } from "./result.ts";
import type { Workshop } from "./sources.ts";
import type { SpecRecord } from "./spec.ts";

const MAX_WAITING = 16;
/** A build was answered, and whoever ordered it has not written down yet that it is used. */
const FRESH_MS = 60_000;

/** Builds of one driver, one at a time, each in sandboxes of their own with an egress process of their own. */
export class LocalImages implements Images {
  readonly #parts: { options: DriverOptions; shop: Workshop; fleet: Fleet; store: ImageStore };
  readonly #builder: Builder | undefined;
  readonly #answered = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(parts: { options: DriverOptions; shop: Workshop; fleet: Fleet; store: ImageStore }) {
    this.#parts = parts;
    const { options, store } = parts;
    this.#builder = options.images && new Builder({ options: options.images, store, hosts: options.egress?.hosts ?? {}, run: (box) => this.#run(box) });
  }

  async build(order: BuildOrder): Promise<Image> {
    const builder = this.#builder;
    if (!builder) throw new PlastronError("packages_failed", "This agent makes no runtimes");
    if (this.#waiting >= MAX_WAITING) throw new PlastronError("overloaded", "Too many runtimes are being made", { retryAfterSeconds: 60 });
    this.#waiting++;
    const before = this.#last;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#last = before.then(() => done);
    try {
      await before;
      order.signal?.throwIfAborted();
      const image = await builder.build(order);
      this.#answered.set(image.id, performance.now());
      return image;
    } catch (error) {
      if (order.signal?.aborted) throw new PlastronError("packages_failed", `The build was ended: ${String(order.signal.reason)}`);
      throw error;
    } finally {
      this.#waiting--;
      resolve();
    }
  }

  list(): Image[] {
    return this.#parts.store.list();
  }

  async remove(id: string): Promise<void> {
    const { store, fleet } = this.#parts;
    if (!store.get(id)) throw new PlastronError("not_found", "There is no such image");
    if (performance.now() - (this.#answered.get(id) ?? -FRESH_MS) < FRESH_MS) throw new PlastronError("conflict", "The image has just been built");
    if (!(await fleet.giveUpImage(id))) throw new PlastronError("conflict", "The image is in use");
    await store.remove(id);
  }

  /** The egress process of a build vouches for its registry's addresses, and has none of the operator's secrets. */
  async #run(box: BuildBox): Promise<Pick<RunResult, "status" | "reason" | "exit_code" | "limits_hit">> {
    const { options, shop, fleet } = this.#parts;
    if (!options.egress) throw new PlastronError("packages_failed", "This agent has no egress process, without which no package can be fetched");
    const { confinement, limits, hosts, shown, tenant, program, output, signal } = box;
    const directory = `${options.home}/egress-build`;
    const uid = shop.uids.take();
    const { command, trust } = options.egress;
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const egress = new Egress({ options: { command, hosts, ...(trust ? { trust } : {}) }, directory, uids: shop.uids, uid, log: shop.log });
    try {
      signal.throwIfAborted();
      const records = shown.map(([from, to]): SpecRecord => ["bind", from, to, "ro"]);
      const sandbox = await fleet.alone({ runtime: "python3", confinement, imports: [], limits, shown: records }, "run", { ...shop, egress });
      sandbox.assign(tenant);
      const end = await sandbox.run(program, {}, output, { signal });
      sandbox.destroy();
      await sandbox.gone;
      return describeEnd(end, limits);
    } finally {
      await egress.close();
      await rm(directory, { recursive: true, force: true });
      shop.uids.giveBack(uid);
    }
  }
}
