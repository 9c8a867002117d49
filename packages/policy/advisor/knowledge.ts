import type { Category } from "../rules/rule.ts";

/** What a workload says of itself, in upstream's words. */
export const FEATURES = {
  "privileged-container": "it runs as a privileged container",
  "mount-sth": "it mounts file systems",
  "umount-sth": "it unmounts file systems",
  "share-containers-pid-ns": "it shares the pid namespace of other containers",
  "share-host-pid-ns": "it shares the host's pid namespace",
  dind: "it runs containers inside of its own",
  "require-sa": "it calls the Kubernetes API with its service account",
  "bind-privileged-socket-port": "it listens on a port below 1024",
  "load-bpf": "it loads BPF programs",
} as const;
export type Feature = keyof typeof FEATURES;

export const ADVISED_ENFORCERS = ["AppArmor", "BPF", "Seccomp"] as const;
export type AdvisedEnforcer = (typeof ADVISED_ENFORCERS)[number];

/** What the advisor knows of a rule beside what the rule means: upstream's enforcers, whom it gets in the way of, what it is for. */
export interface Knowledge {
  /** A AppArmor, B BPF, S Seccomp: who enforces it upstream. */
  enforcers: string;
  /** Features that it would break. */
  breaks: readonly Feature[];
  /** Only worth it, or only safe, when it is known what the workload does. */
  needsBehavior?: true;
  /** What it stops, in words: "it stops …". */
  stops: string;
}

const MOUNTS: readonly Feature[] = ["mount-sth", "dind"];
const RUNTIMES: readonly Feature[] = ["dind"];

const HARDENING: Record<string, Knowledge> = {
  "disallow-write-core-pattern": { enforcers: "AB", breaks: [], stops: "a program from naming the host's handler of core dumps, which runs as root outside" },
  "disallow-mount-securityfs": { enforcers: "AB", breaks: RUNTIMES, stops: "security policies of the host from being changed through securityfs" },
  "disallow-mount-procfs": { enforcers: "AB", breaks: RUNTIMES, stops: "a fresh, unmasked proc from being mounted over the masked one" },
  "disallow-write-release-agent": { enforcers: "AB", breaks: [], stops: "the classic escape through a control group's release agent" },
  "disallow-mount-cgroupfs": { enforcers: "AB", breaks: RUNTIMES, stops: "control groups of the host from being mounted and changed" },
  "disallow-debug-disk-device": { enforcers: "AB", breaks: [], stops: "the host's disks from being read and written as devices" },
  "disallow-mount-disk-device": { enforcers: "AB", breaks: [], stops: "the host's disks from being mounted" },
  "disallow-mount": { enforcers: "AB", breaks: MOUNTS, stops: "every kind of mount" },
  "disallow-umount": { enforcers: "AB", breaks: ["umount-sth", "dind"], stops: "masks and read-only mounts from being taken away" },
  "disallow-insmod": { enforcers: "AB", breaks: [], stops: "kernel modules from being loaded" },
  "disallow-load-bpf-prog": { enforcers: "AB", breaks: ["load-bpf"], stops: "BPF programs that need privileges" },
  "disallow-access-procfs-root": {
    enforcers: "AB",
    breaks: ["share-containers-pid-ns", "share-host-pid-ns"],
    stops: "other processes' roots from being entered through /proc/PID/root",
  },
  "disallow-access-kallsyms": { enforcers: "AB", breaks: ["load-bpf"], stops: "kernel addresses from being read, which exploits start with" },
  "disallow-abuse-user-ns": {
    enforcers: "AB",
    breaks: ["mount-sth", "dind"],
    stops: "the privileges that a new user namespace brings, which most kernel exploits need",
  },
  "disallow-create-user-ns": { enforcers: "S", breaks: RUNTIMES, stops: "new user namespaces altogether" },
  "disallow-load-all-bpf-prog": { enforcers: "S", breaks: ["load-bpf"], stops: "every BPF program, also unprivileged ones" },
  "disallow-load-bpf-via-setsockopt": { enforcers: "S", breaks: ["load-bpf"], stops: "BPF programs attached to sockets, used for JIT spraying" },
  "disallow-userfaultfd-creation": { enforcers: "S", breaks: [], stops: "userfaultfd, which makes kernel races easy to win" },
};

