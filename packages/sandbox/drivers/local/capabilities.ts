import type { Confinement } from "@plastron/contracts";
import type { SpecRecord } from "./spec.ts";

/** linux/capability.h, in the order of its numbers. */
const NAMES =
  "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore".split(
    " ",
  );

/**
 * What a permissive policy lets a program keep, inside its own namespaces (native/lockdown.h). With a way out the network stays the
 * platform's, whose relay is in it: capabilities over networks then mean nothing. Throws RangeError for a name that is none.
 */
export function capabilityRecords({ capabilities, network, weak }: Confinement): SpecRecord[] {
  const records = capabilities.map((name): SpecRecord => {
    const number = NAMES.indexOf(name);
    if (number < 0) throw new RangeError(`there is no capability ${name}`);
    return ["capability", number];
  });
  const own = records.length > 0 && network === null && weak?.network_namespace === undefined;
  return own ? [...records, ["own-network"]] : records;
}
