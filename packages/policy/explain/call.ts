import type { Denial } from "@plastron/contracts";
import type { Permission } from "../orders/order.ts";

/** What a call that was denied had asked for, as far as its registers tell. */
export interface Call {
  denial: Denial;
  words: readonly bigint[];
  /** Absolute and without detours, as asked for; null where the call takes none or it is not known. */
  path: string | null;
  /** What it wanted of the path. */
  permissions: readonly Permission[];
  /** What vArmor would call that. */
  wanted: readonly ("read" | "write" | "append" | "exec" | "create" | "rename" | "link")[];
}

export function callOf(denial: Denial): Call {
  const words = denial.arguments.map(word);
  const path = pathOf(denial);
  return { denial, words, path, ...asked(denial.call, words) };
}

function word(text: string): bigint {
  return /^(0x)?[0-9a-f]{1,16}$/i.test(text) ? BigInt(text.startsWith("0x") || text.startsWith("0X") ? text : `0x${text}`) : 0n;
}

/** A unix socket is reached by its path, which is then what the rule is about. */
function pathOf({ path, to }: Denial): string | null {
  const given = path ?? (to?.family === "unix" ? to.address : null);
  return given?.startsWith("/") ? plain(given) : null;
}

/** `/proc/self/root/../root//etc/x` → `/etc/x`: by its text alone, since nobody can look any more. */
export function plain(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
    if (names.length === 3 && names[0] === "proc" && names[2] === "root") names.length = 0;
  }
  return `/${names.join("/")}`;
}

type Asked = Pick<Call, "permissions" | "wanted">;

const O = { ACCMODE: 3n, CREAT: 0o100n, TRUNC: 0o1000n, APPEND: 0o2000n } as const;
const PROT_EXEC = 4n;
const ACCESS = { EXEC: 1n, WRITE: 2n, READ: 4n } as const;

const READING =
  "readlink readlinkat getdents getdents64 chdir fchdir statfs inotify_add_watch listxattr llistxattr getxattr lgetxattr stat lstat newfstatat statx name_to_handle_at";
const CHANGING =
  "truncate chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr unlink unlinkat rmdir";
const MAKING = "mkdir mkdirat mknod mknodat symlink symlinkat bind";
const BY_NAME: ReadonlyMap<string, Asked> = new Map([
  ...named(READING, { permissions: ["read"], wanted: ["read"] }),
  ...named(CHANGING, { permissions: ["write", "append"], wanted: ["write"] }),
  ...named(MAKING, { permissions: ["write", "append"], wanted: ["create"] }),
  ...named("connect sendto sendmsg", { permissions: ["write"], wanted: ["write"] }),
  // A file whose content may not be read must not get a name under which it may.
  ...named("rename renameat renameat2", { permissions: ["read", "write", "append"], wanted: ["rename"] }),
  ...named("link linkat", { permissions: ["read", "write", "append"], wanted: ["link"] }),
  ...named("execve execveat", { permissions: ["exec"], wanted: ["exec"] }),
]);

function named(names: string, asks: Asked): [string, Asked][] {
  return names.split(" ").map((name) => [name, asks]);
}

function asked(call: string, words: readonly bigint[]): Asked {
  const at = (index: number): bigint => words[index] ?? 0n;
  switch (call) {
    case "open":
      return opening(at(1));
    case "openat":
      return opening(at(2));
    case "creat":
      return { permissions: ["write", "append"], wanted: ["write", "create"] };
    case "access":
      return checking(at(1));
    case "faccessat":
    case "faccessat2":
      return checking(at(2));
    case "mmap":
    case "mprotect":
      return (at(2) & PROT_EXEC) === 0n ? NOTHING : { permissions: ["exec"], wanted: ["exec"] };
    default:
      return BY_NAME.get(call) ?? NOTHING;
  }
}

const NOTHING: Asked = { permissions: [], wanted: [] };

function opening(flags: bigint): Asked {
  const mode = flags & O.ACCMODE;
  const writes = mode !== 0n || (flags & O.TRUNC) !== 0n;
  const reads = mode === 0n || mode === 2n;
  const appends = writes && (flags & O.APPEND) !== 0n;
  return {
    permissions: [...(reads ? (["read"] as const) : []), ...(writes ? (["write"] as const) : []), ...(appends ? (["append"] as const) : [])],
    wanted: [
      ...(reads ? (["read"] as const) : []),
      ...(writes && !appends ? (["write"] as const) : []),
      ...(appends ? (["append"] as const) : []),
      ...((flags & O.CREAT) !== 0n ? (["create"] as const) : []),
    ],
  };
}

function checking(mode: bigint): Asked {
  const all = [
    ...((mode & ACCESS.READ) !== 0n ? (["read"] as const) : []),
    ...((mode & ACCESS.WRITE) !== 0n ? (["write"] as const) : []),
    ...((mode & ACCESS.EXEC) !== 0n ? (["exec"] as const) : []),
  ];
  return all.length === 0 ? { permissions: ["read"], wanted: ["read"] } : { permissions: all, wanted: all };
}
