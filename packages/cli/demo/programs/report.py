"""What every Python attack of the demo starts with: raw system calls, and lines by which the demo reads what happened.

A report is `::control` (the same mechanism works on something harmless), `::attempted`, then `::succeeded` or `::denied`.
Whatever else a program ends with proves nothing, and the demo says so.
"""

import ctypes
import errno
import os
import sys

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
MACHINE = os.uname().machine
REFUSED = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSYS)


def tell(mark, detail=""):
    sys.stdout.write(f"::{mark} {detail}\n")
    sys.stdout.flush()


def call(number, *args):
    """The errno of a raw system call, 0 where it went through. `number` is {machine: number}; all 64 bits of each argument count."""
    ctypes.set_errno(0)
    words = [a if isinstance(a, (bytes, ctypes.Array, ctypes.Structure)) else ctypes.c_ulong(a) for a in args]
    result = _libc.syscall(ctypes.c_long(number[MACHINE]), *words)
    return ctypes.get_errno() if result < 0 else 0


def attempt(action, *args):
    """The errno of a Python call, 0 where it went through."""
    try:
        action(*args)
        return 0
    except OSError as problem:
        return problem.errno


def control(error):
    """The same mechanism on something harmless must work, or a refusal would prove nothing."""
    if error:
        tell("broken", f"the control failed: {errno.errorcode.get(error, error)}")
        sys.exit(1)
    tell("control")
    tell("attempted")


def conclude(results, refused=REFUSED, absent=()):
    """results: way -> errno. One way that went through is a success; it is denied only when every way was refused."""
    names = {way: errno.errorcode.get(error, str(error)) for way, error in results.items()}
    through = [way for way, error in results.items() if error == 0]
    if through:
        tell("succeeded", ", ".join(through))
    elif all(error in absent for error in results.values()):
        tell("absent", ", ".join(sorted(set(names.values()))))
    elif all(error in refused for error in results.values()):
        tell("denied", ", ".join(sorted(set(names.values()))))
    else:
        tell("broken", str(names))


GETPID = {"x86_64": 39, "aarch64": 172}
