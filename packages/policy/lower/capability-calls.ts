import type { Order } from "../orders/order.ts";
import * as linux from "../seccomp/constants.ts";
import { anyBits, deny, type Entry, eq, maskedEq, not } from "../seccomp/profile.ts";
import { recorded } from "./recorded.ts";
import type { RuleTable } from "./rule-table.ts";

const socketOf = (family: number, ...more: Entry["when"]): Entry => deny("socket", eq(0, family), ...more);
const RAW = maskedEq(1, linux.SOCK_TYPE_MASK, linux.SOCK_RAW);

/**
 * Calls that need the capability whatever their other arguments are (capabilities(7)). A seccomp filter does not see the check of
 * a capability, so these stand for its use in records. A capability without a line is refused all the same and not recorded.
 */
const CALLS: Readonly<Record<string, readonly Entry[]>> = {
  audit_control: [socketOf(linux.AF_NETLINK, eq(2, linux.NETLINK_AUDIT))],
  audit_write: [socketOf(linux.AF_NETLINK, eq(2, linux.NETLINK_AUDIT))],
  bpf: [deny("bpf", eq(0, linux.BPF_PROG_LOAD))],
  dac_read_search: [deny("open_by_handle_at")],
  mknod: [linux.S_IFCHR, linux.S_IFBLK].flatMap((type) => [deny("mknod", maskedEq(1, linux.S_IFMT, type)), deny("mknodat", maskedEq(2, linux.S_IFMT, type))]),
  net_raw: [socketOf(linux.AF_INET, RAW), socketOf(linux.AF_INET6, RAW), socketOf(linux.AF_PACKET)],
  perfmon: [deny("perf_event_open")],
  setgid: [deny("setgroups")],
  setpcap: [deny("prctl", eq(0, linux.PR_CAPBSET_DROP))],
  sys_admin: [
    deny("mount umount2 move_mount fsopen fsmount fspick mount_setattr open_tree_attr pivot_root setns sethostname setdomainname swapon swapoff"),
    deny("unshare", maskedEq(0, linux.CLONE_NEWUSER, 0), anyBits(0, linux.CLONE_NEW_ANY)),
    deny("clone", maskedEq(0, linux.CLONE_NEWUSER, 0), anyBits(0, linux.CLONE_NEW_ANY)),
  ],
  sys_boot: [deny("reboot kexec_load kexec_file_load")],
  sys_chroot: [deny("chroot")],
  sys_module: [deny("init_module finit_module delete_module")],
  sys_pacct: [deny("acct")],
  sys_rawio: [deny("ioperm", not(2, 0)), deny("iopl", not(0, 0))],
  sys_time: [deny("settimeofday clock_settime")],
  sys_tty_config: [deny("vhangup")],
  syslog: [deny("syslog", not(0, linux.SYSLOG_ACTION_SIZE_BUFFER), not(0, linux.SYSLOG_ACTION_READ_ALL))],
  wake_alarm: [linux.CLOCK_REALTIME_ALARM, linux.CLOCK_BOOTTIME_ALARM].map((clock) => deny("timer_create timerfd_create", eq(0, clock))),
};

/** Entries that record the use of these capabilities, and refuse it where the order denies. */
export function capabilityEntries(names: readonly string[], order: Order, table: RuleTable): Entry[] {
  return names.flatMap((name) =>
    (CALLS[name] ?? []).flatMap((entry) => recorded(entry, order.deny, table.of(order, { operation: "capability", subject: name }))),
  );
}

/** Calls that need one of these capabilities, as far as any always does. */
export const capabilityCalls = (names: readonly string[]): Entry[] => names.flatMap((name) => CALLS[name] ?? []);

/** Of these, what no record can tell of. */
export const unheardCapabilities = (names: readonly string[]): string[] => names.filter((name) => (CALLS[name] ?? []).length === 0);
