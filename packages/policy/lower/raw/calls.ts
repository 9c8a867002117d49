import type { HostFacts } from "@plastron/contracts";
import { files } from "../../orders/intents.ts";
import type { Intent } from "../../orders/order.ts";
import { CAPABILITY_NAMES, DROPPED } from "../../rules/capabilities.ts";
import { mounting, ownMemory, tracing, unmounting } from "../../rules/probes-kernel.ts";
import { calling, socketKinds } from "../../rules/probes-raw.ts";
import { holding } from "../../rules/probes-world.ts";
import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from "../../seccomp/constants.ts";
import { deny } from "../../seccomp/profile.ts";
import type { Measure } from "../measure.ts";
import { canWatch } from "../part.ts";
import { socketEntries } from "./sockets.ts";

type Of<Kind extends Intent["kind"]> = Extract<Intent, { kind: Kind }>;

/** Rules that the filter carries out. */

export function socketMeasure(intent: Of<"socket">, id: string): Measure {
  const tests = [socketKinds(`${id}.socket`, intent)];
  return {
    demands: { denials: socketEntries(intent) },
    claim: {
      fidelity: "exact",
      mechanism: "seccomp refuses socket and socketpair with these arguments, on the bits that the kernel reads",
      note: "",
      self_tests: tests,
      observed: isCommon(intent) ? tests : [], // another family may lack the type, and a kernel the family
    },
  };
}

const isCommon = ({ families, types }: Of<"socket">): boolean =>
  families.every((family) => [AF_UNIX, AF_INET, AF_INET6].includes(family)) && types.every((type) => [SOCK_STREAM, SOCK_DGRAM].includes(type));

export function syscallMeasure(intent: Of<"syscall">, id: string): Measure {
  return {
    demands: { denials: intent.entries },
    claim: {
      fidelity: "exact",
      mechanism: "seccomp answers as the rule says, with arguments compared as wide as the kernel reads them",
      note: "where the platform's floor refuses the call in any case, the rule's own answer is given",
      self_tests: intent.entries.slice(0, 8).map((entry, i) => calling(`${id}.call${i}`, entry)),
      observed: [], // whatever the call does, it would be done: wait forever, end what runs
    },
  };
}

export function capabilityMeasure({ names }: Of<"capability">, id: string): Measure {
  const numbers = names.map((name) => CAPABILITY_NAMES.indexOf(name)).filter((number) => number >= 0);
  return {
    claim: {
      ...{ fidelity: "stricter", mechanism: DROPPED, note: "all the other capabilities are dropped too" },
      self_tests: [holding(`${id}.hold`, numbers)],
      observed: [], // to have one is no use of it
    },
  };
}

const MOUNTS = deny("mount move_mount fsopen fsconfig fsmount fspick open_tree open_tree_attr mount_setattr pivot_root");

/** What is mounted, and as what, lies behind pointers that the program may change while it is looked at: all or none. */
export function mountMeasure({ flags, fstype }: Of<"mount">, id: string): Measure {
  const umount = flags.includes("umount");
  const mounts = flags.some((flag) => flag !== "umount");
  const kinds = fstype === "*" || fstype === "none" ? ["tmpfs"] : [fstype];
  return {
    demands: { denials: [...(mounts ? [MOUNTS] : []), ...(umount ? [deny("umount2")] : [])] },
    claim: {
      fidelity: "stricter",
      mechanism: "seccomp refuses the whole mount family; Landlock and missing capabilities refuse it again",
      note: "every mount is refused, of any kind and anywhere",
      self_tests: [...(mounts ? [mounting(`${id}.mount`, kinds)] : []), ...(umount ? [unmounting] : [])],
    },
  };
}

/** Strictly, the memory of a program's own processes is not to be read either: proc has it as files. */
export function ptraceMeasure({ strict }: Of<"ptrace">, host: HostFacts): Measure {
  const demands = { denials: [deny("ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd")] };
  const mechanism = "own pid namespace; seccomp refuses ptrace, process_vm_readv, process_vm_writev, kcmp and pidfd_getfd";
  if (!strict) return { demands, claim: { fidelity: "stricter", mechanism, note: "a program cannot trace its own children either", self_tests: [tracing] } };
  if (!canWatch(host)) {
    const note = "a program can open the memory of its own processes through /proc/PID/mem: that needs seccomp user notification (Linux 5.9, local driver)";
    return { demands, claim: { fidelity: "approximate", mechanism, note, self_tests: [tracing] } };
  }
  const claim = {
    fidelity: "stricter" as const,
    mechanism: `${mechanism}; a listener opens files in the program's stead, and none that is a process's memory`,
    note: "a process cannot open its own memory either",
    self_tests: [tracing, ownMemory],
    observed: [tracing],
  };
  return { demands, watched: files(["read", "write", "append"], "/proc/*/mem", "/proc/*/task/*/mem"), claim };
}
