"""Every way that a program has to reach an address, tried on listeners of its own on loopback.

Prints JSON: for each way, "arrived" when the listener got something, or the name of the error. Ports: sys.argv[1:3], TCP and UDP.
"""
import ctypes
import errno
import json
import mmap
import socket
import struct
import sys

TCP, UDP = int(sys.argv[1]), int(sys.argv[2])
LITE, MPTCP, FASTOPEN = 136, 262, 0x20000000
libc = ctypes.CDLL(None, use_errno=True)


def listener(family, address, kind, protocol=0, port=0):
    server = socket.socket(family, kind, protocol)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    if kind == socket.SOCK_STREAM:
        server.setsockopt(socket.IPPROTO_TCP, 23, 5)  # TCP_FASTOPEN
        server.listen()
    server.settimeout(0.5)
    return server


datagrams = [listener(socket.AF_INET, "0.0.0.0", socket.SOCK_DGRAM, port=UDP), listener(socket.AF_INET6, "::1", socket.SOCK_DGRAM, port=UDP)]
streams = [listener(socket.AF_INET, "0.0.0.0", socket.SOCK_STREAM, port=TCP), listener(socket.AF_INET6, "::1", socket.SOCK_STREAM, port=TCP)]


def udp(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM)


def tcp(family=socket.AF_INET, protocol=0):
    made = socket.socket(family, socket.SOCK_STREAM, protocol)
    made.settimeout(2)
    return made


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")


def address4(family, address, port):
    return ctypes.create_string_buffer(struct.pack("<H", family) + struct.pack(">H", port) + socket.inet_aton(address) + bytes(8), 16)


class Message(ctypes.Structure):
    _fields_ = [(name, kind) for name, kind in zip(
        ("name", "name_length", "vectors", "count", "control", "control_length", "flags", "length"),
        (ctypes.c_void_p, ctypes.c_uint, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_uint))]


def sendmmsg():
    text, name = ctypes.create_string_buffer(b"x"), address4(socket.AF_INET, "127.0.0.1", UDP)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(text), 1)
    message = Message(ctypes.addressof(name), 16, ctypes.addressof(vector), 1)
    with udp() as sender:
        checked(libc.sendmmsg(sender.fileno(), ctypes.byref(message), 1, 0))


def without_family():
    with udp() as sender:
        checked(libc.sendto(sender.fileno(), b"x", 1, 0, address4(0, "127.0.0.1", UDP), 16))


def four_on_six():
    with udp(socket.AF_INET6) as sender:
        checked(libc.sendto(sender.fileno(), b"x", 1, 0, address4(socket.AF_INET, "127.0.0.1", UDP), 16))


def connected_four_on_six():
    with udp(socket.AF_INET6) as sender:
        checked(libc.connect(sender.fileno(), address4(socket.AF_INET, "127.0.0.1", UDP), 16))
        sender.send(b"x")


def connected_elsewhere():
    with udp() as sender:
        sender.connect(("127.0.0.1", UDP + 1))
        sender.sendto(b"x", ("127.0.0.1", UDP))


def connected_udp():
    with udp() as sender:
        sender.connect(("127.0.0.1", UDP))
        sender.send(b"x")


def from_bound(source, target, family):
    with tcp(family) as client:
        client.bind((source, 0))
        client.connect((target, TCP))


def legacy_call():
    """connect(2) as the 32-bit system call 362, from a 64-bit program: int 0x80 with its pointer below 4 GiB."""
    page = libc.mmap
    page.restype, page.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    low = page(None, mmap.PAGESIZE, 7, 0x62, -1, 0)  # MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT
    with tcp() as client:
        client.setblocking(True)
        code = b"\x53\xb8" + struct.pack("<I", 362) + b"\xbb" + struct.pack("<I", client.fileno()) + b"\xb9" + struct.pack("<I", low + 2048)
        ctypes.memmove(low, code + b"\xba\x10\x00\x00\x00\xcd\x80\x5b\xc3", len(code) + 9)
        ctypes.memmove(low + 2048, address4(socket.AF_INET, "127.0.0.1", TCP), 16)
        result = ctypes.CFUNCTYPE(ctypes.c_int)(low)()
        if result < 0:
            raise OSError(-result, "")


def lite():
    with listener(socket.AF_INET, "127.0.0.1", socket.SOCK_DGRAM, LITE, UDP) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM, LITE) as sender:
        sender.connect(("127.0.0.1", UDP))
        sender.send(b"x")
        server.recv(10)


