import { chownSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A user id to run PostgreSQL under, where the caller is root (tests); otherwise everything is the caller's own. */
export interface Identity {
  uid: number;
  gid: number;
}

/** sockaddr_un holds 108 bytes with the closing NUL (unix(7)); PostgreSQL adds a file name to the directory. */
const LONGEST_DIRECTORY = 107 - "/.s.PGSQL.5432".length;

/**
 * The directory of the unix socket: `home/socket`, or where that path is too long for a socket address, a private directory
 * under the temporary directory whose name is recorded in `home/socket-directory`.
 *
 * A shared temporary directory is hostile ground: the directory is made by mkdtemp, and a recorded one is taken again only if it
 * is a real directory (no link) of our uid that nobody else may enter. Whoever may enter it is the database's superuser.
 */
export function socketDirectory(home: string, identity?: Identity): string {
  const near = join(home, "socket");
  if (Buffer.byteLength(near) <= LONGEST_DIRECTORY) {
    mkdirSync(near, { recursive: true, mode: 0o700 });
    if (identity) chownSync(near, identity.uid, identity.gid);
    return near;
  }
  const record = join(home, "socket-directory");
  const recorded = read(record);
  if (recorded !== undefined && isPrivate(recorded, identity)) return recorded;
  const made = mkdtempSync(join(tmpdir().length > 60 ? "/tmp" : tmpdir(), "plastron-pg-"));
  if (identity) chownSync(made, identity.uid, identity.gid);
  writeFileSync(`${record}.new`, made);
  renameSync(`${record}.new`, record);
  return made;
}

function isPrivate(path: string, identity?: Identity): boolean {
  try {
    const stat = lstatSync(path);
    return stat.isDirectory() && stat.uid === (identity?.uid ?? process.getuid?.()) && (stat.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
