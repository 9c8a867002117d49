import { everyMountBut, files } from "../orders/intents.ts";
import * as linux from "../seccomp/constants.ts";
import { absent, anyBits, deny, type Entry, eq } from "../seccomp/profile.ts";
import { CAP_SYS_ADMIN } from "./capabilities.ts";
import { DISKS, MOUNT, MOUNT_MECHANISM, mountRules } from "./mounts.ts";
import { openingForWrite, reading } from "./probes-files.ts";
import { bpfLoading, modules, mounting, socketFilters, unmounting, userfaultfd, userNamespaces } from "./probes-kernel.ts";
import { controlGroups, diskDevices, foreignProcesses, holding } from "./probes-world.ts";
import { type EnforcedRule, rulesOf } from "./rule.ts";

const UMOUNT: Entry[] = [deny("umount2")];
const BPF: Entry[] = [deny("bpf")];

/** clone3 hides its flags behind a pointer: it answers as if it did not exist, and the C library takes clone. */
const USER_NAMESPACES: Entry[] = [
  deny("unshare", anyBits(0, linux.CLONE_NEWUSER)),
  deny("clone", anyBits(0, linux.CLONE_NEWUSER)),
  absent("clone3"),
  deny("setns"),
];

const SOCKET_FILTERS: Entry[] = [linux.SO_ATTACH_FILTER, linux.SO_ATTACH_BPF, linux.SO_ATTACH_REUSEPORT_CBPF, linux.SO_ATTACH_REUSEPORT_EBPF].map((option) =>
  deny("setsockopt", eq(1, linux.SOL_SOCKET), eq(2, option)),
);

/** Rules of `hardeningRules` but for the capabilities. */
export const hardeningRules: EnforcedRule[] = rulesOf("hardeningRules", [
  {
    name: "disallow-mount",
    intents: [everyMountBut("umount")],
    demands: { denials: MOUNT },
    mechanism: MOUNT_MECHANISM,
    fidelity: "exact",
    selfTests: [mounting("mount", ["tmpfs", "proc", "overlay"])],
  },
  {
    name: "disallow-umount",
    intents: [{ kind: "mount", source: "**", fstype: "none", flags: ["umount"] }],
    demands: { denials: UMOUNT },
    mechanism: "seccomp refuses umount2; Landlock again",
    fidelity: "exact",
    selfTests: [unmounting],
  },
  ...mountRules,
  {
    name: "disallow-debug-disk-device",
    intents: files(["read", "write", "append"], ...DISKS),
    mechanism: "/dev has no block device, mounts are nodev, and seccomp refuses to make device nodes",
    fidelity: "by-construction",
    selfTests: [diskDevices],
  },
  {
    name: "disallow-write-core-pattern",
    intents: files(["write", "append"], "/proc/sys/kernel/core_pattern"),
    mechanism: "kernel switches belong to the host's root, whose id is not mapped in the sandbox",
    fidelity: "by-construction",
    selfTests: [openingForWrite("write-core-pattern", ["/proc/sys/kernel/core_pattern"], null)],
  },
  {
    name: "disallow-write-release-agent",
    intents: files(["write", "append"], "/sys/fs/cgroup/**/release_agent"),
    mechanism: "no control group file system is mounted, and none can be",
    fidelity: "by-construction",
    selfTests: [controlGroups],
  },
  {
    name: "disallow-insmod",
    intents: [{ kind: "capability", names: ["sys_module"] }],
    demands: { denials: [deny("init_module finit_module delete_module")] },
    needs: "filter",
    mechanism: "seccomp refuses init_module, finit_module and delete_module; CAP_SYS_MODULE is dropped",
    fidelity: "exact",
    selfTests: [modules],
  },
  {
    name: "disallow-load-bpf-prog",
    aliases: ["disallow-load-ebpf"],
    intents: [{ kind: "capability", names: ["sys_admin", "bpf"] }],
    demands: { denials: BPF },
    mechanism: "CAP_BPF and CAP_SYS_ADMIN are dropped for good, and seccomp refuses bpf",
    fidelity: "stricter",
    note: "every bpf command is refused, with any privilege",
    selfTests: [bpfLoading],
  },
  {
    name: "disallow-access-procfs-root",
    intents: [{ kind: "ptrace", permissions: ["read"], strict: false }],
    mechanism: "own pid namespace and a /proc of that namespace: no process outside has an entry",
    fidelity: "by-construction",
    selfTests: [foreignProcesses],
  },
  {
    name: "disallow-access-kallsyms",
    intents: files(["read"], "/proc/kallsyms"),
    demands: { hidden: ["/proc/kallsyms"] },
    mechanism: "the file is masked by one that nobody in the sandbox may read",
    fidelity: "exact",
    selfTests: [reading("read-kallsyms", ["/proc/kallsyms"], "hidden")],
    withheld: "every sandbox hides that file, whatever its policy: an attempt is recorded as AUDIT and fails",
  },
  {
    name: "disallow-abuse-user-ns",
    intents: [{ kind: "capability", names: ["sys_admin"] }],
    demands: { denials: USER_NAMESPACES },
    mechanism: "CAP_SYS_ADMIN is dropped, and seccomp and max_user_namespaces=0 keep it from being won in a new user namespace",
    fidelity: "stricter",
    note: "the user namespace itself is refused, not only its use; the two-step way that upstream leaves open is closed",
    selfTests: [holding("abuse-user-namespace", [CAP_SYS_ADMIN])],
  },
  {
    name: "disallow-create-user-ns",
    intents: [{ kind: "syscall", entries: USER_NAMESPACES }],
    demands: { denials: USER_NAMESPACES },
    mechanism:
      "seccomp refuses CLONE_NEWUSER in unshare and clone on the bits that the kernel reads, and setns; clone3 does not exist; max_user_namespaces is 0",
    fidelity: "stricter",
    note: "upstream refuses unshare only",
    selfTests: [userNamespaces],
  },
  {
    name: "disallow-load-all-bpf-prog",
    intents: [{ kind: "syscall", entries: [deny("bpf", eq(0, linux.BPF_PROG_LOAD))] }],
    demands: { denials: BPF },
    needs: "filter",
    mechanism: "seccomp refuses bpf",
    fidelity: "stricter",
    note: "every bpf command is refused, not only loading; high bits of the command do not pass as they do upstream",
    selfTests: [bpfLoading],
  },
  {
    name: "disallow-load-bpf-via-setsockopt",
    intents: [{ kind: "syscall", entries: SOCKET_FILTERS }],
    demands: { denials: SOCKET_FILTERS },
    needs: "filter",
    mechanism: "seccomp refuses setsockopt with SO_ATTACH_FILTER, _BPF, _REUSEPORT_CBPF and _REUSEPORT_EBPF, compared on 32 bits",
    fidelity: "stricter",
    note: "the two options that attach eBPF are refused too; high bits do not pass as they do upstream",
    selfTests: [socketFilters],
  },
  {
    name: "disallow-userfaultfd-creation",
    intents: [{ kind: "syscall", entries: [deny("userfaultfd")] }],
    demands: { denials: [deny("userfaultfd")] },
    mechanism: "seccomp refuses userfaultfd, and /dev has no userfaultfd",
    fidelity: "exact",
    selfTests: [userfaultfd],
  },
]);
