import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Failure } from "../failure.ts";

/**
 * What lies under one home. It belongs to whoever runs `up`; only `server/` is the server's own, so that a server that was
 * taken over can neither swap the local key nor plant a link where the supervisor (root) writes.
 */
export interface Home {
  root: string;
  lock: string;
  /** What runs: the supervisor's record, read by `status` and `down`. */
  state: string;
  /** {url, key} of this machine's own CLI, 0600. */
  cli: string;
  logs: string;
  agent: string;
  server: string;
  /** What `plastron advisories update` keeps; the server reads it. */
  advisories: string;
  socket: string;
}

/** The directory of the launcher: where `packages`, `policies` and `node_modules` lie. */
export const CHECKOUT = realpathSync(resolve(import.meta.dirname, "../../.."));

/**
 * Type stripping costs every start 40 ms and 10 MB; Node keeps its result here. As safe as the sources beside it, whose owner alone
 * may write it, which a shared temporary directory would not be.
 */
export function withCompileCache(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env.NODE_DISABLE_COMPILE_CACHE ? env : { NODE_COMPILE_CACHE: join(CHECKOUT, "node_modules/.cache/plastron"), ...env };
}

/** `--home`, else PLASTRON_HOME, else `.plastron` beside the launcher (whatever the current directory is). */
export function resolveHome(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): Home {
  const chosen = flag ?? env.PLASTRON_HOME;
  return homeAt(resolveLinks(chosen ? resolve(chosen) : join(CHECKOUT, ".plastron")));
}

export function homeAt(root: string): Home {
  return {
    root,
    lock: join(root, "up.lock"),
    state: join(root, "up.json"),
    cli: join(root, "cli.json"),
    logs: join(root, "logs"),
    agent: join(root, "agent"),
    server: join(root, "server"),
    advisories: join(root, "advisories"),
    socket: socketPath(root),
  };
}

/** Makes the directories. `serverUid` is null where server and supervisor are one user. Throws Failure where it may not. */
export function prepareHome(home: Home, serverUid: number | null): void {
  orUnusable(home, () => {
    mkdirSync(home.root, { recursive: true, mode: 0o755 });
    chmodSync(home.root, serverUid === null ? 0o700 : 0o711);
    ownDirectory(home.logs, 0o700);
    ownDirectory(home.agent, serverUid === null ? 0o700 : 0o711);
    // The agent gives this one to the server; it must exist before, for the server's view of the file system.
    mkdirSync(dirname(home.socket), { recursive: true, mode: 0o700 });
    ownDirectory(home.server, 0o700, serverUid);
    // There before the server is: its view of the file system is made once, and later updates are to be seen in it.
    mkdirSync(home.advisories, { recursive: true, mode: 0o755 });
  });
}

/** A log of the supervisor's own, which must be open before the supervisor exists. Returns its path. */
export function prepareLogs(home: Home, name: string): string {
  orUnusable(home, () => {
    mkdirSync(home.root, { recursive: true, mode: 0o755 });
    ownDirectory(home.logs, 0o700);
  });
  return join(home.logs, name);
}

/** Replaces a file in one step, with its mode from the first moment: 0600 unless there is no secret in it. */
export function writeJson(path: string, value: unknown, mode: 0o600 | 0o644 = 0o600): void {
  const fresh = `${path}.new`;
  const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW, mode);
  try {
    fchmodSync(fd, mode);
    writeFileSync(fd, `${JSON.stringify(value, null, 2)}\n`);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, path);
}

/** The parsed file, or null where it is not there, not readable or not JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function orUnusable(home: Home, make: () => void): void {
  try {
    make();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("start_failed", `${home.root} cannot be used as home: ${(error as Error).message}`, {
      hint: "Give a directory that you may write with --home DIR.",
    });
  }
}

/** A directory of this process's user, never a link that someone else put there. */
function ownDirectory(path: string, mode: number, uid: number | null = null): void {
  mkdirSync(path, { recursive: true, mode });
  const stat = lstatSync(path);
  const me = process.getuid?.() ?? 0;
  if (!stat.isDirectory() || (stat.uid !== me && stat.uid !== uid))
    throw new Failure("start_failed", `${path} is not a directory of this user`, { hint: "Remove it, or choose another --home." });
  if (uid !== null && stat.uid !== uid) chownSync(path, uid, uid);
  chmodSync(path, mode);
}

/** Unix socket names hold 107 bytes (unix(7)): a deep home gets a short place of its own. */
function socketPath(root: string): string {
  const inside = join(root, "run", "agent.sock");
  if (Buffer.byteLength(inside) <= 100) return inside;
  const name = `plastron-${createHash("sha256").update(root).digest("hex").slice(0, 16)}`;
  return join(process.getuid?.() === 0 && existsSync("/run") ? "/run" : (process.env.XDG_RUNTIME_DIR ?? tmpdir()), name, "agent.sock");
}

/** The real path of what may not exist yet: links of the existing part are resolved. */
function resolveLinks(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  const parent = dirname(path);
  return parent === path ? path : join(resolveLinks(parent), path.slice(parent.length).replace(/^\//, ""));
}
