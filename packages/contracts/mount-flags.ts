/** MS_* of mount(2), as upstream names them. */
const NAMES: readonly (readonly [bit: bigint, name: string])[] = [
  [0x20n, "remount"],
  [0x1000n, "bind"],
  [0x2000n, "move"],
  [0x4000n, "rec"],
  [0x20000n, "unbindable"],
  [0x40000n, "private"],
  [0x80000n, "slave"],
  [0x100000n, "shared"],
];

/** What a call does to mounts, in the words of a violation; `flags` is the fourth argument of mount(2). Empty where its arguments do not say. */
export function mountFlagNames(call: string, flags: bigint): string[] {
  if (call.startsWith("umount")) return ["umount"];
  if (call === "move_mount") return ["move"];
  if (call !== "mount") return [];
  const names = NAMES.filter(([bit]) => (flags & bit) !== 0n).map(([, name]) => name);
  return names.length > 0 ? names : ["new"];
}
