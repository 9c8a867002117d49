import { randomBytes } from "node:crypto";
import {
  type BrokenBy,
  type Confinement,
  EGRESS_TOKEN,
  type EgressAccount,
  type FromEgress,
  type PlacedSecret,
  PlastronError,
  type Program,
  type SecretGrant,
  STAND_IN_NAMESERVER,
  UNSEEN,
  type Violation,
} from "@plastron/contracts";
import type { EgressOptions } from "../../driver.ts";
import { accountSince } from "./egress-account.ts";
import { EgressProcess } from "./egress-process.ts";
import { placeSecrets } from "./egress-secrets.ts";
import { trustRecords } from "./egress-trust.ts";
import type { SpecRecord } from "./spec.ts";
import type { UidPool } from "./uids.ts";

/** Of a box: whose it becomes, and who is told what its program was denied and sent. */
interface Recorder {
  record(violation: Violation, at_us: number | null): void;
  recordDropped(count: number): void;
  recordEgress(account: EgressAccount): void;
  break(broken: BrokenBy): void;
  readonly onBegin: ((program: Pick<Program, "limits">) => void)[];
  readonly onAssign: ((tenant: string, secrets: readonly SecretGrant[]) => Record<string, string>)[];
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
  /** Null while it is warm, and nobody's. */
  tenant: string | null;
  secrets: PlacedSecret[];
  /** At the end of the last run, as the process has counted. */
  before: EgressAccount | null;
  box?: Recorder;
  /** What its run may send, and the process's word for it. */
  limit?: { id: number; bytes_out: number | null };
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
  readonly #syncs = new Map<number, (dropped: number, account: EgressAccount | null) => void>();
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
    const admitted: Admitted = { confinement, tenant: null, secrets: [], before: null };
    this.#admitted.set(token, admitted);
    this.#admit(token, admitted);
    return {
      records: [
        ["egress", directory, token, uid],
        ["text", "/etc/resolv.conf", `nameserver ${STAND_IN_NAMESERVER}\noptions timeout:5 attempts:2\n`, "644"],
        ["text", "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", "644"],
        ...trust,
      ],
      follow: (box) => {
        admitted.box = box;
        box.onAssign.push((tenant, secrets) => this.#assign(token, admitted, tenant, secrets));
        box.onBegin.push(({ limits }) => this.#limit(token, admitted, limits.rates.bytes_out));
        box.beforeEnd.push(() => this.#sync(token, admitted, box));
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

  #admit(token: string, { confinement: { network, rules } }: Admitted): void {
    if (network) this.#process?.send({ type: "admit", token, network, rules: rules.map(({ id, path }) => ({ id, path })), tenant: null });
  }

  /** Its secrets are that tenant's from now on. Told before the program is: without it, it has none. */
  #assign(token: string, admitted: Admitted, tenant: string, grants: readonly SecretGrant[]): Record<string, string> {
    if (admitted.tenant !== null && admitted.tenant !== tenant) throw new PlastronError("sandbox_failed", "the sandbox belongs to another tenant");
    if (admitted.tenant !== null) return {};
    const { secrets, environment } = placeSecrets(grants);
    Object.assign(admitted, { tenant, secrets });
    this.#process?.send({ type: "assign", token, tenant, secrets });
    return environment;
  }

  /** Held by the process itself, whether a sensor looks on or not. What a run of before was allowed is over. */
  #limit(token: string, admitted: Admitted, bytes_out: number | null): void {
    if (bytes_out === null && (admitted.limit?.bytes_out ?? null) === null) return;
    admitted.limit = { id: ++this.#syncId, bytes_out };
    this.#process?.send({ type: "limit", token, ...admitted.limit });
  }

  #onExceeded({ token, id, bytes_out }: Extract<FromEgress, { type: "exceeded" }>): void {
    const { box, limit } = this.#admitted.get(token) ?? {};
    if (!box || limit?.id !== id || limit.bytes_out === null) return;
    box.break({ rule: "bytes_out", limit: limit.bytes_out, measured: bytes_out, window_ms: 0, stacks: [] });
  }

  /** What was asked of the process that died is answered by nobody; what lives is made known to the next. */
  #onRestart(): void {
    for (const done of this.#syncs.values()) done(0, null);
    for (const [token, admitted] of this.#admitted) {
      admitted.before = null;
      this.#admit(token, admitted);
      const { tenant, secrets } = admitted;
      if (tenant !== null) this.#process?.send({ type: "assign", token, tenant, secrets });
      if (admitted.limit) this.#process?.send({ type: "limit", token, ...admitted.limit });
    }
  }

  #onMessage(message: FromEgress): void {
    if (message.type === "synced") this.#syncs.get(message.id)?.(message.dropped, message.account);
    if (message.type === "exceeded") this.#onExceeded(message);
    if (message.type !== "violation") return;
    const { rule_id, rule_path, action, event, hint, at_us } = message;
    const unknown = { pid: 0, comm: "", mnt_ns_id: null, ...UNSEEN };
    const violation: Violation = { rule_id, rule_path, enforcer: "NetworkProxy", action, event, ...unknown, hint, at: new Date().toISOString() };
    this.#admitted.get(message.token)?.box?.record(violation, at_us);
  }

  /** Messages keep their order: when this one is answered, all before it have been told. */
  #sync(token: string, admitted: Admitted, box: Recorder): Promise<void> {
    const id = ++this.#syncId;
    return new Promise((resolve) => {
      const done = (dropped: number, account: EgressAccount | null) => {
        clearTimeout(timer);
        this.#syncs.delete(id);
        if (dropped > 0) box.recordDropped(dropped);
        if (account) box.recordEgress(accountSince(admitted.before, account));
        if (account) admitted.before = account;
        resolve();
      };
      const timer = setTimeout(() => done(0, null), SYNC_MS);
      this.#syncs.set(id, done);
      this.#process?.send({ type: "sync", token, id });
    });
  }
}
