import { constants } from "node:os";
import { bytesIn, numberIn, readFields, textIn, textsIn } from "./protobuf.ts";

/** What one message of the guest's kernel says (gVisor, pkg/sentry/seccheck/points). Threads are counted as the guest counts them. */
export type GuestEvent = { thread: number; process: number; comm: string; atNs: number } & (
  | { kind: "clone"; thread_created: number; process_created: number }
  | { kind: "exec"; path: string; argv: string[] }
  | { kind: "exec-failed"; path: string; argv: string[]; errno: string }
  | { kind: "exit"; status: number }
  | { kind: "open"; path: string; flags: number; errno: string | null }
  | { kind: "connect" | "bind"; address: Uint8Array; errno: string | null }
  | { kind: "refused"; errno: string }
);

/** Numbers of message types, as runsc 2022 and later has them (points/common.proto). */
const TYPE = { clone: 2, exec: 3, exit: 4, open: 7, connect: 10, execve: 11, bind: 24 } as const;
const COMMON = { time: 1, thread: 2, process: 4, cwd: 8, comm: 9 } as const;
/** u16 header size, u16 type, u32 dropped. */
const HEADER = 8;

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

/** Undefined for a message of a kind that is not asked for, and for bytes that are none. `dropped`: that the guest's kernel could not send. */
export function readMessage(bytes: Uint8Array): { event: GuestEvent | undefined; dropped: number } | undefined {
  if (bytes.length < HEADER) return undefined;
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = head.getUint16(0, true);
  if (size < HEADER || size > bytes.length) return undefined;
  return { event: eventOf(head.getUint16(2, true), bytes.subarray(size)), dropped: head.getUint32(4, true) };
}

function eventOf(type: number, body: Uint8Array): GuestEvent | undefined {
  const fields = readFields(body);
  const common = readFields(bytesIn(fields, 1) ?? new Uint8Array());
  const who = {
    thread: numberIn(common, COMMON.thread) ?? 0,
    process: numberIn(common, COMMON.process) ?? 0,
    comm: textIn(common, COMMON.comm),
    atNs: numberIn(common, COMMON.time) ?? 0,
  };
  const exit = readFields(bytesIn(fields, 2) ?? new Uint8Array());
  const number = numberIn(exit, 2);
  const errno = number ? (ERRNO_NAMES.get(number) ?? String(number)) : null;
  switch (type) {
    case TYPE.clone:
      return { ...who, kind: "clone", thread_created: numberIn(fields, 3) ?? 0, process_created: numberIn(fields, 4) ?? 0 };
    case TYPE.exec:
      return { ...who, kind: "exec", path: textIn(fields, 2), argv: textsIn(fields, 3) };
    case TYPE.execve:
      return errno === null ? undefined : { ...who, kind: "exec-failed", path: textIn(fields, 6), argv: textsIn(fields, 7), errno };
    case TYPE.exit:
      return { ...who, kind: "exit", status: numberIn(fields, 2) ?? 0 };
    case TYPE.open:
      return { ...who, kind: "open", path: absolute(textIn(common, COMMON.cwd), textIn(fields, 5), textIn(fields, 6)), flags: numberIn(fields, 7) ?? 0, errno };
    case TYPE.connect:
    case TYPE.bind:
      return { ...who, kind: type === TYPE.bind ? "bind" : "connect", address: bytesIn(fields, 6) ?? new Uint8Array(), errno };
    default:
      return errno === null ? undefined : { ...who, kind: "refused", errno };
  }
}

/** A path is asked for below a directory, or else below where the process is. */
function absolute(cwd: string, directory: string, path: string): string {
  if (path.startsWith("/")) return path;
  return `${directory || cwd || ""}/${path}`.replace(/^([^/])/, "/$1");
}
