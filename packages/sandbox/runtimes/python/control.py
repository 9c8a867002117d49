"""Frames on the control socket: u8 type (ASCII), u32 length little endian, payload. The same format as contracts/frames.ts.

The descriptor is only a way to say "ready" and "done, code N". The peer treats what comes out of it as hostile, so a
program that finds the descriptor can lie about its own exit code and about nothing else.
"""

from _struct import pack, unpack
from fcntl import F_DUPFD_CLOEXEC, fcntl
from os import close, read, write
from resource import RLIMIT_NOFILE, getrlimit

HEADER = 5


def out_of_sight(descriptor):
    """Moves the control socket to the highest descriptor allowed, closed on exec, so that 3 is free as in a bare start."""
    soft = getrlimit(RLIMIT_NOFILE)[0]
    hidden = fcntl(descriptor, F_DUPFD_CLOEXEC, max(min(soft, 65536) - 1, 4))
    close(descriptor)
    return hidden


def send(descriptor, kind, payload=b""):
    """Writes one frame; raises OSError when the peer is gone."""
    rest = pack("<cI", kind, len(payload)) + payload
    while rest:
        rest = rest[write(descriptor, rest) :]


def receive(descriptor):
    """The next frame as (type, payload), or None at the end of the stream."""
    header = _exactly(descriptor, HEADER)
    if header is None:
        return None
    kind, length = unpack("<cI", header)
    payload = _exactly(descriptor, length)
    return None if payload is None else (kind, payload)


def _exactly(descriptor, size):
    parts = []
    while size:
        part = read(descriptor, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
