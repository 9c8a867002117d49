import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Limits, PlastronError, type Runtime } from "@plastron/contracts";
import { bubblewrapArguments, type Contents, reporter } from "./arguments.ts";
import type { Staging } from "./staging.ts";

const SCRIPT = join(import.meta.dirname, "launch.sh");
const LAUNCHER_ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };
/** Descriptors of the launcher: 3 its report, 4 its hold, 5 the reporter's, 6 bubblewrap's info. */
const REPORT = 5;
const INFO = 6;
const FIRST_STAGED = 7;

export interface LaunchPlan {
  /** 0: this process is not root, so the sandbox has its own uid outside. */
  hostUid: number;
  runtime: Runtime;
  limits: Limits;
  noexecWritable: boolean;
  joins: string[];
  contents: Contents;
  staging: Staging;
  command: string[];
  reporter: "perl" | "python3";
}

/** A sandbox on its way or running. Every promise settles; none rejects. */
export interface Launched {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  /** The program is about to start (true), or the launch failed (false). */
  started: Promise<boolean>;
  /** All processes of the sandbox are dead. `waitStatus` as of wait(2), null where it was not reported. */
  ended: Promise<{ bubblewrapCode: number | null; waitStatus: number | null }>;
  /** Kills every process of the sandbox at once: its pid 1 takes the namespace with it. */
  kill(): void;
  /** The workspace, readable between `ended` and `release`. */
  workspace: string;
  box: string;
  /** Lets the launcher go, and with it the last mount. Resolves when it is gone. */
  release(): Promise<void>;
}

/** Starts one sandbox. Errors: sandbox_failed when a process cannot be spawned. */
export function launch(plan: LaunchPlan): Launched {
  const child = spawnLauncher(plan);
  const [stdin, stdout, stderr, report, hold, told, info] = child.stdio as unknown as [Writable, Readable, Readable, Readable, Writable, Readable, Readable];
  for (const stream of [stdin, stdout, stderr, report, hold, told, info]) stream.on("error", () => {});
  const exited = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });

  let pidOne: number | undefined;
  let over = false;
  let killed = false;
  let waitStatus: number | null = null;
  const kill = () => {
    killed = true;
    if (over) return;
    if (pidOne === undefined) endGroup(child);
    else signalQuietly(pidOne);
  };
  lines(info, (line) => {
    const found = line.match(/"child-pid": (\d+)/);
    if (found) pidOne = Number(found[1]);
    if (found && killed) kill();
  });
  const started = new Promise<boolean>((resolve) => {
    lines(told, (line) => {
      if (line === "start") resolve(true);
      const status = line.match(/^status (\d{1,9})$/);
      if (status) waitStatus = Number(status[1]);
    });
    void exited.then(() => resolve(false));
    told.once("close", () => resolve(false));
  });
  const ended = new Promise<{ bubblewrapCode: number | null; waitStatus: number | null }>((resolve) => {
    const toldAll = new Promise<void>((done) => void told.once("close", done));
    const finish = (bubblewrapCode: number | null) => {
      over = true;
      void Promise.race([toldAll, exited]).then(() => resolve({ bubblewrapCode, waitStatus }));
    };
    lines(report, (line) => {
      const found = line.match(/^end (\d+)$/);
      if (found) finish(Number(found[1]));
    });
    void exited.then(() => finish(null));
  });

  return {
    stdin,
    stdout,
    stderr,
    started,
    ended,
    kill,
    box: `/proc/${child.pid}/root/run/box`,
    workspace: `/proc/${child.pid}/root/run/box/work`,
    async release() {
      hold.end();
      const late = setTimeout(() => endGroup(child), 2000);
      await exited;
      clearTimeout(late);
    },
  };
}

function spawnLauncher(plan: LaunchPlan): ChildProcess {
  const staged = [...plan.staging.files.map((file) => file.fd), ...(plan.staging.seccomp === null ? [] : [plan.staging.seccomp])];
  const fds = {
    info: INFO,
    report: REPORT,
    seccomp: plan.staging.seccomp === null ? null : FIRST_STAGED + staged.length - 1,
    files: plan.staging.files.map((file, i) => ({ ...file, fd: FIRST_STAGED + i })),
  };
  const command = [...reporter(plan.reporter, REPORT), ...plan.command];
  const argv = [
    ...["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"],
    ...(plan.hostUid === 0 ? ["--user", "--map-root-user"] : []),
    ...["bash", SCRIPT, ...scriptArguments(plan, FIRST_STAGED + staged.length - 1)],
    ...bubblewrapArguments(plan.contents, fds, command),
  ];
  const child = spawnOrExplain(argv, staged);
  if (child.pid !== undefined) return child;
  child.once("error", () => {});
  throw new PlastronError("sandbox_failed", "setpriv cannot be started", { hint: "apt-get install util-linux" });
}

function spawnOrExplain(argv: string[], staged: number[]): ChildProcess {
  try {
    const stdio = ["pipe", "pipe", "pipe", "pipe", "pipe", "pipe", "pipe", ...staged] as const;
    return spawn("setpriv", argv, { env: LAUNCHER_ENV, cwd: "/", detached: true, stdio: [...stdio] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "E2BIG") throw new PlastronError("sandbox_failed", `setpriv cannot be started: ${String(error)}`);
    throw new PlastronError("invalid_request", "Arguments and environment are too long together");
  }
}

function scriptArguments({ hostUid, runtime, limits, noexecWritable, joins }: LaunchPlan, lastFd: number): string[] {
  // Limits of single processes stand in where there is no cgroup, and only there: they would hit first and leave no count
  // by which the run could be told what it hit. V8 reserves address space that it never uses, so data says nothing of Node.
  const alone = joins.length === 0;
  return [
    String(hostUid),
    String(limits.workspace_bytes),
    noexecWritable ? ",noexec" : "",
    process.execPath,
    String(limits.open_files),
    alone ? String(limits.pids + OVERHEAD_PIDS) : "",
    alone && runtime !== "nodejs" ? String(Math.ceil(limits.memory_bytes / 1024)) : "",
    String(lastFd),
    joins.join(" "),
  ];
}

/** Processes of ours that count with the program's: bubblewrap twice, the namespace's pid 1 and the reporter. */
export const OVERHEAD_PIDS = 4;

function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) signalQuietly(-child.pid);
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended between our look and now.
  }
}

function lines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    // A hostile program may reach the reporter's pipe: what never ends is not kept.
    rest = (parts.pop() as string).slice(-4096);
    for (const line of parts) onLine(line.trim());
  });
}
