"""Asks for Landlock's ABI and then really shuts reading off for itself. Prints the ABI, or 0, as its only line.

https://docs.kernel.org/userspace-api/landlock.html (the call numbers are the same on every architecture)
"""

import ctypes
import sys

CREATE_RULESET, RESTRICT_SELF, VERSION = 444, 446, 1
READ_FILE = 1 << 2
PR_SET_NO_NEW_PRIVS = 38
libc = ctypes.CDLL(None, use_errno=True)


def main():
    abi = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)
    if abi < 1:
        return 0
    handled = ctypes.c_uint64(READ_FILE)
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(handled), ctypes.c_size_t(8), 0)
    with open("/proc/self/status"):
        pass  # it can be read before
    if ruleset < 0 or libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(RESTRICT_SELF, ruleset, 0):
        return 0
    try:
        with open("/proc/self/status"):
            return 0
    except PermissionError:
        return abi


sys.stdout.write(f"{main()}\n")
