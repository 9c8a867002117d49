import { mountFlagNames, UNSEEN, type Violation, type ViolationEvent, type WatchedRule } from "@plastron/contracts";
import { familyName, protocolName, socketTypeName } from "./names.ts";
import type { WatchRecord } from "./record.ts";

type Permission = Extract<ViolationEvent, { operation: "File" }>["permissions"][number];
const PERMISSIONS: [bit: number, name: Permission][] = [
  [1, "read"],
  [2, "write"],
  [4, "append"],
  [8, "exec"],
  [16, "create"],
  [32, "rename"],
  [64, "link"],
];

/**
 * What a watched call violated, in vArmor's shape for the kind of its rule. `syscall` is the call's name where it is known.
 * `undefined` for a rule that the confinement does not have: the record is then not of this sandbox.
 */
export function describeRecord(record: WatchRecord, rules: readonly WatchedRule[], syscall: string | undefined): Violation | undefined {
  const rule = rules[record.rule];
  if (!rule) return undefined;
  return {
    rule_id: rule.id,
    rule_path: rule.path,
    enforcer: rule.enforcer,
    action: record.denied ? "DENIED" : "AUDIT",
    event: eventOf(record, rule, syscall ?? `syscall_${record.number}`),
    pid: record.pid,
    comm: record.comm,
    mnt_ns_id: record.mountNamespace,
    at: new Date().toISOString(),
    ...UNSEEN,
  };
}

function eventOf(record: WatchRecord, rule: WatchedRule, syscall: string): ViolationEvent {
  const { arguments: registers, paths } = record;
  const int = (i: number) => Number((registers[i] ?? 0n) & 0xffff_ffffn);
  const permissions = PERMISSIONS.filter(([bit]) => record.permissions & bit).map(([, name]) => name);
  const call: ViolationEvent = { operation: "Syscall", syscall, arguments: registers.map((value) => `0x${value.toString(16)}`) };
  switch (rule.operation) {
    case "capability":
      return { operation: "Capability", capability: rule.subject };
    case "file":
      return !paths[0] ? call : { operation: "File", path: paths[0], permissions };
    case "bprm":
      return !paths[0] ? call : { operation: "Bprm", path: paths[0], permissions };
    case "network":
      /* A call about an open socket (setsockopt, sendto) has other arguments. */
      if (syscall !== "socket" && syscall !== "socketpair") return call;
      return {
        operation: "Network",
        type: "socket",
        domain: familyName(int(0)),
        socketType: socketTypeName(int(1)),
        protocol: protocolName(int(0), int(2)),
      };
    case "ptrace":
      return { operation: "Ptrace", permissions: syscall.startsWith("process_vm_readv") || syscall === "pidfd_getfd" ? ["read"] : ["trace"], external: false };
    case "mount":
      return { operation: "Mount", path: paths[0] ?? "", type: paths[1] ?? "", flags: mountFlagNames(syscall, registers[3] ?? 0n) };
    case "syscall":
      return call;
  }
}
