import type { Intent, MountFlag, Permission } from "./order.ts";

/** Shorter ways to write intents, for rules that have many. */

type Of<Kind extends Intent["kind"]> = Extract<Intent, { kind: Kind }>;

export const files = (permissions: readonly Permission[], ...globs: string[]): Of<"file">[] => globs.map((glob) => ({ kind: "file", glob, permissions }));

/** Lists that are left out match everything. */
export const sockets = (of: Partial<Omit<Of<"socket">, "kind">>): Of<"socket"> => ({ kind: "socket", families: [], types: [], protocols: [], ...of });

/** Every port of each of these addresses, IPv4 or IPv6. */
export const addresses = (...hosts: string[]): Of<"connect">[] => hosts.map((host) => ({ kind: "connect", cidr: hostCidr(host), ports: [] }));

export const hostCidr = (host: string): string => (host.includes("/") ? host : `${host}/${host.includes(":") ? 128 : 32}`);

const MOUNT_FLAGS: readonly MountFlag[] = ["new", "bind", "rec", "remount", "move", "umount", "private", "slave", "shared", "unbindable"];

export const everyMountBut = (...flags: MountFlag[]): Of<"mount"> => ({
  kind: "mount",
  source: "**",
  fstype: "*",
  flags: MOUNT_FLAGS.filter((flag) => !flags.includes(flag)),
});

/** New mounts of these file systems, and showing `from` in a second place. */
export const mountsOf = (fstypes: readonly string[], from?: string): Of<"mount">[] => [
  ...fstypes.map((fstype): Of<"mount"> => ({ kind: "mount", source: "**", fstype, flags: ["new"] })),
  ...(from === undefined ? [] : [{ kind: "mount" as const, source: from, fstype: "none", flags: ["bind", "rec", "remount", "move", "umount"] as const }]),
];
