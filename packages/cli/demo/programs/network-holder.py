"""Makes a network namespace of its own, fills it with what an attacker looks for, and holds it until standard input ends.

Inside: a metadata server on 169.254.169.254:80 with invented credentials, a route and a listening "database" as a host would have.
Everything is done with ioctls on the loopback of the new namespace, so no tool is needed and the host's interfaces are never touched.
"""

import ctypes
import os
import socket
import struct
import sys
import threading
from fcntl import ioctl

CLONE_NEWNET = 0x40000000
SIOCADDRT, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x890B, 0x8914, 0x8916, 0x891C
UP_LOOPBACK_RUNNING = struct.pack("H", 0x49)
CREDENTIALS = b'{"AccessKeyId": "DEMO", "SecretAccessKey": "sacrificial"}'


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as steering:
        ioctl(steering, SIOCSIFFLAGS, request(b"lo", UP_LOOPBACK_RUNNING))
        give_address(steering, b"lo:1", "169.254.169.254")
        give_address(steering, b"lo:2", "10.20.30.40")
        add_route(steering, "10.96.0.0", "255.240.0.0")
    database = socket.create_server(("10.20.30.40", 5432))
    metadata = socket.create_server(("169.254.169.254", 80))
    threading.Thread(target=serve, args=(metadata,), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    database.close()


def serve(server):
    while True:
        client, _ = server.accept()
        with client:
            client.recv(4096)
            client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(CREDENTIALS), CREDENTIALS))


def request(name, value):
    """struct ifreq."""
    return struct.pack("16s24s", name, value)


def address(text):
    """struct sockaddr_in."""
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text))


def give_address(steering, alias, text):
    ioctl(steering, SIOCSIFADDR, request(alias, address(text)))
    ioctl(steering, SIOCSIFNETMASK, request(alias, address("255.255.255.255")))


def add_route(steering, network, mask):
    """struct rtentry: destination, gateway, mask, flags (RTF_UP), device."""
    device = ctypes.create_string_buffer(b"lo")
    entry = (0, address(network), address("0.0.0.0"), address(mask), 1, 0, 0, 0, 0, ctypes.addressof(device), 0, 0, 0)
    ioctl(steering, SIOCADDRT, struct.pack("L16s16s16sHhLPhPLLH", *entry))


main()
