import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { findPostgres, type PostgresBinaries } from "./binaries.ts";
import { clearLeftovers } from "./leftovers.ts";
import { type Identity, socketDirectory } from "./socket-directory.ts";

/** A private PostgreSQL that belongs to this process. */
export interface Cluster {
  connection: { host: string; port: number; user: string; database: string };
  pid: number;
  version: number;
  source: PostgresBinaries["source"];
  /** Resolves when the postmaster ended, wanted or not. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Absolute. Made if it does not exist; holds `data/` and, where short enough, `socket/`. */
  home: string;
  /** Needed where the caller is root, which PostgreSQL refuses to be. */
  identity?: Identity;
  log?: (line: string) => void;
  /** Settings of tests, `name=value`. */
  settings?: string[];
}

/**
 * Starts the private cluster, making it first where there is none, and returns when it answers.
 * It listens on a unix socket in a 0700 directory and nowhere else, so the file system is the password.
 *
 * @throws Error that carries PostgreSQL's own last lines
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const data = join(options.home, "data");
  ownDirectory(options.home, options.identity);
  const binaries = await findPostgres(join(options.home, "lib"), clusterMajor(data));
  const socketDir = socketDirectory(options.home, options.identity);
  if (!existsSync(join(data, "PG_VERSION"))) await initialise(binaries, options, data);
  await clearLeftovers(data, socketDir);
  const lines = new LastLines(options.log);
  const child = launch(binaries, options, data, socketDir);
  child.stderr?.on("data", (chunk: Buffer) => lines.push(chunk));
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`PostgreSQL ended with ${signal ?? `code ${code}`}`));
    child.once("error", (error) => resolve(`PostgreSQL could not be started: ${error.message}`));
  });
  await untilReady(data, child, ended, lines);
  return {
    connection: { host: socketDir, port: 5432, user: "plastron", database: "postgres" },
    pid: child.pid as number,
    version: binaries.major,
    source: binaries.source,
    ended,
    stop: () => stop(child, ended),
  };
}

/** initdb works in a directory beside and is renamed last, so that a cluster is whole or absent. */
async function initialise(binaries: PostgresBinaries, options: ClusterOptions, data: string): Promise<void> {
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const initdb = [
    join(binaries.bin, "initdb"),
    ...["-D", fresh, "-U", "plastron", "-E", "UTF8", "--no-locale", "-A", "trust", "--data-checksums", "--no-instructions"],
    ...(options.settings?.includes("fsync=off") ? ["--no-sync"] : []),
  ];
  const run = (argv: string[]) => promisify(execFile)(argv[0] as string, argv.slice(1), { ...options.identity, cwd: options.home, env: environment(binaries) });
  try {
    await run(initdb);
  } catch (error) {
    // initdb wants a passwd entry for its uid, and the server's uid need not have one: a user namespace lends it nobody's.
    if (!/could not look up effective user ID/.test(String((error as { stderr?: string }).stderr))) throw error;
    rmSync(fresh, { recursive: true, force: true });
    await run(["unshare", "--user", "--map-user=65534", "--map-group=65534", "--", ...initdb]).catch((cause: Error) => {
      throw new Error(
        `initdb wants a passwd entry for uid ${options.identity?.uid ?? process.getuid?.()}, and a user namespace is refused here: add a user with it`,
        { cause },
      );
    });
  }
  renameSync(fresh, data);
}

/** Settings for a small machine. Statements never reach the log: they carry tenants' data. */
function settings(binaries: PostgresBinaries, socketDir: string): string[] {
  return [
    ...["listen_addresses=", `unix_socket_directories=${socketDir}`, "unix_socket_permissions=0700", "max_connections=40"],
    ...["shared_buffers=32MB", "work_mem=4MB", "maintenance_work_mem=32MB", "huge_pages=off", "jit=off"],
    ...["max_worker_processes=2", "max_logical_replication_workers=0", "max_parallel_workers_per_gather=0", "autovacuum=on", "autovacuum_max_workers=1"],
    ...["fsync=on", "synchronous_commit=on", "wal_level=minimal", "max_wal_senders=0", "max_wal_size=256MB", "checkpoint_timeout=15min"],
    ...[
      "log_statement=none",
      "log_min_error_statement=panic",
      "log_parameter_max_length_on_error=0",
      "log_checkpoints=off",
      "TimeZone=UTC",
      "log_timezone=UTC",
    ],
    ...(binaries.major >= 18 ? ["io_method=sync"] : []), // no I/O workers: each costs memory that an idle server does not need
  ];
}

function launch(binaries: PostgresBinaries, options: ClusterOptions, data: string, socketDir: string): ChildProcess {
  const arguments_ = [...settings(binaries, socketDir), ...(options.settings ?? [])].flatMap((setting) => ["-c", setting]);
  const postgres = [join(binaries.bin, "postgres"), "-D", data, ...arguments_];
  // The kernel sends the postmaster a fast shutdown when we die in any way, kill -9 included (prctl(2), PR_SET_PDEATHSIG).
  const guarded = existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "INT", "--", ...postgres] : postgres;
  return spawn(guarded[0] as string, guarded.slice(1), {
    ...options.identity,
    cwd: options.home,
    env: environment(binaries),
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // its own session: the terminal's Ctrl-C is for the server, which stops PostgreSQL last
  });
}

/** `ready` in line 8 of postmaster.pid (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_PM_STATUS) is what pg_ctl waits for as well. */
async function untilReady(data: string, child: ChildProcess, ended: Promise<string>, lines: LastLines): Promise<void> {
  let over: string | undefined;
  void ended.then((reason) => {
    over = reason;
  });
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(15)) {
    if (over !== undefined) throw new Error(`${over}: ${lines.text()}`);
    const file = existsSync(join(data, "postmaster.pid")) ? readFileSync(join(data, "postmaster.pid"), "utf8").split("\n") : [];
    if (Number(file[0]) === child.pid && file[7]?.trim() === "ready") return;
  }
  child.kill("SIGQUIT");
  throw new Error(`PostgreSQL was not ready after 60 s: ${lines.text()}`);
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGINT");
  const hurry = setTimeout(() => child.kill("SIGQUIT"), 10_000);
  await ended;
  clearTimeout(hurry);
}

/** Only what PostgreSQL needs: the server's own variables may hold keys, and /proc/PID/environ outlives them. */
function environment(binaries: PostgresBinaries): Record<string, string> {
  return { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC", ...binaries.env };
}

function ownDirectory(path: string, identity?: Identity): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (identity) chownSync(path, identity.uid, identity.gid);
}

function clusterMajor(data: string): number | undefined {
  const file = join(data, "PG_VERSION");
  return existsSync(file) ? Number.parseInt(readFileSync(file, "utf8"), 10) : undefined;
}

/** PostgreSQL's log, line by line to `log`, with the last ones kept for the error of a failed start. */
class LastLines {
  #lines: string[] = [];
  readonly #log: ((line: string) => void) | undefined;
  constructor(log?: (line: string) => void) {
    this.#log = log;
  }
  push(chunk: Buffer): void {
    for (const line of chunk.toString("utf8").split("\n")) {
      if (line.trim() === "") continue;
      this.#lines = [...this.#lines.slice(-9), line];
      this.#log?.(line);
    }
  }
  text(): string {
    return this.#lines.join(" | ") || "it said nothing";
  }
}
