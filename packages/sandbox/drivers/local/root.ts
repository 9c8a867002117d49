import { existsSync, lstatSync, readlinkSync } from "node:fs";
import type { Confinement } from "@plastron/contracts";
import type { ImageMount } from "../../images/index.ts";
import { EXECUTABLE, READABLE } from "./hidden.ts";
import type { SpecRecord } from "./spec.ts";

/** Host paths that go into every sandbox. */
export interface RootSources {
  /** The tree that becomes /usr. */
  usr: string;
  node: string;
  runtimes: string;
  zygoteLibrary: string;
  /** An empty directory on which launchers mount their tmpfs (each in its own mount namespace). */
  mountPoint: string;
}

const RO_ETC = ["/etc/ld.so.cache", "/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/mime.types", "/etc/magic"];
const DEVICES = ["null", "zero", "full", "random", "urandom"];
/**
 * Parts of proc that tell of the host and that anybody may read. What only root may read or write there needs no mask: uid 0
 * is not mapped in a sandbox. Few, because each costs a mount in every sandbox.
 */
const PROC_HIDDEN = [
  "/proc/acpi",
  "/proc/bus",
  "/proc/cmdline",
  "/proc/config.gz",
  "/proc/diskstats",
  "/proc/interrupts",
  "/proc/kallsyms",
  "/proc/key-users",
  "/proc/keys",
  "/proc/locks",
  "/proc/mdstat",
  "/proc/modules",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/swaps",
];
const PROC_READ_ONLY = ["/proc/sys"];

