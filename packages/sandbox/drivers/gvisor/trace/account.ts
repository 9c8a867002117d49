import { constants } from "node:os";
import { type Activity, noTelemetry, pathClassOf, type Sensing, TELEMETRY_BOUNDS, type Telemetry } from "@plastron/contracts";
import { isInternet, readSocketAddress } from "./address.ts";
import { type GuestEvent, readMessage } from "./message.ts";

/** What gVisor's trace points can tell, and what they cannot: said in every record. */
const LIMITED =
  "telemetry: limited. gVisor's kernel is opaque to the host: programs started, processes, opens, connects and binds are what its own trace points tell (paths as asked for, process numbers as the guest has them); calls are not counted, denials by the filter, sends and stacks are not seen";

const { O_ACCMODE, O_CREAT, O_TRUNC } = { O_ACCMODE: 3, O_CREAT: 0o100, O_TRUNC: 0o1000 };
const DENIED = new Set(["EPERM", "EACCES", "EROFS"]);

/**
 * The account of one run in a guest, from the messages of its kernel. They are the guest's word and bounded here: lists as
 * everywhere, and counters that only count.
 */
export class GuestAccount {
  #told = noTelemetry("", "limited");
  #files = new Map<string, Telemetry["files"]["list"][number]>();
  #peers = new Map<string, Telemetry["network"]["peers"][number]>();
  #living = new Map<number, Telemetry["processes"]["list"][number]>();
  #begun: number | undefined;
  #sensing: Sensing = "account";
  /** Since the guest is there. */
  readonly #dropped = { onTheWay: 0, inTheGuest: 0 };
  #droppedBefore = 0;

  /** A program begins: what came before was the interpreter's. */
  begin(sensing: Sensing = "account"): void {
    this.#told = { ...noTelemetry(LIMITED, "limited"), timeline: sensing === "trace" ? [] : null };
    this.#files = new Map();
    this.#peers = new Map();
    this.#living = new Map();
    this.#begun = performance.now();
    this.#sensing = sensing;
    this.#droppedBefore = this.#allDropped;
  }

  /** A `G` frame of the supervisor: u32 messages that were dropped on the way, then one message, or none at a run's end. */
  feed(payload: Uint8Array): void {
    if (payload.length < 4) return;
    const dropped = this.#dropped;
    dropped.onTheWay = Math.max(dropped.onTheWay, new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0, true));
    const message = readMessage(payload.subarray(4));
    if (!message) return;
    dropped.inTheGuest = Math.max(dropped.inTheGuest, message.dropped);
    if (this.#begun !== undefined && message.event) this.#count(message.event);
  }

  end(): Telemetry {
    const told = this.#told;
    this.#begun = undefined;
    told.files.list = [...this.#files.values()];
    told.network.peers = [...this.#peers.values()];
    told.lost.events = this.#allDropped - this.#droppedBefore;
    if (told.lost.events > 0) told.flags.push("events_lost");
    if (this.#sensing === "model") told.reason = `${LIMITED}; a behaviour profile cannot be made in gVisor`;
    return told;
  }

  get #allDropped(): number {
    return this.#dropped.onTheWay + this.#dropped.inTheGuest;
  }

  #count(event: GuestEvent): void {
    if (event.kind === "clone") this.#onClone(event);
    else if (event.kind === "exec") this.#onExec(event);
    else if (event.kind === "exec-failed") {
      this.#failed("execve", event.errno, { kind: "exec", ...this.#at(event), path: event.path, ...bounded(event.argv), errno: event.errno });
    } else if (event.kind === "exit") this.#onExit(event);
    else if (event.kind === "open") this.#onOpen(event);
    else if (event.kind === "refused") this.#failed("clone", event.errno);
    else this.#onPeer(event);
  }

  #onClone({ thread_created, process_created, ...event }: GuestEvent & { kind: "clone" }): void {
    const { processes } = this.#told;
    const thread = thread_created !== process_created;
    if (thread) processes.threads++;
    else {
      processes.forks++;
      this.#process(process_created, event.process);
    }
    this.#tell({ kind: "fork", ...this.#at(event), child: process_created, thread });
  }

