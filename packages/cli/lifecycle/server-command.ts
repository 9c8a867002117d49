import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import type { ChildCommand } from "./child.ts";

export interface ServerPlace {
  /** The uid (and gid) that the server shall have; null: it stays the caller's. */
  uid: number | null;
  /** Directory of `packages` and `node_modules`. Absolute, without links. */
  checkout: string;
  /** Directories that it needs beside the code, absolute: its own state and the agent's socket. */
  state: string[];
  /** What it reads beside the code: absolute, and there. */
  reads?: string[];
  /** The Node binary and the script. */
  node: string;
  main: string;
  mayMount: () => boolean;
}

/** Exit code of the view script where the kernel refuses the mounts. */
export const NO_VIEW = 74;
/** What the server reads of a checkout. */
const CODE = ["package.json", "packages", "node_modules", "policies", "rules"];
/** Where a closed umask shows, be it that of the clone or that of `npm ci`. */
const SAMPLES = ["packages/server", "packages/server/main.ts", "node_modules/zod", "node_modules/zod/package.json"];

/**
 * The command that starts the server with nothing but its uid: no capability, no way to get one. Where that uid may not reach the
 * code (a clone under /root, which is 0700), the server gets a mount namespace in which every directory that bars the way is
 * covered by an empty one holding only the code, read-only, and its own state, at their usual paths.
 * Throws Failure start_failed where that is needed and not possible.
 */
export function serverCommand(place: ServerPlace, env: NodeJS.ProcessEnv): ChildCommand {
  const run = [place.node, place.main];
  if (place.uid === null) return { command: run[0] as string, args: run.slice(1), env };
  const drop = [
    "setpriv",
    `--reuid=${place.uid}`,
    `--regid=${place.uid}`,
    "--clear-groups",
    "--no-new-privs",
    "--inh-caps=-all",
    "--bounding-set=-all",
    ...run,
  ];
  const code = [...CODE.map((name) => join(place.checkout, name)).filter((path) => existsSync(path)), place.node, ...(place.reads ?? [])];
  const barriers = barriersTo([...code, ...place.state], place.uid);
  if (barriers.length === 0) return { command: drop[0] as string, args: drop.slice(1), env };
  if (!place.mayMount()) throw noView(barriers, place.uid);
  const script = viewScript(barriers, code.filter(under(barriers)), place.state.filter(under(barriers)), drop);
  return {
    command: "unshare",
    args: ["--mount", "--propagation", "private", "sh", "-c", script],
    env,
    failures: { [NO_VIEW]: noView(barriers, place.uid) },
  };
}

function noView(barriers: string[], uid: number): Failure {
  const why = `the server, uid ${uid}, may not enter ${barriers.join(", ")}, and this machine refuses the mounts that would show it the code`;
  return new Failure("start_failed", why, { hint: "Move the checkout (and --home) where every user may enter, such as /opt/plastron." });
}

/** Containers often keep root without the capability to mount: only trying tells. */
export function mayMount(): boolean {
  return spawnSync("unshare", ["--mount", "--propagation", "private", "true"], { stdio: "ignore" }).status === 0;
}

/**
 * The code itself must be readable by that uid, which a clone under umask 027 or 077 is not: grants reading (never writing) of
 * the entries that the server uses. Says whether it changed anything. Throws where this user may not.
 */
export function makeReadable(checkout: string, node: string): boolean {
  const entries = CODE.map((name) => join(checkout, name)).filter((path) => existsSync(path));
  const samples = [...entries, ...SAMPLES.map((name) => join(checkout, name)).filter((path) => existsSync(path))];
  const ownNode = node.startsWith(`${checkout}/`) ? [node] : [];
  if ([...samples, ...ownNode].every(openToAll)) return false;
  for (const path of [...entries, ...ownNode]) openTree(path);
  return true;
}

/** The outermost directories on the way to each path that `uid` may not enter. */
export function barriersTo(paths: string[], uid: number): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const barrier = ancestors(path).find((directory) => !mayEnter(directory, uid));
    if (barrier !== undefined) found.add(barrier);
  }
  return [...found].filter((path) => ![...found].some((other) => path !== other && path.startsWith(`${other}/`)));
}

/** From the root down, the path itself not included. */
function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

function mayEnter(directory: string, uid: number): boolean {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (!stat) return true;
  if (stat.uid === uid) return (stat.mode & 0o100) !== 0;
  return (stat.mode & (stat.gid === uid ? 0o010 : 0o001)) !== 0;
}

const under = (barriers: string[]) => (path: string) => barriers.some((barrier) => path.startsWith(`${barrier}/`));

/** Opens the barriers first (a descriptor stays good when its path is covered), covers them, binds what is to be seen out of them, drops, runs. */
function viewScript(barriers: string[], readOnly: string[], writable: string[], run: string[]): string {
  const within = (path: string) => {
    const at = barriers.findIndex((barrier) => path.startsWith(`${barrier}/`));
    return `/proc/self/fd/${at + 3}${path.slice(barriers[at]?.length)}`;
  };
  const binds = [...readOnly.map((path) => ({ path, mode: "ro" })), ...writable.map((path) => ({ path, mode: "rw" }))];
  // dash knows descriptors 3 to 9 only.
  if (barriers.length > 7) throw new RangeError("too many closed directories for one view");
  const fail = `|| exit ${NO_VIEW}`;
  return [
    "umask 022",
    ...barriers.map((path, i) => `exec ${i + 3}<${quote(path)}`),
    ...barriers.map((path) => `mount -t tmpfs -o mode=0755,size=256k,nosuid,nodev plastron-view ${quote(path)} ${fail}`),
    ...binds.flatMap(({ path, mode }) => [
      statSync(path).isDirectory() ? `mkdir -p ${quote(path)} ${fail}` : `mkdir -p ${quote(dirname(path))} && : >${quote(path)} ${fail}`,
      `mount --no-canonicalize --bind -o ${mode},nosuid,nodev ${quote(within(path))} ${quote(path)} ${fail}`,
    ]),
    `exec ${barriers.map((_, i) => `${i + 3}<&-`).join(" ")}`,
    `exec ${run.map(quote).join(" ")}`,
  ].join("\n");
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function openToAll(path: string): boolean {
  const stat = statSync(path);
  const needed = stat.isDirectory() ? 0o005 : 0o004;
  return (stat.mode & needed) === needed;
}

function openTree(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  const mode = stat.mode & 0o7777;
  const wanted = mode | 0o044 | (stat.isDirectory() || mode & 0o100 ? 0o011 : 0);
  if (wanted !== mode) chmodSync(path, wanted);
  if (stat.isDirectory()) for (const name of readdirSync(path)) openTree(join(path, name));
}
