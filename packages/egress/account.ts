import { EGRESS_HEADER, type EgressAccount, type Traffic } from "@plastron/contracts";
import { monotonicUs } from "./clock.ts";
import { typeName } from "./dns/message.ts";

/** Of a socket to a relay: what is counted, and that it can be ended. */
export interface Held {
  destroy(): void;
  once(event: "close", then: () => void): unknown;
  bytesRead: number;
  bytesWritten: number;
}

/** Where one connection was meant to go, as the sandbox dialled it. */
export interface Dialled {
  address: string;
  port: number;
  host: string | null;
}

type Flow = EgressAccount["flows"][number];
type Name = EgressAccount["names"][number];
type Flag = EgressAccount["flags"][number];

/** Entries of one sandbox's whole life; a session's runs share them. What is beyond is counted. */
const LISTED = 512;

/** What one sandbox did through its way out. Counters are exact, lists are bounded. */
export class Account {
  readonly #open = new Map<Held, Flow | null>();
  readonly #flows = new Map<string, Flow>();
  readonly #names = new Map<string, Name>();
  readonly #flags = new Set<Flag>();
  #closed: Traffic = { connections: 0, bytes_out: 0, bytes_in: 0 };
  #dropped = { flows: 0, names: 0 };

  /** Counts a connection of the relay from its first byte to its end. */
  hold(socket: Held, to: Dialled): void {
    const flow = this.#flowTo(to);
    if (flow) flow.connections++;
    else this.#dropped.flows++;
    this.#open.set(socket, flow);
    socket.once("close", () => {
      this.#open.delete(socket);
      this.#closed = plus(this.#closed, socket);
      if (flow) Object.assign(flow, grown(flow, socket));
    });
  }

  asked(name: string, type: number, isAllowed: boolean): void {
    const answer = isAllowed ? "allowed" : "denied";
    const key = `${name} ${type} ${answer}`;
    const known = this.#names.get(key);
    if (known) {
      known.count++;
      known.at_us ??= monotonicUs();
    } else if (this.#names.size < LISTED) this.#names.set(key, { name, type: typeName(type), answer, count: 1, at_us: monotonicUs() });
    else this.#dropped.names++;
  }

  flag(flag: Flag): void {
    this.#flags.add(flag);
  }

  /** Of its whole life, with what is still open. */
  traffic(): Traffic {
    return [...this.#open.keys()].reduce(plus, this.#closed);
  }

  /** Flags and times are those since this was asked last: so they are a run's, and not its session's. */
  tell(): EgressAccount {
    const flags = [...this.#flags];
    this.#flags.clear();
    const names = [...this.#names.values()].map((name) => ({ ...name }));
    for (const name of this.#names.values()) name.at_us = null;
    const now = new Map([...this.#flows.values()].map((flow): [Flow, Flow] => [flow, flow]));
    for (const [socket, flow] of this.#open) if (flow) now.set(flow, { ...flow, ...grown(now.get(flow) as Flow, socket) });
    return {
      traffic: this.traffic(),
      flows: [...now.values()],
      names,
      flows_dropped: this.#dropped.flows,
      names_dropped: this.#dropped.names,
      flags,
    };
  }

  #flowTo({ address, port, host }: Dialled): Flow | null {
    const key = `${address} ${port}`;
    const known = this.#flows.get(key);
    if (known || this.#flows.size >= LISTED) return known ?? null;
    const flow: Flow = { address, port, host, connections: 0, bytes_in: 0, bytes_out: 0 };
    this.#flows.set(key, flow);
    return flow;
  }
}

const sentBy = ({ bytesRead }: Held): number => Math.max(0, bytesRead - EGRESS_HEADER);

function grown({ bytes_in, bytes_out }: Flow, socket: Held): Pick<Flow, "bytes_in" | "bytes_out"> {
  return { bytes_out: bytes_out + sentBy(socket), bytes_in: bytes_in + socket.bytesWritten };
}

function plus({ connections, bytes_in, bytes_out }: Traffic, socket: Held): Traffic {
  return { connections: connections + 1, bytes_out: bytes_out + sentBy(socket), bytes_in: bytes_in + socket.bytesWritten };
}
