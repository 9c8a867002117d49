import type { Intent, MountFlag } from "../orders/order.ts";
import { appArmorGlob } from "./apparmor-text.ts";
import type { Said } from "./said.ts";

type Mount = Extract<Intent, { kind: "mount" }>;

/**
 * `/proc/**` as a source is /proc too: who mounts the whole mounts what is in it.
 *
 * One line for each kind of mount that is meant. Where the kernel compares all options of a call with the list, every plain one
 * is in it, or `MS_REMOUNT|MS_NOSUID` would get by; for binds and moves it drops the others first (apparmor/mount.c).
 */
export function mountLines(intent: Mount): Said {
  const flags = new Set(intent.flags);
  try {
    const source = intent.source === "**" || intent.source === "/**" ? null : appArmorGlob(intent.source, true).replace(/\/\*\*"$/, '{,/,/**}"');
    const type = intent.fstype === "*" || intent.fstype === "none" ? "" : ` fstype="${fstype(intent.fstype)}"`;
    const every = [...CALLS, ...PROPAGATIONS].every((flag) => flags.has(flag)) && source === null && !type;
    const lines = every ? ["mount"] : CALLS.filter((flag) => flags.has(flag)).map((flag) => lineOf(flag, source, type));
    const propagations = PROPAGATIONS.filter((flag) => flags.has(flag));
    // One line for all: parser 3.0 does not come to an end over one for each.
    if (!every && propagations.length > 0)
      lines.push(`mount options in (${propagations.map((flag) => `make-${flag}, make-r${flag}`).join(", ")}, silent) -> ${source ?? '"/**"'}`);
    if (flags.has("umount")) lines.push(source === null ? "umount" : `umount ${source}`);
    return { lines, notes: [] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { lines: [], notes: [`${error.message}: nothing is matched`] };
  }
}

const CALLS = ["new", "bind", "move", "remount"] as const satisfies readonly MountFlag[];
const PROPAGATIONS = ["private", "slave", "shared", "unbindable"] as const satisfies readonly MountFlag[];

/** A remount has no source, nor has a change of propagation: what is meant is the place where they happen. */
function lineOf(flag: (typeof CALLS)[number], source: string | null, type: string): string {
  switch (flag) {
    case "new":
      return `mount${type || ` options in (${PLAIN})`}${source === null ? "" : ` ${source}`}`;
    case "bind":
      return `mount options in (bind, rbind) ${source ?? '"/**"'} -> "/**"`;
    case "move":
      return `mount options in (move) ${source ?? '"/**"'} -> "/**"`;
    case "remount":
      return `mount options in (${PLAIN}, remount, bind, rbind) -> ${source ?? '"/**"'}`;
  }
}

const PLAIN = "ro, nosuid, nodev, noexec, sync, mand, dirsync, noatime, nodiratime, silent, relatime, iversion, strictatime";

function fstype(name: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw new RangeError(`no file system is called ${JSON.stringify(name.slice(0, 40))}`);
  return name;
}
