import { holding } from "./probes-world.ts";
import { type EnforcedRule, rulesOf } from "./rule.ts";

/** linux/capability.h: the number of each is its place here. */
const CAPABILITIES = [
  "chown dac-override dac-read-search fowner fsetid kill setgid setuid setpcap linux-immutable net-bind-service net-broadcast net-admin net-raw",
  "ipc-lock ipc-owner sys-module sys-rawio sys-chroot sys-ptrace sys-pacct sys-admin sys-boot sys-nice sys-resource sys-time sys-tty-config mknod",
  "lease audit-write audit-control setfcap mac-override mac-admin syslog wake-alarm block-suspend audit-read perfmon bpf checkpoint-restore",
]
  .join(" ")
  .split(" ");

/** Upstream's set of what only a privileged container has. */
const PRIVILEGED = [
  "dac-read-search linux-immutable net-broadcast net-admin ipc-lock ipc-owner sys-module sys-rawio sys-ptrace sys-pacct sys-admin sys-boot",
  "sys-nice sys-resource sys-time sys-tty-config lease audit-control mac-override mac-admin syslog wake-alarm block-suspend audit-read",
  "perfmon bpf checkpoint-restore",
]
  .join(" ")
  .split(" ");

export const DROPPED = "every capability is dropped from all five sets, no_new_privs is set, and no user namespace can be made to win them back";

function capabilityRule(name: string, capabilities: readonly string[], exact: boolean): Parameters<typeof rulesOf>[1][number] {
  return {
    name,
    intents: [{ kind: "capability", names: capabilities.map((capability) => capability.replaceAll("-", "_")) }],
    mechanism: DROPPED,
    fidelity: exact ? "exact" : "stricter",
    note: exact ? "" : "all the other capabilities are dropped too",
    observedBy: [], // to have a capability is no use of it
    selfTests: [
      holding(
        name,
        capabilities.map((capability) => CAPABILITIES.indexOf(capability)),
      ),
    ],
  };
}

/** disable-cap-*: one for each capability, and the sets. */
export const capabilityRules: EnforcedRule[] = rulesOf("hardeningRules", [
  capabilityRule("disable-cap-all", CAPABILITIES, true),
  capabilityRule(
    "disable-cap-all-except-net-bind-service",
    CAPABILITIES.filter((name) => name !== "net-bind-service"),
    false,
  ),
  capabilityRule("disable-cap-privileged", PRIVILEGED, false),
  ...CAPABILITIES.map((name) => capabilityRule(`disable-cap-${name}`, [name], false)),
]);

/** All of them as orders and confinements name them: `net_raw`. */
export const CAPABILITY_NAMES: readonly string[] = CAPABILITIES.map((name) => name.replaceAll("-", "_"));

export const CAP_SYS_ADMIN = CAPABILITIES.indexOf("sys-admin");
