import { EGRESS_HEADER, type FromEgress, MAX_VIOLATIONS, type NetworkRules, type PlacedSecret, type Traffic, type ViolationEvent } from "@plastron/contracts";
import { StandIns } from "./dns/stand-ins.ts";
import { compileRules, type Rules } from "./rules/compiled.ts";
import type { Verdict } from "./rules/judge.ts";
import { Vault } from "./secrets/vault.ts";

/** Why something was refused, in words that go into the record and to the program. */
export interface Refusal {
  id: string;
  path: string;
  why: string;
  /** What would allow it. */
  hint?: string;
}

/** Records of one sandbox in a second: a flood must cost the program more than it costs us. What is over it is counted. */
const RECORDS_PER_SECOND = MAX_VIOLATIONS;

/** Of a socket: what is counted, and that it can be ended. */
type Held = { destroy(): void; once(event: "close", then: () => void): unknown; bytesRead: number; bytesWritten: number };

/** One sandbox as the egress process knows it: whose it is, its rules, its names, and what went through. */
export class Sandbox {
  readonly rules: Rules;
  readonly standIns = new StandIns();
  #vault = new Vault([]);
  readonly #token: string;
  readonly #tell: (message: FromEgress) => void;
  readonly #open = new Map<Held, "tcp" | "dns">();
  #window = { at: 0, count: 0 };
  #lastName = { name: "", at: 0 };
  #dropped = 0;
  #closed: Traffic = { connections: 0, bytes_out: 0, bytes_in: 0 };
  #tenant: string | null = null;
  /** Two tenants were named for it: it is nobody's, for good. */
  #disputed = false;

  constructor(token: string, network: NetworkRules, names: Rules["names"], tell: (message: FromEgress) => void) {
    this.rules = compileRules(network, names);
    this.#token = token;
    this.#tell = tell;
  }

  /** Whose secrets its requests may have; null: nobody's. */
  get tenant(): string | null {
    return this.#disputed ? null : this.#tenant;
  }

  /** Whose share of the process it uses up: its tenant's, or its own while it has none. */
  get owner(): string {
    return this.#tenant === null ? `sandbox ${this.#token}` : `tenant ${this.#tenant}`;
  }

  /** What it may use of its tenant's secrets, and what is kept out of the answers that it gets. */
  get vault(): Vault {
    return this.#vault;
  }

  /**
   * Once, with what it may use of that tenant's secrets. A second tenant is refused: the sandbox has neither's secrets from then
   * on, and all that is open ends.
   */
  assign(tenant: string, secrets: readonly PlacedSecret[] = []): void {
    const isFirst = this.#tenant === null;
    this.#tenant ??= tenant;
    if (isFirst) this.#vault = new Vault(secrets);
    if (this.#tenant === tenant) return;
    this.#disputed = true;
    this.#end();
  }

  /** Counts a connection of the relay, and ends it when the sandbox goes. */
  hold(socket: Held, protocol: "tcp" | "dns"): void {
    this.#open.set(socket, protocol);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closed = plus(this.#closed, socket, protocol);
    });
  }

  /** Of its whole life, with what is still open. */
  traffic(): Traffic {
    return [...this.#open].reduce((sum, [socket, protocol]) => plus(sum, socket, protocol), this.#closed);
  }

  /** A name that does not exist is asked for once for each family, and by some again: one record a second says it. */
  recordName(verdict: Verdict, name: string): void {
    const now = performance.now();
    if (name === this.#lastName.name && now - this.#lastName.at < 1000) return;
    this.#lastName = { name, at: now };
    this.record(verdict, { operation: "Network", type: "http", method: "", host: name, path: "", port: 53 });
  }

  record(verdict: Verdict, event: ViolationEvent): void {
    for (const { rule, action } of verdict.records) {
      const { id, path } = this.#named(rule);
      this.#send(id, path, action, event);
    }
  }

  /** What no rule of the policy says, but the platform: always recorded. */
  recordRefusal({ id, path, hint }: Refusal, event: ViolationEvent): void {
    this.#send(id, path, "DENIED", event, hint ?? null);
  }

  /** The placeholder of a secret on its way to where the secret may not go. It goes on, and is worth nothing there. */
  noteStray({ name, key, hosts }: PlacedSecret, event: ViolationEvent): void {
    this.#send(
      "secrets",
      `secrets.${name}/${key}`,
      "AUDIT",
      event,
      `Secret ${name}/${key} is put into requests to ${hosts.join(", ")} alone: name this host in its grant.`,
    );
  }

  /** The refusal that a verdict stands for. */
  refusalOf({ rule }: Verdict): Refusal {
    if (rule === null) return { id: "defaultAction", path: "", why: "no rule allows it" };
    const { id, path } = this.#named(rule);
    return { id, path, why: `${id}${path === "" ? "" : ` (${path})`}` };
  }

  /** How many were not told since the last time that this was asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  forget(): void {
    this.#end();
  }

  #end(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #named(rule: number): { id: string; path: string } {
    return this.rules.names[rule] ?? { id: "networkProxyRawRules", path: "" };
  }

  #send(rule_id: string, rule_path: string, action: "DENIED" | "AUDIT" | "ALLOWED", event: ViolationEvent, hint: string | null = null): void {
    const now = performance.now();
    if (now - this.#window.at > 1000) this.#window = { at: now, count: 0 };
    if (this.#window.count++ >= RECORDS_PER_SECOND) this.#dropped++;
    else this.#tell({ type: "violation", token: this.#token, rule_id, rule_path, action, event, hint });
  }
}

function plus(sum: Traffic, { bytesRead, bytesWritten }: Held, protocol: "tcp" | "dns"): Traffic {
  if (protocol === "dns") return sum;
  return {
    connections: sum.connections + 1,
    bytes_out: sum.bytes_out + Math.max(0, bytesRead - EGRESS_HEADER),
    bytes_in: sum.bytes_in + bytesWritten,
  };
}
