import { bindsLowPort } from "./addresses.ts";
import type { Call } from "./call.ts";

/**
 * Calls that the filter lets pass and the kernel refuses for want of a capability (capabilities(7)), by the error that only this
 * gives. Calls that may fail so for another reason (kill, chmod, ioctl) are not among them.
 */
const NEEDED: Readonly<Record<string, string>> = {
  chown: "chown",
  fchown: "chown",
  fchownat: "chown",
  lchown: "chown",
  mlock: "ipc_lock",
  mlock2: "ipc_lock",
  mlockall: "ipc_lock",
  prlimit64: "sys_resource",
  setrlimit: "sys_resource",
  sched_setattr: "sys_nice",
  sched_setparam: "sys_nice",
  sched_setscheduler: "sys_nice",
  setfsgid: "setgid",
  setfsuid: "setuid",
  setgid: "setgid",
  setgroups: "setgid",
  setregid: "setgid",
  setresgid: "setgid",
  setresuid: "setuid",
  setreuid: "setuid",
  setuid: "setuid",
};

/** The capability for want of which the kernel refused the call; null where it is not sure to be that. */
export function missingCapability(call: Call): string | null {
  const { denial } = call;
  if (bindsLowPort(call)) return "net_bind_service";
  if (denial.call === "setpriority") return denial.errno === "EACCES" ? "sys_nice" : null;
  return denial.errno === "EPERM" && Object.hasOwn(NEEDED, denial.call) ? (NEEDED[denial.call] as string) : null;
}
