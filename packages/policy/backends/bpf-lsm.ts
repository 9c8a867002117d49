import type { Intent, Order } from "../orders/order.ts";
import { bpfConnects } from "./bpf-lsm-connect.ts";
import { encodeGlob, SetTable } from "./bpf-lsm-glob.ts";
import { CAPABILITY_NUMBERS, FILE, FLAG, LIMITS, MOUNT, PTRACE, Table, type TableName } from "./bpf-lsm-layout.ts";
import type { BackendRow } from "./said.ts";

export interface BpfLsmTables {
  /** The table file that native/lsm/load.c reads (native/lsm/plastron-lsm.h has the layout). */
  tables: Uint8Array;
  /** What a record's `rule` number means: an index into this. */
  rules: readonly { rule: string; path: string }[];
  /** Orders of which the BPF LSM keeps less, more or nothing. */
  rows: BackendRow[];
}

/**
 * Orders → the tables of the BPF LSM object. An order that does not fit (a longer glob, more entries than a table has) is left
 * out as a whole and named in `rows`: half a rule would look like a whole one.
 */
export function bpfLsmTables(orders: readonly Order[]): BpfLsmTables {
  const writer = new Writer();
  const rows: BackendRow[] = [];
  const rules: { rule: string; path: string }[] = [];
  for (const order of orders) {
    const flags = (order.deny ? FLAG.deny : 0) | (order.audit ? FLAG.report : 0);
    if (flags === 0) continue;
    const notes = writer.add(order, rules.length, flags);
    rules.push({ rule: order.rule, path: order.path });
    for (const note of new Set(notes)) rows.push({ rule: order.rule, note });
  }
  return { tables: writer.file(), rules, rows };
}

/** What an order could not be written for, in words. */
class DoesNotFit extends Error {}

class Writer {
  private tables = newTables();
  private sets = new SetTable();
  private capabilities = new Map<number, { rule: number; flags: number }>();

  /** All of an order or nothing of it. */
  add(order: Order, rule: number, flags: number): string[] {
    const before = { tables: copyOf(this.tables), sets: this.sets.copy(), capabilities: new Map(this.capabilities) };
    try {
      return order.intents.flatMap((intent) => this.write(intent, rule, flags, order.deny));
    } catch (error) {
      if (!(error instanceof DoesNotFit || error instanceof RangeError)) throw error;
      Object.assign(this, before);
      return [`not enforced by the BPF LSM: ${error.message}`];
    }
  }

  file(): Uint8Array {
    const { files, sockets, connects, mounts, ptraces } = this.tables;
    const capabilities = new Table(8);
    for (let number = 0; number < LIMITS.capabilities; number++) {
      const entry = this.capabilities.get(number);
      capabilities.entry((at) => at.u32(entry?.rule ?? 0).u32(entry?.flags ?? 0));
    }
    const head = new Table(8 + 4 * 7);
    head.entry((at) => {
      at.text("PLASTLSM", 8).u32(1).u32(this.sets.count);
      for (const table of [files, sockets, connects, mounts, ptraces]) at.u32(table.count);
    });
    return Buffer.concat([head, capabilities, this.sets.table, files, sockets, connects, mounts, ptraces].map((table) => table.bytes()));
  }

  private write(intent: Intent, rule: number, flags: number, deny: boolean): string[] {
    switch (intent.kind) {
      case "file":
        return this.fileRule(intent, rule, flags, deny);
      case "file-list":
        throw new DoesNotFit("its tables hold what is denied, and this is a list of what is allowed");
      case "capability":
        return this.capability(intent.names, rule, flags);
      case "socket":
        return this.socket(intent, rule, flags);
      case "connect":
        for (const entry of bpfConnects(intent)) this.room("connects").entry((at) => entry(at.u32(rule).u32(flags)));
        return [];
      case "mount":
        return this.mount(intent, rule, flags);
      case "ptrace": {
        const permissions = intent.permissions.reduce((sum, permission) => sum | PTRACE[permission], 0);
        this.room("ptraces").entry((at) =>
          at
            .u32(rule)
            .u32(flags)
            .u32(permissions)
            .u32(intent.strict ? 1 : 0),
        );
        return [];
      }
      case "syscall":
        return ["security hooks do not see system calls: the seccomp profile has this rule"];
    }
  }

