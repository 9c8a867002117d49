import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

/** Loads a filter for real, as a launcher would (no_new_privs, then seccomp), and becomes a program. Nobody's uid if started by root. */

export const PYTHON = "/usr/bin/python3";
export const NOBODY = 65534;

/** Why filters cannot be tried here, or null. */
export function untriable(): string | null {
  if (process.platform !== "linux") return "filters are Linux's";
  return existsSync(PYTHON) ? null : `${PYTHON} is missing`;
}

const LOADER = `
import base64, ctypes, os, sys
code = base64.b64decode(sys.argv[1])
held = ctypes.create_string_buffer(code, len(code))
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
program = Program(len(code) // 8, ctypes.addressof(held))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.syscall(277 if os.uname().machine == "aarch64" else 317, 1, 0, ctypes.byref(program)):
    sys.exit("the kernel refused the filter: errno %d" % ctypes.get_errno())
os.execvp(sys.argv[2], sys.argv[2:])
`;

export interface Outcome {
  exit_code: number | null;
  signal: string | null;
  stdout: string;
  stderr: string;
}

/** `filter`: base64 of struct sock_filter[]. Killed after 20 s. */
export function runFiltered(filter: string, command: readonly string[], cwd: string): Promise<Outcome> {
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, ["-c", LOADER, filter, ...command], {
      cwd,
      ...user,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: "/usr/bin:/bin", HOME: cwd },
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (exit_code, signal) => resolve({ exit_code, signal, stdout, stderr }));
  });
}