const ETC: [path: string, content: string][] = [
  [
    "/etc/passwd",
    "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nsandbox:x:1000:1000:sandbox:/workspace:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  ],
  ["/etc/group", "root:x:0:\nsandbox:x:1000:\nnogroup:x:65534:\n"],
  ["/etc/hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"],
  ["/etc/hostname", "sandbox\n"],
  ["/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"],
  ["/etc/resolv.conf", ""],
  ["/etc/profile", ""],
];

/** What egress.ts writes instead where there is a way out. */
const NETWORK_ETC = ["/etc/nsswitch.conf", "/etc/resolv.conf"];

/** The shared, immutable part: everything but proc and the writable places. */
export function rootRecords(sources: RootSources, confinement: Confinement, hidden: string[], shown: SpecRecord[] = []): SpecRecord[] {
  const records: SpecRecord[] = [
    ["root", sources.mountPoint],
    ["bind", sources.usr, "/usr", "ro"],
  ];
  for (const name of ["bin", "sbin", "lib", "lib64", "lib32", "libx32"]) records.push(...rootLink(name));
  records.push(["dir", "/etc", "755"]);
  if (confinement.weak?.readonly_etc === true) records.push(["tmpfs", "/etc", "1m", 256, "777", 0, ""]);
  for (const [path, content] of ETC) if (confinement.network === null || !NETWORK_ETC.includes(path)) records.push(["text", path, content, "644"]);
  for (const path of RO_ETC) if (existsSync(path)) records.push(["bind", path, path, "ro"]);
  if (existsSync("/usr/share/zoneinfo/Etc/UTC")) records.push(["link", "/usr/share/zoneinfo/Etc/UTC", "/etc/localtime"]);
  for (const device of DEVICES) records.push(["bind", `/dev/${device}`, `/dev/${device}`, "dev"]);
  records.push(
    ["link", "/proc/self/fd", "/dev/fd"],
    ["link", "/proc/self/fd/0", "/dev/stdin"],
    ["link", "/proc/self/fd/1", "/dev/stdout"],
    ["link", "/proc/self/fd/2", "/dev/stderr"],
  );
  records.push(
    ["dir", "/dev/shm", "755"],
    ["dir", "/proc", "555"],
    ["dir", "/workspace", "755"],
    ["dir", "/tmp", "755"],
    ["dir", "/run", "755"],
    ["dir", "/var", "755"],
    ["link", "/tmp", "/var/tmp"],
  );
  records.push(
    ["bind", sources.runtimes, "/opt/plastron/runtimes", "ro"],
    ["bind", sources.node, "/opt/plastron/node/bin/node", "ro"],
    ["bind", sources.zygoteLibrary, "/opt/plastron/libplastron-zygote.so", "ro"],
    ...shown,
  );
  for (const [path, content] of Object.entries(confinement.weak?.planted_files ?? {})) records.push(["text", path, content, "644"]);
  for (const path of hidden) if (path.startsWith(READABLE)) records.push(["noexec", path.slice(READABLE.length)]);
  for (const path of hidden) if (path.startsWith("/") && !path.startsWith("/proc/")) records.push(["mask", path]);
  return records;
}

/** Packages, read-only like all of the root: nosuid, nodev, and below every mask. */
export function imageRecords(image: ImageMount | undefined): SpecRecord[] {
  if (!image) return [];
  return [["bind", image.tree, image.place, "ro"], ...image.emptied.map((path): SpecRecord => ["bind", image.empty, path, "ro"])];
}

function rootLink(name: string): SpecRecord[] {
  const path = `/${name}`;
  if (!existsSync(path)) return [];
  if (lstatSync(path).isSymbolicLink()) return [["link", readlinkSync(path), path]];
  return [["bind", path, path, "ro"]];
}

/** A program that must not run could otherwise be copied to where it may be written. */
export const writesUnexecutable = ({ noexec_writable, unexecutable, forbidden_programs }: Confinement): boolean =>
  noexec_writable || unexecutable.length > 0 || forbidden_programs.length > 0;

/** What every program has for itself: proc of its own pid namespace, and its writable places, which are its own ("self"). */
export function privateRecords(workspaceBytes: number, confinement: Confinement, hidden: string[], prefix: "" | "child-"): SpecRecord[] {
  const most = workspaceBytes < 2 ** 31 ? 65_536 : 262_144; // each is about a kilobyte of the sandbox's memory
  const inodes = Math.max(1024, Math.min(most, Math.floor(workspaceBytes / 4096)));
  const exec = writesUnexecutable(confinement) ? "noexec" : "";
  const proc = [...new Set([...PROC_HIDDEN, ...hidden.filter((path) => path.startsWith("/proc/"))])];
  return [
    [`${prefix}proc`, "/proc"],
    ...PROC_READ_ONLY.map((path): SpecRecord => [`${prefix}ro`, path]),
    ...proc.map((path): SpecRecord => [`${prefix}mask`, path]),
    [`${prefix}tmpfs`, "/workspace", workspaceBytes, inodes, "700", "self", exec],
    [`${prefix}tmpfs`, "/tmp", workspaceBytes, inodes, "1777", "self", exec],
    [`${prefix}tmpfs`, "/dev/shm", workspaceBytes, inodes, "1777", "self", "noexec"],
  ];
}

/**
 * Landlock's view of the same: the root may be read and run, the writable places written. Where a list says what may be executed
 * (`hidden` has it after EXECUTABLE), those files alone may be run, and this run's own interpreter.
 */
export function landlockRecords(confinement: Confinement, hidden: readonly string[], interpreter: string): SpecRecord[] {
  if (confinement.weak?.landlock === true) return [];
  const { executables } = confinement;
  const programs = [interpreter, ...hidden.filter((path) => path.startsWith(EXECUTABLE)).map((path) => path.slice(EXECUTABLE.length))];
  const ownRun = (place: string) =>
    !writesUnexecutable(confinement) && (executables === null || executables.some((glob) => glob.startsWith(`${place}/`) || glob.startsWith("/*")));
  const writable = (place: string) => (ownRun(place) ? "rwx" : "rw");
  return [
    ["landlock", executables === null ? "rx" : "r", "/"],
    ...(executables === null ? [] : programs.map((path): SpecRecord => ["landlock", "x", path])),
    ["landlock", writable("/workspace"), "/workspace"],
    ["landlock", writable("/tmp"), "/tmp"],
    ["landlock", "rw", "/dev/shm"],
    ...DEVICES.map((device): SpecRecord => ["landlock", "dev", `/dev/${device}`]),
  ];
}
