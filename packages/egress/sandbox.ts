import { type FromEgress, MAX_VIOLATIONS, type NetworkRules, type ViolationEvent } from "@plastron/contracts";
import { StandIns } from "./dns/stand-ins.ts";
import { compileRules, type Rules } from "./rules/compiled.ts";
import type { Verdict } from "./rules/judge.ts";

/** Why something was refused, in words that go into the record and to the program. */
export interface Refusal {
  id: string;
  path: string;
  why: string;
}

/** Records of one sandbox in a second: a flood must cost the program more than it costs us. What is over it is counted. */
const RECORDS_PER_SECOND = MAX_VIOLATIONS;

/** One sandbox as the egress process knows it: its rules, its names, and what went through. */
export class Sandbox {
  readonly rules: Rules;
  readonly standIns = new StandIns();
  readonly #token: string;
  readonly #tell: (message: FromEgress) => void;
  readonly #open = new Set<{ destroy(): void }>();
  #window = { at: 0, count: 0 };
  #lastName = { name: "", at: 0 };
  #dropped = 0;
  #totals = { connections: 0, bytes_out: 0, bytes_in: 0 };

  constructor(token: string, network: NetworkRules, names: Rules["names"], tell: (message: FromEgress) => void) {
    this.rules = compileRules(network, names);
    this.#token = token;
    this.#tell = tell;
  }

  /** Counts a connection, and ends it when the sandbox goes. */
  hold(socket: { destroy(): void; once(event: "close", then: () => void): unknown; bytesRead: number; bytesWritten: number }): void {
    this.#open.add(socket);
    this.#totals.connections++;
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#totals.bytes_out += socket.bytesRead;
      this.#totals.bytes_in += socket.bytesWritten;
    });
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
  recordRefusal({ id, path }: Refusal, event: ViolationEvent): void {
    this.#send(id, path, "DENIED", event);
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
    for (const socket of this.#open) socket.destroy();
    setImmediate(() => this.#tell({ type: "forgotten", token: this.#token, ...this.#totals }));
  }

  #named(rule: number): { id: string; path: string } {
    return this.rules.names[rule] ?? { id: "networkProxyRawRules", path: "" };
  }

  #send(rule_id: string, rule_path: string, action: "DENIED" | "AUDIT" | "ALLOWED", event: ViolationEvent): void {
    const now = performance.now();
    if (now - this.#window.at > 1000) this.#window = { at: now, count: 0 };
    if (this.#window.count++ >= RECORDS_PER_SECOND) this.#dropped++;
    else this.#tell({ type: "violation", token: this.#token, rule_id, rule_path, action, event });
  }
}
