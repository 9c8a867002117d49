/** The numbers of native/lsm/plastron-lsm.h; bpf-lsm.test.ts compares them with that file. */
export const LIMITS = { sets: 64, files: 512, sockets: 64, connects: 512, mounts: 128, ptraces: 16, capabilities: 64, tokens: 128 } as const;
export type TableName = "files" | "sockets" | "connects" | "mounts" | "ptraces";

export const FLAG = { deny: 1, report: 2 } as const;
export const FILE = { read: 1, write: 2, append: 4, exec: 8, copy: 16 } as const;
export const PTRACE = { trace: 1, read: 2, traceby: 4, readby: 8 } as const;
export const MOUNT = { rec: 0, new: 1, bind: 2, remount: 4, move: 8, umount: 16, private: 32, slave: 64, shared: 128, unbindable: 256 } as const;
export const GLOB = { end: 0, plain: 1, one: 2, any: 3, deep: 4, set: 5, between: 6 } as const;

/** linux/capability.h, by number. */
export const CAPABILITY_NUMBERS: ReadonlyMap<string, number> = new Map(
  (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw " +
    "ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease " +
    "audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
  )
    .split(" ")
    .map((name, number) => [name, number]),
);

/** Entries of one size, little endian, in the order they come. */
export class Table {
  private entries: Buffer[] = [];
  private size: number;

  constructor(size: number) {
    this.size = size;
  }

  get count(): number {
    return this.entries.length;
  }

  entry(write: (at: Cursor) => unknown): void {
    const bytes = Buffer.alloc(this.size);
    const at = new Cursor(bytes);
    write(at);
    if (!at.isFull()) throw new Error("an entry of a table is not as long as its layout says");
    this.entries.push(bytes);
  }

  bytes(): Buffer {
    return Buffer.concat(this.entries);
  }

  copy(): Table {
    const copy = new Table(this.size);
    copy.entries = [...this.entries];
    return copy;
  }
}

export class Cursor {
  private bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  u16(value: number): this {
    this.at = this.bytes.writeUInt16LE(value, this.at);
    return this;
  }

  u32(value: number): this {
    this.at = this.bytes.writeUInt32LE(value >>> 0, this.at);
    return this;
  }

  u64(value: bigint): this {
    this.at = this.bytes.writeBigUInt64LE(value, this.at);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
    return this;
  }

  /** Padded with zeros to `length`. */
  text(text: string, length: number): this {
    this.bytes.write(text, this.at, length, "utf8");
    this.at += length;
    return this;
  }

  isFull(): boolean {
    return this.at === this.bytes.length;
  }
}
