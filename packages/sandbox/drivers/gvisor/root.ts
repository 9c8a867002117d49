import { type RootSources, rootRecords, writesUnexecutable } from "../local/root.ts";
import type { BoxKind } from "../local/sources.ts";
import type { SpecRecord } from "../local/spec.ts";
import { GUEST, OUTER, outerTemporary, TEMPORARY, traceConfig } from "./bundle.ts";

/** What a guest needs besides what every sandbox has. */
export interface GuestSources extends RootSources {
  runsc: string;
  enter: string;
  /** A library for every program, where this gVisor needs it (native/enter/preload.c). */
  preload: string | null;
}

/** Devices that runsc itself opens; a guest's own are gVisor's. */
const DEVICES = ["null", "zero", "urandom", "random", "full"];

/**
 * The outer root, in which runsc runs: a few things of its own, and below /guest the same root that the local driver gives its
 * programs. Masks are mounts out here, so they hold against whoever takes over the guest's kernel. `ids` is the host uid of the guest's
 * root; what the program owns is the guest's uid 1000.
 */
export function outerRecords(sources: GuestSources, kind: BoxKind, filters: string, config: object, ids: number): SpecRecord[] {
  const { workspace_bytes } = kind.limits;
  const inodes = Math.max(1024, Math.min(65_536, Math.floor(workspace_bytes / 4096)));
  const exec = writesUnexecutable(kind.confinement) ? "noexec" : "";
  return [
    ["root", sources.mountPoint],
    ["proc", "/proc"],
    ...DEVICES.map((device): SpecRecord => ["bind", `/dev/${device}`, `/dev/${device}`, "dev"]),
    ["bind", sources.runsc, "/runsc", "ro"],
    ["text", `${OUTER.bundle}/config.json`, JSON.stringify(config), "444"],
    ["text", `${OUTER.bundle}/trace.json`, JSON.stringify(traceConfig()), "444"],
    ...["/state", "/tmp", OUTER.door].map((path): SpecRecord => ["tmpfs", path, "4m", 256, "755", ids, "noexec"]),
    ["tmpfs", OUTER.workspace, workspace_bytes, inodes, "700", ids + GUEST.uid, exec],
    ...(exec === "" ? [] : TEMPORARY).map((path): SpecRecord => ["tmpfs", outerTemporary(path), workspace_bytes, inodes, "1777", ids + GUEST.uid, exec]),
    ...guestRecords(sources, kind, filters),
  ];
}

/** The local driver's root, moved below /guest, without its devices, and with mount points for what gVisor mounts. */
function guestRecords(sources: GuestSources, kind: BoxKind, filters: string): SpecRecord[] {
  const shared = rootRecords(sources, kind.confinement, kind.hidden).flatMap((record) => moved(record));
  const points = ["/proc", "/sys", "/dev/shm", "/tmp", "/workspace", GUEST.door];
  return [
    ...points.map((path): SpecRecord => ["dir", `${OUTER.rootfs}${path}`, "755"]),
    ...shared,
    ["bind", sources.enter, `${OUTER.rootfs}${GUEST.enter}`, "ro"],
    ...preloadRecords(sources.preload),
    ["text", `${OUTER.rootfs}${GUEST.filters}`, filters, "444"],
  ];
}

function preloadRecords(library: string | null): SpecRecord[] {
  if (library === null) return [];
  return [
    ["bind", library, `${OUTER.rootfs}${GUEST.preload}`, "ro"],
    ["text", `${OUTER.rootfs}/etc/ld.so.preload`, `${GUEST.preload}\n`, "444"],
  ];
}

/** Which field of a record is a path inside the sandbox (native/mounts.h). */
const PATH_FIELD: Record<string, number> = { dir: 1, text: 1, tmpfs: 1, mask: 1, noexec: 1, ro: 1, link: 2, bind: 2 };

function moved(record: SpecRecord): SpecRecord[] {
  if (record[0] === "root") return [];
  const at = PATH_FIELD[record[0]];
  if (at === undefined) throw new RangeError(`a guest's root cannot have a record ${record[0]}`);
  const path = String(record[at]);
  if (path.startsWith("/dev/")) return [];
  return [record.map((field, i) => (i === at ? `${OUTER.rootfs}${path}` : field)) as SpecRecord];
}
