"""Loads a filter that kills on getppid and calls it: dying of SIGSYS is the only success. With "without" no filter is loaded.

https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

import ctypes
import os
import platform
import struct
import sys

GETPPID = {"x86_64": 110, "aarch64": 173}[platform.machine()]
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, MODE_FILTER = 22, 38, 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
LOAD_NR, IF_EQUAL, RETURN = 0x20, 0x15, 0x06

if sys.argv[1:] != ["without"]:
    libc = ctypes.CDLL(None, use_errno=True)
    program = [(LOAD_NR, 0, 0, 0), (IF_EQUAL, 0, 1, GETPPID), (RETURN, 0, 0, KILL_PROCESS), (RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, header, 0, 0):
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
os.getppid()
