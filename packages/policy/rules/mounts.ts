import { everyMountBut, mountsOf } from "../orders/intents.ts";
import type { Intent } from "../orders/order.ts";
import * as linux from "../seccomp/constants.ts";
import { absent, anyBits, deny, type Entry } from "../seccomp/profile.ts";
import { mounting } from "./probes-kernel.ts";
import { mountingOwn } from "./probes-mounts.ts";
import type { Lifted, rulesOf } from "./rule.ts";

/** The whole family: a new mount API call is as good as mount(2). */
const MOUNT_CALLS = "mount move_mount fsopen fsconfig fsmount fspick open_tree open_tree_attr mount_setattr pivot_root";
export const MOUNT: Entry[] = [deny(MOUNT_CALLS)];
export const MOUNT_MECHANISM = "seccomp refuses the whole mount family; Landlock and missing capabilities refuse it again";
const ALL_MOUNTS = "every mount is refused, of any kind and anywhere";

/** What block devices are called. Upstream takes the names of the node's /proc/partitions; nothing of a host is read here. */
export const DISKS = ["sd*", "vd*", "xvd*", "hd*", "nvme*", "mmcblk*", "dm-*", "md*", "loop*", "nbd*", "sr*", "zram*", "ram*"].map((name) => `/dev/${name}`);

/** A namespace of this kind that is the program's own would let it mount the file system that belongs to it. */
const without = (flag: number): Entry[] => [deny("unshare", anyBits(0, flag)), deny("clone", anyBits(0, flag)), absent("clone3"), deny("setns")];

/**
 * Which file system a call of mount(2) names stands in memory, where it can change after it was looked at: so in a privileged
 * sandbox the kernel decides. It lets a user namespace mount only what is made for that, and proc and cgroup2 only with a pid or
 * cgroup namespace of its own.
 */
const inUserNamespace = (kind: string, types: readonly string[], entries: Entry[], note = ""): Lifted => ({
  demands: { denials: entries },
  mechanism: `the kernel refuses this file system to a user namespace${entries.length > 0 ? ", which can make no namespace that it would be given it for" : ""}`,
  fidelity: note === "" ? "by-construction" : "approximate",
  note,
  selfTests: [mountingOwn(`own-mount-${kind}`, types)],
});

interface Kind {
  intents: readonly Intent[];
  types: readonly string[];
  lifted: Lifted;
}

const KINDS: Readonly<Record<string, Kind>> = {
  procfs: {
    intents: mountsOf(["proc"], "/proc/**"),
    types: ["proc"],
    lifted: inUserNamespace("procfs", ["proc"], without(linux.CLONE_NEWPID), "the sandbox's own /proc, with its masks, can be shown in a second place"),
  },
  cgroupfs: {
    intents: mountsOf(["cgroup", "cgroup2"], "/sys/**"),
    types: ["cgroup", "cgroup2"],
    lifted: inUserNamespace("cgroupfs", ["cgroup", "cgroup2"], without(linux.CLONE_NEWCGROUP)),
  },
  securityfs: { intents: mountsOf(["securityfs"]), types: ["securityfs"], lifted: inUserNamespace("securityfs", ["securityfs"], []) },
  "disk-device": {
    intents: DISKS.map((source) => ({ ...everyMountBut("umount"), source })),
    types: ["ext4", "xfs"],
    lifted: inUserNamespace("disk-device", ["ext4", "xfs", "btrfs"], []),
  },
};

/** disallow-mount-*: one for each kind of file system that upstream names. */
export const mountRules: Parameters<typeof rulesOf>[1][number][] = Object.entries(KINDS).map(([kind, { intents, types, lifted }]) => ({
  name: `disallow-mount-${kind}`,
  intents,
  demands: { denials: MOUNT },
  mechanism: MOUNT_MECHANISM,
  fidelity: "stricter",
  note: ALL_MOUNTS,
  selfTests: [mounting(`mount-${kind}`, types)],
  lifted,
}));
