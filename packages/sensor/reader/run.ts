import type { Activity, Denial, Stack, Telemetry } from "@plastron/contracts";
import type { Accounts } from "../account.ts";
import { errorName } from "../calls/errors.ts";
import { callName, KIND, kinds } from "../calls/table.ts";
import { EVENT, EVENT_KIND, FLAG, SENSING } from "../layout.ts";
import { countersOf } from "./counters.ts";
import { Denials } from "./denials.ts";
import { endpointOf, Peers } from "./endpoints.ts";
import type { EventView } from "./event.ts";
import { Files, openingOf } from "./files.ts";
import { Flows } from "./flows.ts";
import { Modelling } from "./model.ts";
import { asked } from "./path.ts";
import { Processes } from "./processes.ts";

const KINDS = kinds();
const EINPROGRESS = -115;

export interface Bounds {
  processes: number;
  files: number;
  peers: number;
  denials: number;
  timeline: number;
}

/** What of a run needs more than itself. */
export interface Surroundings {
  accounts: Accounts;
  flowsFd: number;
  bounds: Bounds;
  /** Of the call that the event is about, whose process was stopped for it; null where there is none. */
  stackOf(event: EventView): Stack | null;
  onDenial(slot: number, generation: number, denial: Denial): void;
}

/** One run, from its events: everything in it is bounded. */
export class Run {
  readonly slot: number;
  readonly generation: number;
  /** Bytes of the ring that were its, and are not given back to it yet. */
  taken = 0;
  /** Stacks that it was given so far. */
  stacks: number;
  readonly #around: Surroundings;
  readonly #armedAt: number;
  readonly #files: Files;
  readonly #peers: Peers;
  readonly #denials: Denials;
  readonly #processes: Processes;
  readonly #flows: Flows;
  readonly #timeline: Activity[] | null;
  readonly #model: Modelling | null;
  #untold = 0;

  constructor(slot: number, generation: number, around: Surroundings) {
    this.slot = slot;
    this.generation = generation;
    this.#around = around;
    const { accounts, bounds } = around;
    const sensing = accounts.get(slot, "sensing");
    this.#armedAt = accounts.count(slot, "armed_at");
    this.#files = new Files(bounds.files);
    this.#peers = new Peers(bounds.peers);
    this.#denials = new Denials(bounds.denials);
    this.#processes = new Processes(bounds.processes);
    this.stacks = accounts.get(slot, "stacks");
    this.#flows = new Flows(around.flowsFd);
    this.#timeline = sensing & SENSING.trace ? [] : null;
    this.#model = sensing & SENSING.model ? new Modelling() : null;
  }