const ATTACKS: Record<string, Knowledge> = {
  "mitigate-sa-leak": { enforcers: "AB", breaks: ["require-sa"], stops: "the service account's token from being stolen" },
  "mitigate-disk-device-number-leak": { enforcers: "AB", breaks: ["mount-sth", "dind"], stops: "disk device numbers from leaking, which an escape needs" },
  "mitigate-overlayfs-leak": { enforcers: "AB", breaks: ["mount-sth", "dind"], stops: "the container's path on the host from leaking" },
  "mitigate-host-ip-leak": { enforcers: "AB", breaks: [], stops: "the host's address from leaking through the ARP table" },
  "block-access-to-metadata-service": { enforcers: "B", breaks: [], stops: "cloud credentials from being fetched from any metadata service" },
  "block-access-to-volc-metadata-service": { enforcers: "B", breaks: [], stops: "credentials from Volcengine's metadata service" },
  "block-access-to-alibaba-metadata-service": { enforcers: "B", breaks: [], stops: "credentials from Alibaba Cloud's metadata service" },
  "block-access-to-aws-metadata-service": { enforcers: "B", breaks: [], stops: "credentials from the metadata service of AWS and those alike" },
  "block-access-to-oci-metadata-service": { enforcers: "B", breaks: [], stops: "credentials from Oracle Cloud's metadata service" },
  "disable-write-etc": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "accounts, names and start-up files below /etc from being changed" },
  "disable-access-passwd": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "the list of accounts from being read" },
  "disable-access-shadow": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "password hashes from being read" },
  "disable-access-ssh-dir": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "SSH keys from being stolen or planted" },
  "disable-write-skills": { enforcers: "A", breaks: [], needsBehavior: true, stops: "an assistant's skills from being poisoned by what it runs" },
  "disable-busybox": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "the one program that has all tools" },
  "disable-shell": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "shells, which most intrusions go on with" },
  "disable-wget": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "downloads with wget" },
  "disable-curl": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "downloads and uploads with curl" },
  "disable-chmod": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "downloaded files from being made executable with the tool" },
  "disable-su-sudo": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "su and sudo" },
  "disable-chmod-x-bit": { enforcers: "S", breaks: [], needsBehavior: true, stops: "execute bits from being set by any program" },
  "disable-chmod-s-bit": { enforcers: "S", breaks: [], needsBehavior: true, stops: "set-id bits from being set by any program" },
  "disable-network": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "every kind of socket" },
  "disable-inet": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "IPv4" },
  "disable-inet6": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "IPv6" },
  "disable-unix-domain-socket": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "unix sockets" },
  "disable-icmp": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "ping and tunnels over ICMP" },
  "disable-tcp": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "TCP" },
  "disable-udp": { enforcers: "AB", breaks: [], needsBehavior: true, stops: "UDP, and tunnels over it" },
  "block-access-to-kube-apiserver": { enforcers: "B", breaks: ["require-sa"], stops: "the cluster's API from being called" },
  "block-access-to-container-runtime": { enforcers: "AB", breaks: RUNTIMES, stops: "the container runtime's socket, which is root on the host" },
};

const MITIGATIONS: Record<string, Knowledge> = {
  "cgroups-lxcfs-escape-mitigation": { enforcers: "AB", breaks: RUNTIMES, stops: "the escape through control groups that lxcfs shows" },
  "runc-override-mitigation": { enforcers: "AB", breaks: RUNTIMES, stops: "the container runtime's program from being overwritten (CVE-2019-5736)" },
  "dirty-pipe-mitigation": { enforcers: "S", breaks: [], needsBehavior: true, stops: "the Dirty Pipe exploit (CVE-2022-0847), by refusing splice" },
  "ingress-nightmare-mitigation": { enforcers: "B", breaks: [], stops: "the ingress controller's admission port from being reached (CVE-2025-1974)" },
  "copy-fail-mitigation": { enforcers: "AS", breaks: [], stops: "the kernel's crypto sockets, which hold a way to overwrite files" },
};

/** What is known of a rule; `disable-cap-*` rules are all alike. */
export function knowledgeOf(rule: string): Knowledge | undefined {
  if (!rule.startsWith("disable-cap-")) return HARDENING[rule] ?? ATTACKS[rule] ?? MITIGATIONS[rule];
  const stops = CAPABILITY_SETS[rule] ?? `CAP_${rule.slice("disable-cap-".length).toUpperCase().replaceAll("-", "_")} from being used`;
  return { enforcers: "AB", breaks: CAPABILITY_BREAKS[rule] ?? [], stops };
}

const CAPABILITY_SETS: Record<string, string> = {
  "disable-cap-all": "every capability from being used",
  "disable-cap-all-except-net-bind-service": "every capability but that to listen on ports below 1024",
  "disable-cap-privileged": "the capabilities that only privileged containers have",
};

const ADMIN: readonly Feature[] = ["mount-sth", "umount-sth", "dind", "load-bpf"];
const CAPABILITY_BREAKS: Record<string, readonly Feature[]> = {
  "disable-cap-all": [...ADMIN, "bind-privileged-socket-port"],
  "disable-cap-all-except-net-bind-service": ADMIN,
  "disable-cap-privileged": ADMIN,
  "disable-cap-sys-admin": ["mount-sth", "umount-sth", "dind"],
  "disable-cap-bpf": ["load-bpf"],
  "disable-cap-net-bind-service": ["bind-privileged-socket-port"],
};

export const CATEGORIES: readonly Exclude<Category, "floor">[] = ["hardeningRules", "attackProtectionRules", "vulMitigationRules"];
