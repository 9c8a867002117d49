import type { HostFacts } from "@plastron/contracts";
import type { Intent, Order } from "../orders/order.ts";
import type { PolicyDocument } from "../parse/schema.ts";
import { CAPABILITY_NAMES } from "../rules/capabilities.ts";
import * as linux from "../seccomp/constants.ts";
import { ALL_FAMILIES, type Family, familiesOf } from "../seccomp/families.ts";

/** What a sandbox is allowed before its policy's rules are laid over it. */
export interface Standing {
  /** Parts of the floor that are not there. */
  lifted: readonly Family[];
  /** Kept inside the sandbox's own user namespace; never one over the host. */
  capabilities: readonly string[];
}

/** What containerd, Docker and CRI-O leave a container. */
const CONTAINER_CAPABILITIES =
  "audit_write chown dac_override fowner fsetid kill mknod net_bind_service net_raw setfcap setgid setpcap setuid sys_chroot".split(" ");

const NOTHING: Standing = { lifted: [], capabilities: [] };

/**
 * Without the operator's consent the floor holds whatever a policy asks. With it: AlwaysAllow and `privileged: true` lift all that
 * can be lifted, and allowViolations what the policy's own rules are about, so that it can be seen to happen.
 */
export function standingOf(policy: PolicyDocument, orders: readonly Order[], host: HostFacts): Standing {
  if (!host.permissive || host.tier < 2) return NOTHING;
  const { mode, enhanceProtect } = policy.spec.policy;
  if (mode === "AlwaysAllow") return { lifted: ALL_FAMILIES, capabilities: CONTAINER_CAPABILITIES };
  if (mode !== "EnhanceProtect") return NOTHING;
  if (enhanceProtect?.privileged) return { lifted: ALL_FAMILIES, capabilities: without(CAPABILITY_NAMES, orders) };
  const passing = orders.filter(({ deny }) => !deny);
  if (passing.length === 0) return NOTHING;
  return {
    lifted: [...new Set(passing.flatMap(({ intents }) => intents.flatMap(familiesOfIntent)))].sort(),
    capabilities: without(CONTAINER_CAPABILITIES, orders),
  };
}

/** disable-cap-* take away from what is left. */
function without(capabilities: readonly string[], orders: readonly Order[]): string[] {
  const denied = new Set(
    orders.filter(({ deny }) => deny).flatMap(({ intents }) => intents.flatMap((intent) => (intent.kind === "capability" ? intent.names : []))),
  );
  return capabilities.filter((name) => !denied.has(name)).sort();
}

const BY_CAPABILITY: Readonly<Record<string, readonly Family[]>> = {
  bpf: ["bpf"],
  net_admin: ["sockets"],
  net_raw: ["sockets"],
  sys_admin: ["mounts", "user-namespaces", "bpf", "roots"],
  sys_chroot: ["roots"],
  sys_ptrace: ["tracing", "userfaultfd"],
};

/** The parts of the floor that an intent is about. */
export function familiesOfIntent(intent: Intent): readonly Family[] {
  switch (intent.kind) {
    case "mount":
      return ["mounts"];
    case "ptrace":
      return ["tracing"];
    case "capability":
      return intent.names.flatMap((name) => BY_CAPABILITY[name] ?? []);
    case "socket":
      return isPlainSocket(intent) ? [] : ["sockets"];
    case "syscall":
      return familiesOf(intent.entries.flatMap(({ names }) => names));
    case "file":
    case "file-list":
    case "connect":
      return [];
  }
}

/** What the floor lets everybody have: TCP, UDP and unix sockets. */
function isPlainSocket({ families, types, protocols }: Extract<Intent, { kind: "socket" }>): boolean {
  const only = (numbers: readonly number[], ...plain: number[]): boolean => numbers.length > 0 && numbers.every((each) => plain.includes(each));
  if (only(families, linux.AF_UNIX)) return true;
  if (!only(families, linux.AF_UNIX, linux.AF_INET, linux.AF_INET6)) return false;
  return only(types, linux.SOCK_STREAM, linux.SOCK_DGRAM) || only(protocols, linux.IPPROTO_TCP, linux.IPPROTO_UDP);
}
