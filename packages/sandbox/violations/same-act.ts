import type { Denial, Violation, ViolationEvent } from "@plastron/contracts";

const DESTINATION = ["connect", "sendto", "sendmsg", "sendmmsg"];
const SOCKET = ["socket", "socketpair", "bind", "listen"];
const TRACE = ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise"];
const MOUNT = ["mount", "umount2", "umount", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "pivot_root", "mount_setattr"];
const EXEC = ["execve", "execveat"];

/**
 * Whether the call that the sensor saw denied is the one that a rule's enforcer recorded. `same`: of the same program, and the same
 * thing. `likely`: a call of the same process that can be it; what it was about is not in both, or is written in another way (a
 * link's path and the file's).
 */
export function compareActs(violation: Violation, denial: Denial): "same" | "likely" | "other" {
  if (violation.action !== "DENIED" || !isCallOf(violation.event, denial)) return "other";
  const thing = isSameThing(violation.event, denial);
  /* Enforcers name the thread, the sensor names the process. */
  const isSameProgram = violation.pid === denial.pid || (violation.comm !== "" && violation.comm === denial.comm);
  if (isSameProgram && thing === true) return "same";
  return violation.pid === denial.pid && thing !== false ? "likely" : "other";
}

function isCallOf(event: ViolationEvent, { call, path }: Denial): boolean {
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
      return event.type === "http" ? false : (event.type === "socket" ? SOCKET : DESTINATION).includes(call);
  }
}

/** Null: it cannot be told. */
function isSameThing(event: ViolationEvent, { path, to, arguments: registers }: Denial): boolean | null {
  switch (event.operation) {
    case "Syscall":
      return event.arguments.every((value, i) => BigInt(value) === BigInt(registers[i] ?? "0"));
    case "File":
    case "Bprm":
    case "Mount":
      return event.path === path ? true : null;
    case "Network":
      if (event.type !== "connect" || to === null) return null;
      return to.port === event.port && unmapped(to.address) === unmapped(event.ip);
    default:
      return null;
  }
}

/** One of them may write an IPv4 address as it is mapped into IPv6. */
const unmapped = (address: string): string => address.replace(/^::ffff:/i, "");