def raw():
    datagram = struct.pack(">HHHH", UDP + 2, UDP, 9, 0) + b"x"
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as sender:
        sender.sendto(datagram, ("127.0.0.1", 0))


def stream(address, family=socket.AF_INET, protocol=0):
    with tcp(family, protocol) as client:
        client.connect(address)


def datagram(address, family=socket.AF_INET):
    with udp(family) as sender:
        sender.sendto(b"x", address)


def fast_open(address, family=socket.AF_INET):
    with tcp(family) as client:
        client.setblocking(True)
        client.sendto(b"x", FASTOPEN, address)


def deferred_open():
    with tcp() as client:
        client.setblocking(True)
        client.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT: connect(2) waits for the first bytes
        client.connect(("127.0.0.1", TCP))
        client.send(b"x")


def connected_again():
    with udp() as sender:
        sender.connect(("127.0.0.1", UDP + 1))
        checked(libc.connect(sender.fileno(), bytes(16), 16))  # AF_UNSPEC
        sender.connect(("127.0.0.1", UDP))
        sender.send(b"x")


SIX = socket.AF_INET6
WAYS = {
    "connect": (streams, lambda: stream(("127.0.0.1", TCP))),
    "connect, another address of loopback": (streams, lambda: stream(("127.9.9.9", TCP))),
    "connect, IPv6": (streams, lambda: stream(("::1", TCP), SIX)),
    "connect, IPv6 with a scope": (streams, lambda: stream(("::1", TCP, 7, 1), SIX)),
    "connect, mapped": (streams, lambda: stream(("::ffff:127.0.0.1", TCP), SIX)),
    "connect, MPTCP": (streams, lambda: stream(("127.0.0.1", TCP), protocol=MPTCP)),
    "connect, MPTCP mapped": (streams, lambda: stream(("::ffff:127.0.0.1", TCP), SIX, MPTCP)),
    "connect, 0.0.0.0": (streams, lambda: stream(("0.0.0.0", TCP))),
    "connect, mapped 0.0.0.0": (streams, lambda: stream(("::ffff:0.0.0.0", TCP), SIX)),
    "connect, ::": (streams, lambda: stream(("::", TCP), SIX)),
    "connect, 0.0.0.0 from another address of loopback": (streams, lambda: from_bound("127.0.0.2", "0.0.0.0", socket.AF_INET)),
    "connect, :: from a mapped address": (streams, lambda: from_bound("::ffff:127.0.0.1", "::", SIX)),
    "connect, 32 bits": (streams, legacy_call),
    "fast open": (streams, lambda: fast_open(("127.0.0.1", TCP))),
    "fast open, deferred": (streams, deferred_open),
    "connect again and send": (datagrams, connected_again),
    "fast open, mapped": (streams, lambda: fast_open(("::ffff:127.0.0.1", TCP), SIX)),
    "sendto": (datagrams, lambda: datagram(("127.0.0.1", UDP))),
    "sendto, IPv6": (datagrams, lambda: datagram(("::1", UDP), SIX)),
    "sendto, mapped": (datagrams, lambda: datagram(("::ffff:127.0.0.1", UDP), SIX)),
    "sendto, 0.0.0.0": (datagrams, lambda: datagram(("0.0.0.0", UDP))),
    "sendto, no family": (datagrams, without_family),
    "sendto, IPv4 address on an IPv6 socket": (datagrams, four_on_six),
    "sendto, connected elsewhere": (datagrams, connected_elsewhere),
    "sendmsg": (datagrams, lambda: udp().sendmsg([b"x"], [], 0, ("127.0.0.1", UDP))),
    "sendmmsg": (datagrams, sendmmsg),
    "connect and send": (datagrams, connected_udp),
    "connect and send, IPv4 address on an IPv6 socket": (datagrams, connected_four_on_six),
    "UDP-Lite": (None, lite),
    "raw": (datagrams, raw),
}


def outcome(listeners, attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "arrived" if listeners is None or any(heard(each) for each in listeners) else "nothing came"


def heard(server):
    server.settimeout(0.02)
    try:
        if server.type == socket.SOCK_STREAM:
            server.accept()[0].close()
        else:
            server.recv(100)
        return True
    except OSError:
        return False


print(json.dumps({name: outcome(*way) for name, way in WAYS.items()}))
