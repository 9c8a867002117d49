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
  noexecWritable: boolean;
  hostname?: string;
}

/**
 * The OCI runtime specification of one guest. The workspace is a directory of the host (a tmpfs of this sandbox, bounded), so that the
 * supervisor can put files in and take them out; /tmp and /dev/shm are memory of the guest, bounded too and counted by our cgroup.
 */
export function ociConfig({ command, environment, limits, noexecWritable, hostname = "sandbox" }: Guest): object {
  const own = noexecWritable ? ["noexec"] : [];
  const memory = (mode: string) => ["nosuid", "nodev", `mode=${mode}`, `size=${limits.workspace_bytes}`];
  return {
    ociVersion: "1.0.2",
    hostname,
    /* It is read-only already, by its mount; to say so again is a remount, which a user namespace is refused. */
    root: { path: OUTER.rootfs, readonly: false },
    process: {
      terminal: false,
      user: { uid: GUEST.uid, gid: GUEST.uid },
      /* The starter itself and the interpreter's parent: one process more than the program may have. */
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
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: [...memory("1777"), ...own] },
      { destination: "/dev/shm", type: "tmpfs", source: "tmpfs", options: [...memory("1777"), "noexec"] },
      { destination: "/workspace", type: "bind", source: OUTER.workspace, options: ["rw", "nosuid", "nodev", ...own] },
      { destination: GUEST.door, type: "bind", source: OUTER.door, options: ["ro", "nosuid", "nodev", "noexec"] },
    ],
    linux: { namespaces: ["pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })) },
  };
}

/**
 * What the guest's kernel tells the keeper (native/guest/trace.c): each end of a call that makes a process or a thread. Nothing
 * else outside could see that one was refused.
 */
export function traceConfig(): object {
  const points = ["clone", "fork", "vfork"].map((call) => ({ name: `syscall/${call}/exit`, context_fields: [] }));
  const sinks = [{ name: "remote", config: { endpoint: "/state/trace", retries: 3 } }];
  return { trace_session: { name: "Default", points, sinks } };
}
