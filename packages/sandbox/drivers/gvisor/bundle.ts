import type { Limits } from "@plastron/contracts";

/** Where things are in the sandbox's outer root, which only runsc sees, and in the guest. */
export const OUTER = { rootfs: "/guest", bundle: "/bundle", door: "/door", workspace: "/workspace" } as const;
export const GUEST = {
  door: "/run/plastron",
  filters: "/opt/plastron/filters",
  enter: "/opt/plastron/plastron-enter",
  preload: "/opt/plastron/libplastron-guest.so",
  uid: 1000,
} as const;

export interface Guest {
  command: string[];
  environment: string[];
  limits: Pick<Limits, "workspace_bytes" | "open_files" | "pids">;
  /** Nothing that the program writes may be executed. */
  noexec: boolean;
  /** Files of the root that may be read and not executed. */
  unexecutable: string[];
}

/** Writable places besides the workspace. */
export const TEMPORARY = ["/tmp", "/dev/shm"] as const;
/** Each costs a guest's start a millisecond; what is beyond them is stopped by the host's mounts alone (root.ts). */
const MAX_UNEXECUTABLE = 64;

/** The OCI runtime specification of one guest. */
export function ociConfig({ command, environment, limits, noexec, unexecutable }: Guest): object {
  return {
    ociVersion: "1.0.2",
    hostname: "sandbox",
    /* It is read-only already, by its mount; to say so again is a remount, which a user namespace is refused. */
    root: { path: OUTER.rootfs, readonly: false },
    process: {
      terminal: false,
      user: { uid: GUEST.uid, gid: GUEST.uid },
      /* The starter is one process more than the program may have. */
      args: [GUEST.enter, `${GUEST.door}/socket`, GUEST.filters, String(limits.open_files), String(limits.pids + 1), ...command],
      env: environment,
      cwd: "/workspace",
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
      /* When memory runs out it is the guest's kernel that goes, and with it everything at once. */
      oomScoreAdj: 1000,
    },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] },
      ...writable(limits.workspace_bytes, noexec),
      bind(OUTER.door, GUEST.door, ["ro", "noexec"]),
      ...unexecutable.slice(0, MAX_UNEXECUTABLE).map((path) => bind(OUTER.rootfs + path, path, ["ro", "noexec"])),
    ],
    linux: { namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })) },
  };
}

/**
 * The workspace is a directory of the host (a tmpfs of this sandbox, bounded), so that the supervisor can put files in and take
 * them out. /tmp and /dev/shm are memory of the guest, which is faster, bounded too and counted by our cgroup. But gVisor's own noexec
 * stops execve and not a mapping: where nothing written may be executed they are of the host as well, whose noexec stops both.
 */
function writable(bytes: number, noexec: boolean): object[] {
  const exec = noexec ? ["noexec"] : [];
  const temporary = TEMPORARY.map((path) => {
    if (noexec) return bind(outerTemporary(path), path, ["rw", "noexec"]);
    const only = path === "/dev/shm" ? ["noexec"] : [];
    return { destination: path, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", `size=${bytes}`, ...only] };
  });
  return [...temporary, bind(OUTER.workspace, "/workspace", ["rw", ...exec])];
}

/** Where a temporary place of the guest is in the outer root. */
export const outerTemporary = (path: string): string => `/temporary${path.replaceAll("/", "-")}`;

const bind = (source: string, destination: string, options: string[]) => ({ destination, type: "bind", source, options: ["nosuid", "nodev", ...options] });

const WHO = ["thread_id", "group_id", "process_name"];

/**
 * How often the guest's kernel tries to send a message where nobody has read the ones before (each time twice as long after the
 * last, 10 ms at most: about a second). It tells what it dropped with its next message alone: a drop at a run's very end would
 * never be told, and who reads is never that far behind. A program that floods its trace waits meanwhile.
 */
const TRIES = 100;

/**
 * What the guest's kernel tells the supervisor (native/tracing.c), which passes it on to the driver (trace/): programs, processes,
 * opens, connects and binds, and each end of a call that makes a process or a thread, since nothing else outside could see that
 * one was refused. Each message costs the program a call of the guest's kernel: what happens often (read, stat) is not asked for.
 */
export function traceConfig(): object {
  const ends = (calls: string[], more: object = {}) => calls.map((call) => ({ name: `syscall/${call}/exit`, context_fields: WHO, ...more }));
  const points = [
    ...ends(["clone", "fork", "vfork", "connect", "bind", "execve", "execveat"]),
    ...ends(["open", "creat"], { context_fields: [...WHO, "cwd"] }),
    ...ends(["openat"], { context_fields: [...WHO, "cwd"], optional_fields: ["fd_path"] }),
    ...["clone", "execve", "exit_notify_parent"].map((point) => ({ name: `sentry/${point}`, context_fields: WHO })),
  ];
  const sinks = [{ name: "remote", config: { endpoint: "/state/trace", retries: TRIES } }];
  return { trace_session: { name: "Default", points, sinks } };
}
