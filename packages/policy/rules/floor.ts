import { everyMountBut, files } from "../orders/intents.ts";
import { deny } from "../seccomp/profile.ts";
import { openingForWrite, reading } from "./probes-files.ts";
import { floorCalls, foreignMemory, hardFloorCalls, mounting, tracing } from "./probes-kernel.ts";
import { type EnforcedRule, rulesOf } from "./rule.ts";

/** What tells of the kernel or the host, or acts on them, and no program needs. */
const KERNEL_FILES = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/bus",
  "/proc/fs",
  "/proc/interrupts",
  "/proc/iomem",
  "/proc/ioports",
  "/proc/irq",
  "/proc/kcore",
  "/proc/key-users",
  "/proc/keys",
  "/proc/kmem",
  "/proc/kmsg",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/sysrq-trigger",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/vmallocinfo",
];

/**
 * What upstream calls RuntimeDefault and lays under `privileged: false`, here under every mode: a sandbox for code of
 * strangers has no way to ask for less.
 */
export const floorRules: EnforcedRule[] = rulesOf("floor", [
  {
    name: "floor-system-calls",
    intents: [],
    needs: "filter",
    mechanism: "seccomp lets a list of system calls through; known others answer EPERM, unknown numbers ENOSYS, calls of foreign ABIs kill",
    fidelity: "stricter",
    note: "upstream's EnhanceProtect starts from a filter that allows everything",
    selfTests: [floorCalls],
    lifted: { selfTests: [hardFloorCalls] },
  },
  {
    name: "floor-kernel-files",
    intents: files(
      ["read", "write", "append"],
      ...["/proc/sysrq-trigger", "/proc/kmem", "/proc/kcore", "/sys/firmware/**", "/sys/devices/virtual/powercap/**", "/sys/kernel/security/**"],
    ),
    demands: { hidden: KERNEL_FILES },
    mechanism: "masked by files that nobody in the sandbox may read; /sys is not mounted; kernel switches belong to an id that is not mapped",
    fidelity: "stricter",
    note: "more files than upstream's are hidden",
    selfTests: [
      reading("read-kernel-files", KERNEL_FILES, "hidden"),
      openingForWrite(
        "write-kernel-switches",
        ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches"],
        null,
      ),
    ],
  },
  {
    name: "floor-process-memory",
    intents: files(["read", "write", "append"], "/proc/**/mem"),
    mechanism: "own pid namespace, hidden entries of other users, and other ids: no memory outside the program's own processes can be opened",
    fidelity: "approximate",
    note: "a program can open the memory of its own processes through /proc, where upstream hides it",
    selfTests: [foreignMemory],
  },
  {
    name: "floor-mounts",
    family: "mounts",
    intents: [everyMountBut("umount")],
    demands: { denials: [deny("mount move_mount fsopen fsconfig fsmount fspick open_tree open_tree_attr mount_setattr pivot_root umount2")] },
    mechanism: "seccomp refuses the whole mount family; Landlock and missing capabilities refuse it again",
    fidelity: "stricter",
    note: "unmounting is refused too",
    selfTests: [mounting("floor-mount", ["tmpfs"])],
  },
  {
    name: "floor-tracing",
    family: "tracing",
    intents: [{ kind: "ptrace", permissions: ["trace", "read"], strict: false }],
    demands: { denials: [deny("ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd")] },
    needs: "filter",
    mechanism: "own pid namespace; seccomp refuses ptrace, process_vm_readv, process_vm_writev, kcmp and pidfd_getfd",
    fidelity: "stricter",
    note: "a program cannot trace its own children either",
    selfTests: [tracing],
  },
]);
