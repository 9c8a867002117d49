import type { SelfTest } from "@plastron/contracts";
import { syscallNumbers } from "../seccomp/syscalls.ts";

/**
 * Self-tests are Python programs. They exit 0 if the thing was possible, 13 if it was denied, and 1 if neither is clear: a test
 * that trips over something else proves nothing.
 */
const PRELUDE = `
import ctypes, errno, os, sys
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
DENIED = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSYS)

def call(numbers, *args):
    """The errno of a raw system call, 0 where it went through. All 64 bits of each argument are passed on."""
    ctypes.set_errno(0)
    words = [a if isinstance(a, (bytes, ctypes.Array, ctypes.Structure)) else ctypes.c_ulong(a) for a in args]
    result = _libc.syscall(ctypes.c_long(numbers[os.uname().machine]), *words)
    return ctypes.get_errno() if result < 0 else 0

def attempt(action, *args, **more):
    """The errno of a Python call, 0 where it went through."""
    try:
        action(*args, **more)
        return 0
    except OSError as problem:
        return problem.errno

def judge(results, denied=DENIED, reached=()):
    """results: what was tried -> errno. 'reached' are errors that the kernel gives only behind the control."""
    possible = [name for name, error in results.items() if error == 0 or error in reached]
    strange = [(name, error) for name, error in results.items() if error != 0 and error not in reached and error not in denied]
    print({name: errno.errorcode.get(error, error) for name, error in results.items()}, flush=True)
    sys.exit(0 if possible else 1 if strange or not results else 13)

def done(possible):
    sys.exit(0 if possible else 13)

def works(*ways):
    """The first way should work. Where another rule of the same policy forbids that one (EPERM), the next is tried."""
    for way in ways:
        error = attempt(way)
        if error != errno.EPERM:
            sys.exit(1 if error else 0)
    sys.exit(1)
`;

/** Python that starts a program (`start`: errno or 0), and that puts one under any path, made in the workspace where it is relative (`plant`). */
export const STARTING = `
import subprocess
PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
def run(path):
    subprocess.run([path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=2)
def start(path):
    try:
        return attempt(run, path)
    except subprocess.TimeoutExpired:
        return 0
def plant(name):
    path = os.path.join(os.getcwd(), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open("/usr/bin/env", "rb") as source, open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o755), "wb") as copy:
        copy.write(source.read())
    return path
`;

/** The numbers of a call as a Python dict by machine, for \`call\`. A machine that lacks the call is left out. */
export function numbers(name: string): string {
  const entries = (["x86_64", "aarch64"] as const).flatMap((arch) => {
    const number = syscallNumbers(arch).get(name);
    return number === undefined ? [] : [`"${arch}": ${number}`];
  });
  return `{${entries.join(", ")}}`;
}

interface Probe {
  id: string;
  forbidden: string;
  allowed: string;
  /**
   * What lets `forbidden` succeed: a key of `Confinement.weak`, or a field of the confinement that is empty in the weak one
   * (`hidden`, `noexec_writable`). null: the attack fails without our control too.
   */
  weakness: string | null;
}

export function pythonProbe({ id, forbidden, allowed, weakness }: Probe): SelfTest {
  return { id, runtime: "python3", forbidden: `${PRELUDE}${forbidden}`, allowed: `${PRELUDE}${allowed}`, weakness };
}
