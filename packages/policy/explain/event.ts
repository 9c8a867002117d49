import { mountFlagNames, type ViolationEvent } from "@plastron/contracts";
import { capabilityCalls } from "../lower/capability-calls.ts";
import { operationOf } from "../lower/rule-table.ts";
import { DOMAINS, TYPES } from "../raw/socket-names.ts";
import { SOCK_TYPE_MASK } from "../seccomp/constants.ts";
import type { Call } from "./call.ts";
import { missingCapability } from "./capabilities.ts";
import type { Cause } from "./explanation.ts";
import { speaksOf } from "./filter.ts";

/** What happened, in the shape that vArmor's record of that rule has, made from the call alone. */
export function eventOf(call: Call, { part }: Cause): ViolationEvent {
  const { denial, path } = call;
  const capability = missingCapability(call);
  if (capability !== null) return { operation: "Capability", capability };
  if (denial.to && denial.to.family !== "unix") return { operation: "Network", type: "connect", ip: denial.to.address, port: denial.to.port };
  if (path !== null) return fileEvent(call, path);
  const [intent] = part?.order.intents ?? [];
  const { operation, subject } = intent ? operationOf(intent) : { operation: "syscall", subject: "" };
  if (intent?.kind === "capability") {
    const used = intent.names.find((name) => speaksOf(capabilityCalls([name]), call));
    return { operation: "Capability", capability: used ?? subject };
  }
  if (operation === "network" && /^socket(pair)?$/.test(denial.call)) return socketEvent(call);
  if (operation === "ptrace") return { operation: "Ptrace", permissions: READS.includes(denial.call) ? ["read"] : ["trace"], external: false };
  if (operation === "mount") return { operation: "Mount", path: denial.path ?? "", type: "", flags: mountFlagNames(call.denial.call, call.words[3] ?? 0n) };
  return { operation: "Syscall", syscall: denial.call, arguments: [...denial.arguments] };
}

const READS = ["process_vm_readv", "pidfd_getfd"];

/** A mount's path is what is mounted; such a call says so by its own name. */
function fileEvent(call: Call, path: string): ViolationEvent {
  const { denial, wanted } = call;
  if (/^(mount|umount2|move_mount|open_tree|open_tree_attr|fspick|mount_setattr|pivot_root)$/.test(denial.call))
    return { operation: "Mount", path, type: "", flags: mountFlagNames(call.denial.call, call.words[3] ?? 0n) };
  if (wanted.length === 0) return { operation: "Syscall", syscall: denial.call, arguments: [...denial.arguments] };
  return { operation: wanted.includes("exec") ? "Bprm" : "File", path, permissions: [...wanted] };
}

function socketEvent({ words }: Call): ViolationEvent {
  const [family, type, protocol] = [0, 1, 2].map((index) => Number((words[index] ?? 0n) & 0xffff_ffffn)) as [number, number, number];
  return {
    ...{ operation: "Network", type: "socket" },
    domain: named("AF_", DOMAINS, family),
    socketType: named("SOCK_", TYPES, type & SOCK_TYPE_MASK),
    protocol: PROTOCOLS[protocol] ?? String(protocol),
  };
}

const PROTOCOLS: Record<number, string> = {
  ...{ 0: "IPPROTO_IP", 1: "IPPROTO_ICMP", 6: "IPPROTO_TCP", 17: "IPPROTO_UDP", 58: "IPPROTO_ICMPV6", 132: "IPPROTO_SCTP" },
  ...{ 136: "IPPROTO_UDPLITE", 255: "IPPROTO_RAW", 262: "IPPROTO_MPTCP" },
};

function named(prefix: string, names: Readonly<Record<string, number>>, value: number): string {
  const name = Object.entries(names).find(([, number]) => number === value)?.[0];
  return name === undefined ? String(value) : `${prefix}${name.toUpperCase()}`;
}
