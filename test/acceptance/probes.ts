import type { Attempt } from "./case.ts";

const PYTHON = `
import errno, os, sys
def ended(action):
    try:
        action()
    except OSError as problem:
        print(errno.errorcode.get(problem.errno, problem.errno), problem, file=sys.stderr)
        sys.exit(13 if problem.errno in (errno.EPERM, errno.EACCES, errno.EROFS) else 14)
    sys.exit(0)
`;

const NODE = `
const ended = (error) => {
  if (error) console.error(error.code, error.message);
  process.exit(!error ? 0 : ["EPERM", "EACCES", "EROFS"].includes(error.code) ? 13 : 14);
};
const attempt = (action) => { try { action(); } catch (error) { ended(error); } ended(); };
`;

/** The shell says why in words only. */
const SHELL = `
ended() {
  [ "$1" = 0 ] && exit 0
  cat /tmp/why >&2
  case "$(</tmp/why)" in *"ermission denied"*|*"not permitted"*|*"ead-only file system"*) exit 13;; esac
  [ "$1" = 126 ] && exit 13
  exit 14
}
`;

export const quoted = (text: string): string => JSON.stringify(text);

export const python = (what: string, code: string, free: Attempt["free"] = 0): Attempt => ({ what, free, programs: { python3: PYTHON + code } });
export const shell = (what: string, command: string, free: Attempt["free"] = 0): Attempt => ({
  what,
  free,
  programs: { bash: `${SHELL}\n( ${command} ) >/tmp/out 2>/tmp/why; ended $?` },
});

/** The same thing from all three. */
export function all(what: string, of: { python3: string; nodejs: string; bash: string }, free: Attempt["free"] = 0): Attempt {
  return {
    what,
    free,
    programs: { python3: PYTHON + of.python3, nodejs: NODE + of.nodejs, bash: `${SHELL}\n( ${of.bash} ) >/tmp/out 2>/tmp/why; ended $?` },
  };
}

export const reading = (path: string): Attempt =>
  all(`read ${path}`, {
    python3: `ended(lambda: open(${quoted(path)}, "rb").read())`,
    nodejs: `attempt(() => require("node:fs").readFileSync(${quoted(path)}));`,
    bash: `text=$(<${path})`,
  });

export const writing = (path: string): Attempt =>
  all(`write ${path}`, {
    python3: `ended(lambda: os.close(os.open(${quoted(path)}, os.O_WRONLY | os.O_CREAT)))`,
    nodejs: `attempt(() => require("node:fs").closeSync(require("node:fs").openSync(${quoted(path)}, "a")));`,
    bash: `: >>${path}`,
  });

export const running = (path: string, argument = ""): Attempt =>
  all(`run ${path}`, {
    python3: `import subprocess\nended(lambda: subprocess.run([${quoted(path)}, ${quoted(argument)}], capture_output=True))`,
    nodejs: `ended(require("node:child_process").spawnSync(${quoted(path)}, [${quoted(argument)}]).error);`,
    bash: `${path} ${quoted(argument)}; code=$?; [ $code -ge 126 ] && exit $code; exit 0`,
  });

/** TCP. Nothing listens anywhere in a sandbox without a network: reaching the refusal of the kernel is being let through. */
export function connecting(host: string, port: number): Attempt {
  const six = host.includes(":");
  return all(
    `connect to ${host} port ${port}`,
    {
      python3: `import socket\ns = socket.socket(socket.${six ? "AF_INET6" : "AF_INET"})\ns.settimeout(3)\nended(lambda: s.connect((${quoted(host)}, ${port})))`,
      nodejs: `const s = require("node:net").connect({ host: ${quoted(host)}, port: ${port}, family: ${six ? 6 : 4} }, () => ended()); s.on("error", ended); s.setTimeout(3000, () => ended({ code: "ETIMEDOUT" }));`,
      bash: `exec 3<>/dev/tcp/${host}/${port}`,
    },
    14,
  );
}

/** An unconnected datagram: it leaves without connect(2). */
export const sendingTo = (host: string, port: number): Attempt =>
  python(
    `send a datagram to ${host} port ${port}`,
    `import socket\ns = socket.socket(socket.${host.includes(":") ? "AF_INET6" : "AF_INET"}, socket.SOCK_DGRAM)\nended(lambda: s.sendto(b"x", (${quoted(host)}, ${port})))`,
    host.startsWith("127.") || host === "::1" || host.startsWith("::ffff:127.") ? 0 : 14,
  );

/** A raw system call by its x86-64 number; arguments are Python expressions. */
export function calling(what: string, number: number, args: string, free: Attempt["free"] = 0, before = ""): Attempt {
  return python(
    what,
    `import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    ctypes.set_errno(0)
    words = [a if isinstance(a, (bytes, ctypes.Array, ctypes.Structure)) else ctypes.c_ulong(a) for a in args]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
${before}
ended(lambda: call(${number}${args ? `, ${args}` : ""}))`,
    free,
  );
}
