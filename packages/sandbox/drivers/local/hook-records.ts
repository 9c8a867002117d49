import { readFileSync, readlinkSync } from "node:fs";
import { type Confinement, UNSEEN, type Violation, type ViolationEvent } from "@plastron/contracts";

/** Bytes of one record (contracts/watch.ts), and where it names the cgroup. */
export const RECORD_BYTES = 72;
const CGROUP = 48;
const KIND = { destination: 0 } as const;
const FAMILIES: Record<number, string> = { 2: "AF_INET", 10: "AF_INET6" };
const TYPES: Record<number, string> = { 1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 5: "SOCK_SEQPACKET", 6: "SOCK_DCCP" };
/** linux/in.h */
const PROTOCOLS: Record<number, string> = {
  0: "IPPROTO_IP",
  1: "IPPROTO_ICMP",
  6: "IPPROTO_TCP",
  17: "IPPROTO_UDP",
  33: "IPPROTO_DCCP",
  58: "IPPROTO_ICMPV6",
  132: "IPPROTO_SCTP",
  136: "IPPROTO_UDPLITE",
  255: "IPPROTO_RAW",
  262: "IPPROTO_MPTCP",
};

/** Inode number of the cgroup that the record's process was in. */
export const cgroupOf = (record: Buffer): bigint => record.readBigUInt64LE(CGROUP);

/**
 * What a record says, as a violation of the confinement's rule; null where it names no rule that the confinement has.
 * `mountNamespace` is its sandbox's, for a process that has ended since.
 */
export function violationOf(record: Buffer, confinement: Confinement, at: string, mountNamespace: number | null = null): Violation | null {
  const word = (offset: number) => record.readUInt32LE(offset);
  const rule = confinement.rules[word(0)];
  if (!rule) return null;
  const pid = word(8);
  return {
    rule_id: rule.id,
    rule_path: rule.path,
    enforcer: rule.enforcer,
    action: word(4) === 1 ? "DENIED" : "AUDIT",
    event: eventOf(record),
    pid,
    comm: record.toString("utf8", 56, RECORD_BYTES).replace(/\0.*$/s, ""),
    mnt_ns_id: namespaceOf(pid, "mnt") ?? mountNamespace,
    at,
    ...UNSEEN,
  };
}

function eventOf(record: Buffer): ViolationEvent {
  const word = (offset: number) => record.readUInt32LE(offset);
  const [family, type, protocol, port, kind] = [word(12), word(16), word(20), word(24), word(28)];
  if (kind === KIND.destination)
    return { operation: "Network", type: "connect", ip: family === 2 ? record.subarray(32, 36).join(".") : textOf(record.subarray(32, 48)), port };
  return {
    operation: "Network",
    type: "socket",
    domain: FAMILIES[family] ?? String(family),
    socketType: TYPES[type] ?? String(type),
    protocol: PROTOCOLS[protocol] ?? String(protocol),
  };
}

/** RFC 5952, with the last 32 bits of a mapped address as IPv4. */
function textOf(bytes: Buffer): string {
  if (bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff) return `::ffff:${bytes.subarray(12).join(".")}`;
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  const runs = [
    ...groups
      .map((each) => (each === 0 ? "0" : "x"))
      .join("")
      .matchAll(/00+/g),
  ];
  const longest = runs.sort((one, other) => other[0].length - one[0].length)[0]; // the first of equals: the order is kept
  const hex = groups.map((each) => each.toString(16));
  if (!longest) return hex.join(":");
  return `${hex.slice(0, longest.index).join(":")}::${hex.slice(longest.index + longest[0].length).join(":")}`;
}

/**
 * Mount namespace of the sandbox whose processes are in this cgroup; null where none is there any more. Its watcher is in the
 * cgroup too, and may be in a mount namespace of ours: what is of the sandbox is in another pid namespace.
 */
export function mountNamespaceIn(cgroup: string): number | null {
  const ours = namespaceOf("self", "pid");
  const inside = processesIn(cgroup).find((pid) => (namespaceOf(pid, "pid") ?? ours) !== ours);
  return inside === undefined ? null : namespaceOf(inside, "mnt");
}

function processesIn(cgroup: string): number[] {
  try {
    return readFileSync(`${cgroup}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Inode number; null where the process has ended. */
function namespaceOf(pid: number | "self", kind: "mnt" | "pid"): number | null {
  try {
    return Number(/\d+/.exec(readlinkSync(`/proc/${pid}/ns/${kind}`))?.[0]);
  } catch {
    return null;
  }
}
