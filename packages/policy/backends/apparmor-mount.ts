import type { Intent, MountFlag } from "../orders/order.ts";
import type { Said } from "./apparmor.ts";
import { appArmorGlob } from "./apparmor-text.ts";

type Mount = Extract<Intent, { kind: "mount" }>;

/**
 * One line for each kind of mount that is meant. Where the kernel compares all options of a call with the list, every plain one
 * is in it, or `MS_REMOUNT|MS_NOSUID` would get by; for binds and moves it drops the others first (apparmor/mount.c).
 */
export function mountLines(intent: Mount): Said {
  const flags = new Set(intent.flags);
  try {
    const source = intent.source === "**" || intent.source === "/**" ? null : appArmorGlob(intent.source, true);
    const type = intent.fstype === "*" || intent.fstype === "none" ? "" : ` fstype="${fstype(intent.fstype)}"`;
    const everyMount = EVERY.every((flag) => flags.has(flag)) && source === null;
    const lines = everyMount && !type ? ["mount"] : [...EVERY].filter((flag) => flags.has(flag)).flatMap((flag) => lineOf(flag, source, type));
    if (flags.has("umount")) lines.push(source === null ? "umount" : `umount ${source}`);
    return { lines: [...new Set(lines)], notes: [] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { lines: [], notes: [`${error.message}: nothing is matched`] };
  }
}

const EVERY: readonly MountFlag[] = ["new", "bind", "remount", "move", "private", "slave", "shared", "unbindable"];

/** A remount and a change of propagation have no source: what is meant is where they happen. */
function lineOf(flag: MountFlag, source: string | null, type: string): string[] {
  switch (flag) {
    case "new":
      return type ? [`mount${type}${source === null ? "" : ` ${source}`}`] : [`mount options in (${PLAIN})${source === null ? "" : ` ${source}`}`];
    case "bind":
      return [`mount options in (bind, rbind) ${source ?? '"/**"'} -> "/**"`];
    case "move":
      return [`mount options in (move) ${source ?? '"/**"'} -> "/**"`];
    case "remount":
      return [`mount options in (${PLAIN}, remount, bind, rbind) -> ${source ?? '"/**"'}`];
    case "private":
    case "slave":
    case "shared":
    case "unbindable":
      return [`mount options in (make-${flag}, make-r${flag}, silent) -> ${source ?? '"/**"'}`];
    default:
      return [];
  }
}

const PLAIN = "ro, nosuid, nodev, noexec, sync, mand, dirsync, noatime, nodiratime, silent, relatime, iversion, strictatime";

function fstype(name: string): string {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name)) throw new RangeError(`no file system is called ${JSON.stringify(name.slice(0, 40))}`);
  return name;
}
