import { existsSync, lstatSync, readlinkSync } from "node:fs";
import type { Runtime } from "@plastron/contracts";

/** What a program sees, the same under every driver. */
export const WORKSPACE = "/workspace";
export const NODE_INSIDE = "/opt/plastron/bin/node";
export const PROGRAM_FILE: Record<Runtime, string> = { python3: "main.py", nodejs: "main.js", bash: "main.sh" };
export const INTERPRETER: Record<Runtime, string[]> = {
  // -u: what was printed must survive a kill, and is shown as it comes.
  python3: ["/usr/bin/python3", "-u"],
  nodejs: [NODE_INSIDE],
  bash: ["/usr/bin/bash"],
};

/** Nothing of the agent's own environment reaches a program. */
export const ENVIRONMENT: Record<string, string> = {
  PATH: "/opt/plastron/bin:/usr/local/bin:/usr/bin:/bin",
  HOME: WORKSPACE,
  TMPDIR: "/tmp",
  LANG: "C.UTF-8",
  PYTHONDONTWRITEBYTECODE: "1",
};

/** Files of the host's /etc that libraries need to load and that tell nothing about the host's users or network. */
const SHARED_ETC = [
  "alternatives",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "ssl/certs",
  "ssl/openssl.cnf",
  "python3",
  "python3.11",
];
/** Made by launch.sh under /run/etc. */
const SYNTHETIC_ETC = ["passwd", "group", "hosts", "nsswitch.conf", "hostname", "resolv.conf"];

/** Parts of proc that tell of the host or steer it, where the kernel has them. */
export const HIDDEN_PROC = [
  "kcore",
  "kmsg",
  "keys",
  "key-users",
  "sysrq-trigger",
  "timer_list",
  "sched_debug",
  "latency_stats",
  "scsi",
  "acpi",
  "kallsyms",
  "kpagecount",
]
  .concat([
    "kpageflags",
    "kpagecgroup",
    "config.gz",
    "modules",
    "mdstat",
    "diskstats",
    "swaps",
    "interrupts",
    "vmallocinfo",
    "slabinfo",
    "pagetypeinfo",
    "cmdline",
  ])
  .concat(["locks", "bus", "fs", "irq", "tty", "driver"])
  .map((name) => `/proc/${name}`);

/** The read-only root as bubblewrap arguments: the host's /usr, its links, and an /etc of our own. */
export function rootArguments(): string[] {
  const args = ["--ro-bind", "/usr", "/usr"];
  for (const path of ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]) {
    const entry = lstatSync(path, { throwIfNoEntry: false });
    if (entry?.isSymbolicLink()) args.push("--symlink", readlinkSync(path), path);
    else if (entry?.isDirectory()) args.push("--ro-bind", path, path);
  }
  for (const name of SHARED_ETC.map((part) => `/etc/${part}`).filter((path) => existsSync(path))) args.push("--ro-bind", name, name);
  for (const name of SYNTHETIC_ETC) args.push("--ro-bind", `/run/etc/${name}`, `/etc/${name}`);
  return args;
}

/** Whether a host path is seen inside at all; what is not needs no mask. */
export function isVisible(path: string): boolean {
  const roots = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/dev", ...SHARED_ETC.map((part) => `/etc/${part}`)];
  return roots.some((root) => path === root || path.startsWith(`${root}/`));
}
