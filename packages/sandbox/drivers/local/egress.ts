import { randomBytes } from "node:crypto";
import { type Confinement, EGRESS_TOKEN, type FromEgress, PlastronError, STAND_IN_NAMESERVER, type Violation } from "@plastron/contracts";
import type { EgressOptions } from "../../driver.ts";
import { EgressProcess } from "./egress-process.ts";
import { trustRecords } from "./egress-trust.ts";
import type { SpecRecord } from "./spec.ts";
import type { UidPool } from "./uids.ts";

/** Of a box: who is told what its program was denied. */
interface Recorder {
  record(violation: Violation): void;
  recordDropped(count: number): void;
  readonly beforeEnd: (() => void | Promise<void>)[];
}

/** One sandbox's way out: what its spec needs, and what must happen when it is there and when it goes. */
export interface Way {
  records: SpecRecord[];
  follow(box: Recorder): void;
  leave(): void;
}

interface Admitted {
  confinement: Confinement;
  box?: Recorder;
}

export interface EgressParts {
  options: EgressOptions | undefined;
  /** Holds the socket that relays connect to. Absolute. */
  directory: string;
  uids: UidPool;
  uid: number;
  log(message: string, fields?: Record<string, unknown>): void;
}

/** A run's end waits at most so long for the last of what it was denied. */
const SYNC_MS = 500;

/**
 * Lets sandboxes whose confinement has a `network` out, through a relay of their own and the one egress process, which is started
 * when it is first needed and again when it dies. All others have no part in this.
 */
export class Egress {
  readonly #parts: EgressParts;
  readonly #admitted = new Map<string, Admitted>();
  readonly #syncs = new Map<number, (dropped: number) => void>();
  #process: EgressProcess | undefined;
  #syncId = 0;

  constructor(parts: EgressParts) {
    this.#parts = parts;
  }

  /** Undefined for a confinement without a way out. Errors: sandbox_failed where this driver has none to give, or it cannot start. */
  async enter(confinement: Confinement): Promise<Way | undefined> {
    if (confinement.network === null) return undefined;
    const { options, directory, uids } = this.#parts;
    if (!options) throw new PlastronError("sandbox_failed", `the policy ${confinement.policy} gives a way out, and this driver has no egress process`);
    const authority = await this.#running(options).start();
    const token = randomBytes(EGRESS_TOKEN / 2).toString("hex");
    const trust = await trustRecords(confinement.network, directory, authority.certificate);
    const uid = uids.take();
    const admitted: Admitted = { confinement };
    this.#admitted.set(token, admitted);
    this.#admit(token, confinement);
    return {
      records: [
        ["egress", directory, token, uid],
        ["text", "/etc/resolv.conf", `nameserver ${STAND_IN_NAMESERVER}\noptions timeout:5 attempts:2\n`, "644"],
        ["text", "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", "644"],
        ...trust,
      ],
      follow: (box) => {
        admitted.box = box;
        box.beforeEnd.push(() => this.#sync(token, box));
      },
      leave: () => {
        uids.giveBack(uid);
        this.#admitted.delete(token);
        this.#process?.send({ type: "forget", token });
      },
    };
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }

  #running(options: EgressOptions): EgressProcess {
    const { directory, uid, log } = this.#parts;
    this.#process ??= new EgressProcess({
      options,
      directory,
      uid,
      log,
      onMessage: (message) => this.#onMessage(message),
      onRestart: () => this.#onRestart(),
    });
    return this.#process;
  }

  #admit(token: string, { network, rules }: Confinement): void {
    if (network) this.#process?.send({ type: "admit", token, network, rules: rules.map(({ id, path }) => ({ id, path })) });
  }

  /** What was asked of the process that died is answered by nobody; what lives is made known to the next. */
  #onRestart(): void {
    for (const done of this.#syncs.values()) done(0);
    for (const [token, { confinement }] of this.#admitted) this.#admit(token, confinement);
  }

  #onMessage(message: FromEgress): void {
    if (message.type === "synced") this.#syncs.get(message.id)?.(message.dropped);
    if (message.type !== "violation") return;
    const { rule_id, rule_path, action, event } = message;
    this.#admitted
      .get(message.token)
      ?.box?.record({ rule_id, rule_path, enforcer: "NetworkProxy", action, event, pid: 0, comm: "", mnt_ns_id: null, at: new Date().toISOString() });
  }

  /** Messages keep their order: when this one is answered, all before it have been told. */
  #sync(token: string, box: Recorder): Promise<void> {
    const id = ++this.#syncId;
    return new Promise((resolve) => {
      const done = (dropped: number) => {
        clearTimeout(timer);
        this.#syncs.delete(id);
        if (dropped > 0) box.recordDropped(dropped);
        resolve();
      };
      const timer = setTimeout(() => done(0), SYNC_MS);
      this.#syncs.set(id, done);
      this.#process?.send({ type: "sync", token, id });
    });
  }
}
