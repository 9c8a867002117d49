import * as linux from "./constants.ts";
import { allow, type Entry, eq } from "./profile.ts";

/**
 * What the floor refuses and vArmor's own rules name: an operator may let policies lift it (host.permissive). Everything else that
 * the floor refuses (foreign ABIs, unknown numbers, kernel modules, kexec, keys, io_uring, perf...) no policy can have.
 */
export type Family = "mounts" | "user-namespaces" | "tracing" | "bpf" | "userfaultfd" | "sockets" | "roots";

export const FAMILIES: Readonly<Record<Family, readonly Entry[]>> = {
  mounts: [allow("mount umount2 move_mount fsopen fsconfig fsmount fspick open_tree open_tree_attr mount_setattr pivot_root")],
  // clone3 goes on saying that it does not exist: its flags lie behind a pointer.
  "user-namespaces": [allow("clone unshare setns")],
  tracing: [allow("ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd")],
  bpf: [allow("bpf")],
  userfaultfd: [allow("userfaultfd")],
  sockets: [linux.AF_INET, linux.AF_INET6, linux.AF_NETLINK, linux.AF_PACKET, linux.AF_ALG].map((family) => allow("socket", eq(0, family))),
  roots: [allow("chroot sethostname setdomainname")],
};

export const ALL_FAMILIES = Object.keys(FAMILIES) as Family[];

/** The families that have calls of these names, conditions aside. */
export function familiesOf(names: readonly string[]): Family[] {
  return ALL_FAMILIES.filter((family) => family !== "sockets" && FAMILIES[family].some((entry) => entry.names.some((name) => names.includes(name))));
}