  #onExec(event: GuestEvent & { kind: "exec" }): void {
    this.#told.processes.execs++;
    const entry = this.#living.get(event.process) ?? this.#process(event.process, null);
    const { argv, argv_truncated } = bounded(event.argv);
    if (entry) Object.assign(entry, { exe: event.path, argv });
    this.#tell({ kind: "exec", ...this.#at(event), path: event.path, argv, argv_truncated, errno: null });
  }

  #onExit(event: GuestEvent & { kind: "exit" }): void {
    this.#told.processes.exits++;
    const { status } = event;
    const number = status & 0x7f;
    const signal = number === 0 ? null : (Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`);
    const end = { code: number === 0 ? (status >> 8) & 0xff : null, signal };
    const entry = this.#living.get(event.process);
    if (entry) Object.assign(entry, { ended_us: this.#elapsed(), ...end });
    this.#living.delete(event.process);
    this.#tell({ kind: "exit", ...this.#at(event), ...end });
  }

  #onOpen(event: GuestEvent & { kind: "open" }): void {
    const { path, flags, errno } = event;
    const { files }: Telemetry = this.#told;
    const kind = pathClassOf(path);
    files.opens++;
    files.by_class[kind] = (files.by_class[kind] ?? 0) + 1;
    const writes = (flags & O_ACCMODE) !== 0;
    const create = (flags & O_CREAT) !== 0;
    const entry = this.#listed<Telemetry["files"]["list"][number]>(this.#files, path, TELEMETRY_BOUNDS.files, () => ({
      path,
      class: kind,
      reads: 0,
      writes: 0,
      creates: 0,
      failures: {},
    }));
    if (entry && errno !== null) entry.failures[errno] = (entry.failures[errno] ?? 0) + 1;
    else if (entry) {
      if (writes) entry.writes++;
      if (!writes || (flags & O_ACCMODE) === 2) entry.reads++;
      if (create) entry.creates++;
    }
    const access = (["read", "write", "readwrite", "path"] as const)[flags & O_ACCMODE] ?? "read";
    const said = { path, class: kind, asked: true, access, create, truncate: (flags & O_TRUNC) !== 0, errno };
    const activity: Activity = { kind: "open", ...this.#at(event), ...said };
    if (errno === null) this.#tell(activity);
    else this.#failed("open", errno, activity);
  }

  #onPeer(event: GuestEvent & { kind: "connect" | "bind" }): void {
    const { kind, errno } = event;
    const to = readSocketAddress(event.address);
    if (isInternet(to)) {
      if (kind === "connect") this.#told.network.connects++;
      else this.#told.network.binds++;
    }
    const key = `${kind} ${to.family} ${to.address} ${to.port}`;
    const entry = this.#listed(this.#peers, key, TELEMETRY_BOUNDS.peers, () => ({ kind, to, count: 0, failures: {} }));
    if (entry) entry.count++;
    if (entry && errno !== null) entry.failures[errno] = (entry.failures[errno] ?? 0) + 1;
    const activity: Activity = { kind, ...this.#at(event), to, errno };
    if (errno === null) this.#tell(activity);
    else this.#failed(kind, errno, activity);
  }

  /** An error of a call that is seen: of those alone are there counts. */
  #failed(call: string, errno: string, activity?: Activity): void {
    const { errors, denied }: Telemetry["syscalls"] = this.#told.syscalls;
    errors[errno] = (errors[errno] ?? 0) + 1;
    if (DENIED.has(errno)) denied[call] = (denied[call] ?? 0) + 1;
    if (activity) this.#tell(activity);
  }

  #process(pid: number, parent: number | null): Telemetry["processes"]["list"][number] | undefined {
    const { list } = this.#told.processes;
    if (list.length >= TELEMETRY_BOUNDS.processes) {
      this.#told.lost.listed++;
      return undefined;
    }
    const entry = { pid, parent, exe: "", argv: [], started_us: this.#elapsed(), ended_us: null, code: null, signal: null };
    list.push(entry);
    this.#living.set(pid, entry);
    return entry;
  }

  #listed<T>(list: Map<string, T>, key: string, bound: number, make: () => T): T | undefined {
    const known = list.get(key);
    if (known) return known;
    if (list.size >= bound) {
      this.#told.lost.listed++;
      return undefined;
    }
    const made = make();
    list.set(key, made);
    return made;
  }

  #tell(activity: Activity): void {
    const { timeline, lost } = this.#told;
    if (!timeline) return;
    if (timeline.length < TELEMETRY_BOUNDS.timeline) timeline.push(activity);
    else lost.listed++;
  }

  /** By our clock: the guest's own starts where it likes. */
  #at = (event: Pick<GuestEvent, "process" | "comm">) => ({ t_us: this.#elapsed(), pid: event.process, comm: event.comm.slice(0, 64) });
  #elapsed = (): number => Math.round((performance.now() - (this.#begun ?? 0)) * 1000);
}

function bounded(argv: string[]): { argv: string[]; argv_truncated: boolean } {
  const kept: string[] = [];
  let room: number = TELEMETRY_BOUNDS.argv_bytes;
  for (const word of argv) {
    if (word.length > room) return { argv: [...kept, word.slice(0, room)], argv_truncated: true };
    room -= word.length + 1;
    kept.push(word);
  }
  return { argv: kept, argv_truncated: false };
}
