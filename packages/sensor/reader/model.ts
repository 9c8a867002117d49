import type { Model } from "@plastron/contracts";
import { bareName, CALLS, CHANGES } from "../calls/table.ts";
import { EVENT } from "../layout.ts";
import type { Endpoint } from "./endpoints.ts";
import type { EventView } from "./event.ts";
import type { Opening } from "./files.ts";
import { asked, askedSecond } from "./path.ts";

type Permission = Model["files"][number]["permissions"][number];

/** Bounds of what a profile is made of: a workload that needs more has no narrow policy. */
const BOUNDS = { values: 64, files: 4096, executions: 512, sockets: 64, connections: 512 };
const O_APPEND = 0o2000;
const FMODE_CREATED = 0x10_0000;

/** What a behaviour profile is made of. */
export class Modelling {
  readonly #arguments = new Map<number, Map<number, Set<string> | null>>();
  readonly #files = new Map<string, Set<Permission>>();
  readonly #executions = new Set<string>();
  readonly #sockets = new Map<string, Model["sockets"][number]>();
  readonly #connections = new Map<string, Model["connections"][number]>();
  #complete = true;

  /** True where there are too many values of this argument to list: no more of them are asked for. */
  argument(event: EventView): boolean {
    const index = event.word(EVENT.number);
    const argument = event.result;
    const seen = this.#arguments.get(index) ?? new Map<number, Set<string> | null>();
    this.#arguments.set(index, seen);
    const values = seen.has(argument) ? seen.get(argument) : new Set<string>();
    if (values === null || values === undefined) return true;
    seen.set(argument, values.add(`0x${event.argument(0).toString(16)}`));
    if (values.size <= BOUNDS.values) return false;
    seen.set(argument, null);
    return true;
  }

  opened(event: EventView, { path, access, asked: isAsked, errno }: Opening): void {
    if (errno !== null || isAsked) return;
    const permissions: Permission[] = [];
    if (access === "read" || access === "readwrite") permissions.push("read");
    if (access === "write" || access === "readwrite") permissions.push(event.word(EVENT.file_flags) & O_APPEND ? "append" : "write");
    if (event.word(EVENT.file_mode) & FMODE_CREATED) permissions.push("create");
    this.#may(path, permissions);
  }

  changed(event: EventView): void {
    if (event.result < 0) return;
    const changes = CHANGES[bareName(event.word(EVENT.number)) ?? ""] ?? ["write"];
    const first = asked(event);
    if (first !== null) this.#may(first, [changes[0]]);
    const second = changes[1] === undefined ? null : askedSecond(event, haveOneDirectory(event));
    if (second !== null && changes[1] !== undefined) this.#may(second, [changes[1]]);
  }

  executed(path: string): void {
    if (this.#executions.size < BOUNDS.executions) this.#executions.add(path);
    else this.#complete &&= this.#executions.has(path);
    this.#may(path, ["exec"]);
  }

  socket(event: EventView): void {
    if (event.result < 0) return;
    const [family, type, protocol] = [event.low(0), event.low(1), event.low(2)];
    const socket = { family: FAMILIES[family] ?? String(family), type: TYPES[type & 0xf] ?? String(type & 0xf), protocol: String(protocol) };
    this.#put(this.#sockets, `${family} ${type & 0xf} ${protocol}`, socket, BOUNDS.sockets);
  }

  connected({ family, address, port }: Endpoint): void {
    if (family === "inet" || family === "inet6") this.#put(this.#connections, `${address} ${port}`, { address, port }, BOUNDS.connections);
  }

  tell(counts: Iterable<[index: number, count: number]>, capabilities: string[], isAllSeen: boolean): Model {
    const syscalls = [...counts].flatMap(([index]) => {
      const name = index < CALLS ? bareName(index) : undefined;
      return name === undefined ? [] : [{ name, arguments: this.#argumentsOf(index) }];
    });
    return {
      syscalls,
      capabilities: capabilities,
      files: [...this.#files].map(([path, permissions]) => ({ path, permissions: [...permissions] })),
      executions: [...this.#executions],
      sockets: [...this.#sockets.values()],
      connections: [...this.#connections.values()],
      names: [],
      complete: this.#complete && isAllSeen,
    };
  }

  #argumentsOf(index: number): Model["syscalls"][number]["arguments"] {
    return [...(this.#arguments.get(index) ?? [])]
      .sort(([a], [b]) => a - b)
      .map(([argument, values]) => ({ index: argument, values: values === null ? null : [...values] }));
  }

  #may(path: string, permissions: Permission[]): void {
    const known = this.#files.get(path);
    if (known === undefined && this.#files.size >= BOUNDS.files) this.#complete = false;
    else for (const permission of permissions) this.#files.set(path, (known ?? this.#files.get(path) ?? new Set()).add(permission));
  }

  #put<Value>(into: Map<string, Value>, key: string, value: Value, bound: number): void {
    if (into.size < bound || into.has(key)) into.set(key, value);
    else this.#complete = false;
  }
}

const FAMILIES: Record<number, string> = { 1: "unix", 2: "inet", 10: "inet6", 16: "netlink", 17: "packet", 38: "alg", 40: "vsock" };
const TYPES: Record<number, string> = { 1: "stream", 2: "dgram", 3: "raw", 4: "rdm", 5: "seqpacket" };

/** Calls of two paths without directories have the working directory for both; the others have them in the arguments 0 and 2. */
function haveOneDirectory(event: EventView): boolean {
  return !(bareName(event.word(EVENT.number)) ?? "").includes("at") || event.low(0) === event.low(2);
}