  private fileRule({ glob, permissions }: Extract<Intent, { kind: "file" }>, rule: number, flags: number, deny: boolean): string[] {
    let bits = permissions.reduce((sum, permission) => sum | FILE[permission], 0);
    if (permissions.includes("write")) bits |= FILE.append;
    if (permissions.includes("exec") && deny) bits |= FILE.copy;
    const encoded = encodeGlob(glob, this.sets);
    this.room("files").entry((at) => at.u32(rule).u32(flags).u32(bits).u32(0).raw(encoded));
    return [];
  }

  private capability(names: readonly string[], rule: number, flags: number): string[] {
    for (const name of names) {
      const number = CAPABILITY_NUMBERS.get(name);
      if (number === undefined) throw new DoesNotFit(`there is no capability ${JSON.stringify(name.slice(0, 40))}`);
      const known = this.capabilities.get(number);
      // One entry for each: a denial outweighs an observation, and the first of two equals stays.
      if (!known || ((known.flags & FLAG.deny) === 0 && (flags & FLAG.deny) !== 0)) this.capabilities.set(number, { rule, flags });
    }
    return [];
  }

  private socket({ families, types, protocols }: Extract<Intent, { kind: "socket" }>, rule: number, flags: number): string[] {
    if (families.some((family) => family > 63) || types.some((type) => type > 15)) throw new DoesNotFit("a socket family above 63 or type above 15");
    for (let first = 0; first === 0 || first < protocols.length; first += 8) {
      const some = protocols.slice(first, first + 8);
      this.room("sockets").entry((at) => {
        at.u32(rule).u32(flags);
        at.u64(families.reduce((sum, family) => sum | (1n << BigInt(family)), 0n));
        at.u32(types.reduce((sum, type) => sum | (1 << type), 0)).u32(some.length);
        for (let i = 0; i < 8; i++) at.u16(some[i] ?? 0);
      });
    }
    return [];
  }

  private mount({ source, fstype, flags: kinds }: Extract<Intent, { kind: "mount" }>, rule: number, flags: number): string[] {
    if (Buffer.byteLength(fstype) > 19) throw new DoesNotFit("the name of a file system has at most 19 bytes");
    const bits = kinds.reduce((sum, kind) => sum | MOUNT[kind], 0);
    // `rec` only says how far another kind reaches.
    if (bits === 0) return [];
    // `/proc/**` is /proc too: who mounts the whole mounts what is in it.
    const sources = source.endsWith("/**") && source !== "/**" ? [source, source.slice(0, -3)] : [source];
    for (const glob of sources.map((each) => encodeGlob(each, this.sets))) {
      const type = fstype === "none" ? "*" : fstype;
      this.room("mounts").entry((at) => at.u32(rule).u32(flags).u32(bits).text(type, 20).raw(glob));
    }
    const named = source !== "**" && source !== "/**" && kinds.some((kind) => kind === "bind" || kind === "move");
    return named ? ["the source of a bind is known by the name that was given: a symbolic link to it is another name"] : [];
  }

  private room(name: TableName): Table {
    const table = this.tables[name];
    if (table.count >= LIMITS[name]) throw new DoesNotFit(`more than ${LIMITS[name]} entries of ${name}`);
    return table;
  }
}

const SIZES: Record<TableName, number> = { files: 276, sockets: 40, connects: 112, mounts: 292, ptraces: 16 };

function newTables(): Record<TableName, Table> {
  const make = (name: TableName) => new Table(SIZES[name]);
  return { files: make("files"), sockets: make("sockets"), connects: make("connects"), mounts: make("mounts"), ptraces: make("ptraces") };
}

function copyOf(tables: Record<TableName, Table>): Record<TableName, Table> {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, table.copy()])) as Record<TableName, Table>;
}