  take(event: EventView): void {
    const kind = event.half(EVENT.kind);
    if (kind === EVENT_KIND.call) this.#call(event);
    else if (kind === EVENT_KIND.fork) this.#fork(event);
    else if (kind === EVENT_KIND.exec) this.#exec(event);
    else if (kind === EVENT_KIND.exit) this.#exit(event);
    else if (kind === EVENT_KIND.flow) this.#flows.take(event);
    else if (this.#model?.argument(event)) this.#around.accounts.endArgument(this.slot, event.word(EVENT.number), event.result);
  }

  /** The whole account. `names`, `resources` and the names of flows are the driver's to add. */
  tell(missing: string | null): Telemetry {
    const { accounts } = this.#around;
    const { capabilities, ...counters } = countersOf(accounts, this.slot);
    const listed = this.#files.dropped + this.#peers.dropped + this.#processes.dropped + this.#untold + accounts.count(this.slot, "flows_lost");
    const { flags } = counters;
    if (this.#processes.deleted) flags.push("deleted_executable");
    if (this.#processes.anonymous) flags.push("anonymous_executable");
    if (this.#processes.outlived) flags.push("outlived");
    return {
      ...counters,
      level: missing === null ? "full" : "limited",
      reason: missing,
      processes: { ...counters.processes, list: this.#processes.list },
      files: { opens: counters.files.opens, by_class: this.#files.byClass, list: this.#files.list },
      network: { ...counters.network, peers: this.#peers.list, flows: this.#flows.tell() },
      denials: this.#denials.list,
      denials_dropped: this.#denials.dropped,
      // What was lost is in the kernel's count alone, which knows of no stack that came to nothing.
      stacks_skipped: counters.lost.events > 0 ? Math.max(counters.stacks_skipped, this.#denials.withoutStack) : this.#denials.withoutStack,
      lost: { events: counters.lost.events, listed },
      timeline: this.#timeline,
      model: this.#model?.tell(accounts.each(this.slot, "calls"), capabilities, counters.lost.events === 0) ?? null,
    };
  }

  #call(event: EventView): void {
    const kind = KINDS[event.word(EVENT.number)];
    const denied = (event.word(EVENT.flags) & FLAG.denied) !== 0;
    if (kind === KIND.open || kind === KIND.openat2) this.#open(event);
    else if (kind === KIND.connect) this.#meet(event, "connect");
    else if (kind === KIND.bind) this.#meet(event, "bind");
    else if (kind === KIND.send || kind === KIND.sendmsg) this.#meet(event, "send");
    else if (kind === KIND.execve) this.#failedExec(event);
    else if (kind === KIND.change) this.#model?.changed(event);
    else if (kind === KIND.socket) this.#model?.socket(event);
    if (denied) this.#deny(event);
  }

  #fork(event: EventView): void {
    this.#processes.fork(event, this.#us(event));
    this.#note(event, () => ({ kind: "fork", child: event.result, thread: (event.word(EVENT.flags) & FLAG.thread) !== 0 }));
  }

  #exec(event: EventView): void {
    const exec = this.#processes.exec(event);
    this.#model?.executed(exec.path);
    this.#note(event, () => ({ kind: "exec", ...exec, errno: null }));
  }

  #exit(event: EventView): void {
    const ended = this.#processes.exit(event, this.#us(event));
    this.#note(event, () => ({ kind: "exit", ...ended }));
  }

  #open(event: EventView): void {
    this.#files.take(event);
    if (this.#timeline === null && this.#model === null) return;
    const opening = openingOf(event);
    this.#model?.opened(event, opening);
    this.#note(event, () => opening);
  }

  #meet(event: EventView, kind: "connect" | "bind" | "send"): void {
    this.#peers.take(event, kind);
    if (this.#timeline === null && this.#model === null) return;
    const to = endpointOf(event);
    if (to === null) return;
    if (kind === "connect" && (event.result >= 0 || event.result === EINPROGRESS)) this.#model?.connected(to);
    this.#note(event, () => ({ kind, to, errno: event.result < 0 ? errorName(-event.result) : null }));
  }

  #failedExec(event: EventView): void {
    this.#note(event, () => ({ kind: "exec", path: asked(event) ?? "", argv: [], argv_truncated: false, errno: errorName(-event.result) }));
  }

  #deny(event: EventView): void {
    const stack = (event.word(EVENT.flags) & FLAG.stopped) !== 0 ? this.#around.stackOf(event) : null;
    const first = this.#denials.take(event, this.#us(event), stack);
    if (first !== null) this.#around.onDenial(this.slot, this.generation, first);
    this.#note(event, () => ({ kind: "denied", call: callName(event.word(EVENT.number)), path: asked(event), errno: errorName(-event.result), rule: null }));
  }

  /** Only a traced run makes what stands in its timeline. */
  #note(event: EventView, make: () => Unplaced): void {
    if (this.#timeline === null) return;
    if (this.#timeline.length >= this.#around.bounds.timeline) this.#untold++;
    else this.#timeline.push({ t_us: this.#us(event), pid: event.word(EVENT.process), comm: event.comm, ...make() } as Activity);
  }

  #us(event: EventView): number {
    return Math.max(0, Math.round((event.time - this.#armedAt) / 1000));
  }
}

type Unplaced = Activity extends infer One ? (One extends Activity ? Omit<One, "t_us" | "pid" | "comm"> : never) : never;
