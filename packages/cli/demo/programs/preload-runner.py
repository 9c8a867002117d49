"""A small re-creation of dify-sandbox's Python runner as it was when CVE-2024-10252 was found.

It does what that one did, in that order: it starts as root, executes the request's `preload`, then gives up root and
installs its seccomp filter, then executes the request's `code`. A request comes as JSON on standard input.
"""

import ctypes
import json
import os
import struct
import sys

SANDBOX_USER = 65537
FORBIDDEN = {
    "x86_64": {"execve": 59, "execveat": 322, "socket": 41, "ptrace": 101, "mount": 165, "unshare": 272},
    "aarch64": {"execve": 221, "execveat": 281, "socket": 198, "ptrace": 117, "mount": 40, "unshare": 97},
}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN, ALLOW, REFUSE = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050001


def run(request):
    scope = {"__name__": "__main__"}
    exec(request.get("preload", ""), scope)  # the vulnerability: nothing has been given up yet
    lock_down()
    exec(request["code"], scope)


def lock_down():
    os.setgroups([])
    os.setresgid(SANDBOX_USER, SANDBOX_USER, SANDBOX_USER)
    os.setresuid(SANDBOX_USER, SANDBOX_USER, SANDBOX_USER)
    numbers = list(FORBIDDEN[os.uname().machine].values())
    steps = [(LOAD_NUMBER, 0, 0, 0)]
    steps += [(JUMP_IF_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    steps += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    filter_program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_program, 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "the runner could not lock itself down")


run(json.load(sys.stdin))
