import type { Denial, Violation, ViolationEvent } from "@plastron/contracts";

const DESTINATION = ["connect", "sendto", "sendmsg", "sendmmsg"];
const SOCKET = ["socket", "socketpair", "bind", "listen"];
const TRACE = ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise"];
const MOUNT = ["mount", "umount2", "umount", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "pivot_root", "mount_setattr"];
const EXEC = ["execve", "execveat"];

/**
 * Whether the call that the sensor saw denied is the one that a rule's enforcer recorded. Enforcers name the thread, the sensor
 * names the process: where the pids differ, the name of the thread and the thing itself must be the same.
 */
export function isSameAct(violation: Violation, denial: Denial): boolean {
  if (violation.action !== "DENIED" || !isCallOf(violation.event, denial)) return false;
  return violation.pid === denial.pid || (violation.comm !== "" && violation.comm === denial.comm && isSameThing(violation.event, denial));
}

function isCallOf(event: ViolationEvent, { call, path, to }: Denial): boolean {
  switch (event.operation) {
    case "Syscall":
      return event.syscall === call;
    case "File":
      return path !== null && !EXEC.includes(call);
    case "Bprm":
      return EXEC.includes(call);
    case "Mount":
      return MOUNT.includes(call);
    case "Ptrace":
      return TRACE.includes(call);
    case "Capability":
      return true;
    case "Network":
      if (event.type === "socket") return SOCKET.includes(call);
      return event.type === "connect" && DESTINATION.includes(call) && (to === null || (to.port === event.port && sameAddress(to.address, event.ip)));
  }
}

function isSameThing(event: ViolationEvent, { path, to, arguments: registers }: Denial): boolean {
  if (event.operation === "File" || event.operation === "Bprm") return event.path === path;
  if (event.operation === "Network" && event.type === "connect") return to !== null;
  if (event.operation === "Syscall") return event.arguments.every((value, i) => BigInt(value) === BigInt(registers[i] ?? "0"));
  return true;
}

/** One of them may write an IPv4 address as it is mapped into IPv6. */
const sameAddress = (one: string, other: string): boolean => one.replace(/^::ffff:/i, "") === other.replace(/^::ffff:/i, "");
