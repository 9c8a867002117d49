import type { Runtime } from "@plastron/contracts";

export { type Start, startMessage } from "./start-message.ts";

/** Where the launcher binds this folder, read-only, inside every sandbox. */
export const RUNTIMES_DIR = "/opt/plastron/runtimes";
/** The descriptor on which a worker expects its control socket. */
export const CONTROL_FD = 3;
/** Exit code of a worker that could not get ready; its `N` frame says why. */
export const NOT_READY = 97;

export type Mode = "run" | "session";

/** How to start one worker: given to the launcher as is. */
export interface WorkerCommand {
  argv: string[];
  env: Record<string, string>;
}

export interface RuntimeInfo {
  /** Names under which the interpreter is looked for, best first. Real binaries, never shims. */
  interpreters: readonly string[];
  /** Where code is written in the workspace, unless the caller says otherwise. */
  entry: string;
  /** Whether a process that has imported its libraries can fork children for runs. */
  zygote: boolean;
}

export const RUNTIMES: Record<Runtime, RuntimeInfo> = {
  python3: { interpreters: ["python3"], entry: "main.py", zygote: true },
  nodejs: { interpreters: ["node"], entry: "main.js", zygote: false },
  bash: { interpreters: ["bash"], entry: "main.sh", zygote: false },
};

export interface WorkerOptions {
  runtime: Runtime;
  mode: Mode;
  /** Absolute path of the interpreter inside the sandbox. */
  interpreter: string;
  /** Python modules to import before "ready". */
  imports?: readonly string[];
  /** Directory of an image's programs, found after all others. */
  programs?: string | undefined;
  /** Where this folder and the workspace are seen by the worker; the tests run without a sandbox. */
  runtimesDir?: string;
  workspace?: string;
  temporary?: string;
}

/**
 * The command of a worker that waits for one program (run) or for many (session). In run mode the interpreter is started for
 * the entry file, which need not exist yet; a start-up hook of the interpreter waits for the start message, and then the
 * interpreter runs the file itself, so that the program sees nothing that differs from a bare start.
 */
export function workerCommand(options: WorkerOptions): WorkerCommand {
  const { runtime, mode, interpreter, imports = [], programs, runtimesDir = RUNTIMES_DIR, workspace = "/workspace", temporary = "/tmp" } = options;
  const entry = `${workspace}/${RUNTIMES[runtime].entry}`;
  const env: Record<string, string> = {
    PATH: `/opt/plastron/node/bin:/usr/local/bin:/usr/bin:/bin${programs === undefined ? "" : `:${programs}`}`,
    HOME: workspace,
    TMPDIR: temporary,
    LANG: "C.UTF-8",
    PLASTRON_MODE: mode,
  };
  switch (runtime) {
    case "python3":
      if (imports.length > 0) env.PLASTRON_IMPORTS = imports.join(",");
      if (mode === "session") return { argv: [interpreter, `${runtimesDir}/python/session.py`], env };
      return { argv: [interpreter, entry], env: { ...env, PYTHONPATH: `${runtimesDir}/python`, PYTHONINSPECT: "1" } };
    case "nodejs":
      if (mode === "session") return { argv: [interpreter, `${runtimesDir}/node/session.cjs`], env };
      return { argv: [interpreter, "--require", `${runtimesDir}/node/worker.cjs`, entry], env };
    case "bash":
      if (mode === "session") return { argv: [interpreter, "--noprofile", "--norc", `${runtimesDir}/bash/session.sh`], env };
      return { argv: [interpreter, "--noprofile", "--norc", entry], env: { ...env, BASH_ENV: `${runtimesDir}/bash/worker.sh` } };
  }
}

/**
 * The command of a Python zygote: like a run worker, but control speaks with `plastron_zygote_serve` of `library` (a path
 * inside the sandbox), and each child that it forks then behaves as a run worker on its own control socket.
 */
export function zygoteCommand(options: Omit<WorkerOptions, "runtime" | "mode"> & { library: string }): WorkerCommand {
  const { argv, env } = workerCommand({ ...options, runtime: "python3", mode: "run" });
  return { argv, env: { ...env, PLASTRON_MODE: "zygote", PLASTRON_ZYGOTE_LIB: options.library } };
}
