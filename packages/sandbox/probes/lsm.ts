import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import type { HostFacts } from "@plastron/contracts";
import { degraded, type Finding, missing, type Probe, working } from "./probe.ts";

/** Where the kernel tells; tests give another place. */
const SECURITY = "/sys/kernel/security";
const BTF = "/sys/kernel/btf/vmlinux";

export function lsmProbes(): Probe[] {
  return [
    { id: "lsm-apparmor", title: "AppArmor profiles can be loaded", required: false, timeoutMs: 1000, try: async () => appArmor() },
    { id: "lsm-bpf", title: "BPF programs can use security hooks", required: false, timeoutMs: 1000, try: async () => bpfLsm() },
  ];
}

/** Security modules that an exported policy can be loaded into here. */
export function usableLsm(security = SECURITY, btf = BTF): HostFacts["lsm"] {
  return [
    ...(appArmor(security).status === "working" ? (["apparmor"] as const) : []),
    ...(bpfLsm(security, btf).status === "working" ? (["bpf"] as const) : []),
  ];
}

export function appArmor(security = SECURITY): Finding {
  const active = activeModules(security);
  if (!active?.includes("apparmor")) return missing(notActive("apparmor", active), remedy("apparmor"));
  const place = `${security}/apparmor/.replace`;
  try {
    accessSync(place, constants.W_OK);
  } catch {
    return degraded(`AppArmor is on, but ${place} cannot be written from here`, "Run as root on the host itself, with securityfs mounted and CAP_MAC_ADMIN.");
  }
  return working(`${place} can be written; \`plastron policy export FILE --as apparmor\` makes the profile`);
}

export function bpfLsm(security = SECURITY, btf = BTF): Finding {
  const active = activeModules(security);
  if (!active?.includes("bpf")) return missing(notActive("bpf", active), remedy("bpf"));
  if (!existsSync(btf)) return missing("the BPF LSM is on, but the kernel has no BTF", "Use a kernel with CONFIG_DEBUG_INFO_BTF.");
  if (process.geteuid?.() !== 0) return degraded("the BPF LSM is on; loading programs needs root", "Run as root.");
  return working("lsm=bpf and BTF are there; `plastron policy export FILE --as bpf-lsm` makes the tables");
}

/** In the order that the kernel asks them; null where it does not tell. */
function activeModules(security: string): string[] | null {
  try {
    return readFileSync(`${security}/lsm`, "utf8").trim().split(",");
  } catch {
    return null;
  }
}

function notActive(name: string, active: string[] | null): string {
  return active ? `not among the active security modules: ${active.join(", ")} has no ${name}` : "securityfs is not mounted, or tells nobody here";
}

function remedy(name: string): string {
  return `Boot with \`lsm=landlock,lockdown,yama,apparmor,bpf\` on the kernel's command line (${name} must be built in), and mount securityfs.`;
}
