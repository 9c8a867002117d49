import { DECIDING_ARGUMENTS } from "@plastron/contracts";
import { COMPAT, NATIVE, type Names } from "./names.ts";

/** Kinds of calls that are more than counted: `enum call_kind` of native/bpf/layout.h. */
export const KIND = { plain: 0, open: 1, connect: 2, bind: 3, send: 4, sendmsg: 5, execve: 6, forking: 7, change: 8, socket: 9, openat2: 10 } as const;

/** Numbers of one table, as in layout.h. */
export const CALLS = 512;

/** Where a call has its paths (p, q), the directories these begin in (d, e), an address and its length (a, n): argument indices. */
interface Shape {
  kind: keyof typeof KIND;
  p?: number;
  d?: number;
  q?: number;
  e?: number;
  a?: number;
  n?: number;
}

export type Change = "create" | "delete" | "rename" | "link" | "write";
const change = (p: number, d?: number, q?: number, e?: number): Shape => ({
  kind: "change",
  p,
  ...(d === undefined ? {} : { d }),
  ...(q === undefined ? {} : { q, e }),
});
const looks = (p: number, d?: number): Shape => ({ kind: "plain", p, ...(d === undefined ? {} : { d }) });

const SHAPES: Record<string, Shape> = {
  open: { kind: "open", p: 0 },
  creat: { kind: "open", p: 0 },
  openat: { kind: "open", d: 0, p: 1 },
  openat2: { kind: "openat2", d: 0, p: 1 },
  open_by_handle_at: { kind: "open" },
  connect: { kind: "connect", a: 1, n: 2 },
  bind: { kind: "bind", a: 1, n: 2 },
  sendto: { kind: "send", a: 4, n: 5 },
  sendmsg: { kind: "sendmsg", a: 1 },
  sendmmsg: { kind: "sendmsg", a: 1 },
  execve: { kind: "execve", p: 0 },
  execveat: { kind: "execve", d: 0, p: 1 },
  fork: { kind: "forking" },
  vfork: { kind: "forking" },
  clone: { kind: "forking" },
  clone3: { kind: "forking" },
  socket: { kind: "socket" },
  mkdir: change(0),
  mkdirat: change(1, 0),
  mknod: change(0),
  mknodat: change(1, 0),
  rmdir: change(0),
  unlink: change(0),
  unlinkat: change(1, 0),
  rename: change(0, undefined, 1),
  renameat: change(1, 0, 3, 2),
  renameat2: change(1, 0, 3, 2),
  link: change(0, undefined, 1),
  linkat: change(1, 0, 3, 2),
  symlink: change(1),
  symlinkat: change(2, 1),
  truncate: change(0),
  chmod: change(0),
  fchmodat: change(1, 0),
  fchmodat2: change(1, 0),
  chown: change(0),
  lchown: change(0),
  fchownat: change(1, 0),
  utime: change(0),
  utimes: change(0),
  utimensat: change(1, 0),
  futimesat: change(1, 0),
  setxattr: change(0),
  lsetxattr: change(0),
  removexattr: change(0),
  lremovexattr: change(0),
  stat: looks(0),
  lstat: looks(0),
  newfstatat: looks(1, 0),
  statx: looks(1, 0),
  access: looks(0),
  faccessat: looks(1, 0),
  faccessat2: looks(1, 0),
  readlink: looks(0),
  readlinkat: looks(1, 0),
  chdir: looks(0),
  chroot: looks(0),
  getxattr: looks(0),
  lgetxattr: looks(0),
  listxattr: looks(0),
  statfs: looks(0),
  mount: { kind: "plain", p: 1, q: 0 },
  umount2: looks(0),
  pivot_root: { kind: "plain", p: 0, q: 1 },
  swapon: looks(0),
  swapoff: looks(0),
  acct: looks(0),
  uselib: looks(0),
  quotactl: looks(1),
  name_to_handle_at: looks(1, 0),
  open_tree: looks(1, 0),
  move_mount: { kind: "plain", d: 0, p: 1, e: 2, q: 3 },
  fspick: looks(1, 0),
  inotify_add_watch: looks(1),
  fanotify_mark: looks(4, 3),
};

/** What a call that changes a tree does to its path, and to its second one. */
export const CHANGES: Record<string, [Change, Change?]> = {
  mkdir: ["create"],
  mkdirat: ["create"],
  mknod: ["create"],
  mknodat: ["create"],
  symlink: ["create"],
  symlinkat: ["create"],
  rmdir: ["delete"],
  unlink: ["delete"],
  unlinkat: ["delete"],
  rename: ["rename", "rename"],
  renameat: ["rename", "rename"],
  renameat2: ["rename", "rename"],
  link: ["link", "create"],
  linkat: ["link", "create"],
};

/** What a number is called; `ia32:5` through the 32-bit entry, where names would be taken for native ones. */
export function callName(index: number): string {
  if (index < CALLS) return NATIVE[index] ?? String(index);
  return `ia32:${COMPAT[index - CALLS] ?? index - CALLS}`;
}

/** The bare name, of either table. */
export const bareName = (index: number): string | undefined => (index < CALLS ? NATIVE[index] : COMPAT[index - CALLS]);

/** The table that the kernel's side looks each call up in: eight bytes of each number, of `struct call`. */
export function callTable(): Uint8Array {
  const table = new Uint8Array(2 * CALLS * 8);
  fill(table, 0, NATIVE);
  fill(table, CALLS, COMPAT);
  return table;
}

function fill(table: Uint8Array, first: number, names: Names): void {
  names.forEach((name, number) => {
    if (name === undefined || number >= CALLS) return;
    const { kind, p = -1, d = -1, q = -1, e = -1, a = -1, n = -1 } = SHAPES[name] ?? { kind: "plain" };
    const mask = (DECIDING_ARGUMENTS[name] ?? []).reduce((bits, index) => bits | (1 << index), 0);
    table.set([KIND[kind], p + 1, d + 1, q + 1, e + 1, a + 1, n + 1, mask], (first + number) * 8);
  });
}

/** The kind of each index, for the reader. */
export function kinds(): Uint8Array {
  const table = callTable();
  return Uint8Array.from({ length: 2 * CALLS }, (_, index) => table[index * 8] as number);
}

/** Of each index a bit for each argument that decides what the call does. */
export function deciding(): Uint8Array {
  const table = callTable();
  return Uint8Array.from({ length: 2 * CALLS }, (_, index) => table[index * 8 + 7] as number);
}
