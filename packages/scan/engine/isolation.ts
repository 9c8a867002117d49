import { execFile } from "node:child_process";
import { join } from "node:path";

/**
 * What stands around a worker: programs that each set something and then become the next one, so that the worker is a direct child. No network
 * (a namespace of its own), no privileges, no way to get any, killed with its parent even where it hangs in native code.
 */
export interface Isolation {
  /** Words before `node`. */
  readonly prefix: readonly string[];
  /** What could not be had on this machine, in words for a reader of the report. */
  readonly missing: readonly string[];
}

/** Outside of the ranges that Debian gives to users and services; no file is owned by it. */
const WORKER_UID = "61312";
const CHECKOUT = join(import.meta.dirname, "../../..");

const CANDIDATES: readonly Isolation[] = [
  { prefix: ["unshare", "--net", "--ipc", "--", ...setpriv("--reuid", WORKER_UID, "--regid", WORKER_UID, "--clear-groups")], missing: [] },
  { prefix: ["unshare", "--user", "--net", "--ipc", "--", ...setpriv()], missing: [] },
  { prefix: setpriv("--reuid", WORKER_UID, "--regid", WORKER_UID, "--clear-groups"), missing: ["a network namespace of their own"] },
  { prefix: setpriv(), missing: ["a network namespace of their own", "another user's rights than yours"] },
  { prefix: [], missing: ["a network namespace of their own", "another user's rights than yours", "an end that is sure to come with the parent's"] },
];

function setpriv(...more: string[]): string[] {
  return ["setpriv", "--pdeathsig", "KILL", "--no-new-privs", ...more, "--"];
}

const found = new Map<string, Promise<Isolation>>();

/** The strongest that this machine gives under which a worker can read these, tried once: another user may not see into a private directory of ours. */
export function findIsolation(paths: readonly string[]): Promise<Isolation> {
  const key = paths.join("\0");
  const known = found.get(key) ?? firstThatWorks([join(import.meta.dirname, "worker.ts"), join(CHECKOUT, "node_modules/zod/package.json"), ...paths]);
  found.set(key, known);
  return known;
}

async function firstThatWorks(paths: readonly string[]): Promise<Isolation> {
  for (const candidate of CANDIDATES.slice(process.getuid?.() === 0 ? 0 : 1)) if (await works(candidate, paths)) return candidate;
  return CANDIDATES.at(-1) as Isolation;
}

function works({ prefix }: Isolation, paths: readonly string[]): Promise<boolean> {
  const [program, ...words] = [
    ...prefix,
    "sh",
    "-c",
    'for path; do [ -r "$path" ] || exit 1; [ ! -d "$path" ] || [ -x "$path" ] || exit 1; done',
    "sh",
    ...paths,
  ];
  return new Promise((done) => execFile(program as string, words, { timeout: 5000, env: { PATH: process.env.PATH } }, (error) => done(error === null)));
}
