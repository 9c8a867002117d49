import { statfsSync } from "node:fs";
import type { HostFacts } from "@plastron/contracts";

const OVERLAYFS_MAGIC = 0x794c7630;

/**
 * What a guest's kernel honours, for the policy compiler: seccomp filters without notification, masks, noexec mounts, no
 * capabilities, and nothing that hangs on the host's kernel (Landlock, cgroup programs, security modules). Not whether this host can
 * boot a guest: the doctor and the first run say that.
 */
export function gvisorFacts(): HostFacts {
  return {
    driver: "gvisor",
    arch: process.arch === "arm64" ? "aarch64" : "x86_64",
    tier: 3,
    landlock_abi: 0,
    user_namespaces: true,
    root_on_overlay: statfsSync("/usr").type === OVERLAYFS_MAGIC,
    cgroup: true,
    notify: false,
    hooks: false,
    sensor: false,
    egress: false,
    lsm: [],
    permissive: false,
    cluster: null,
  };
}
