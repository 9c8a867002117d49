import { type Attack, attack, WEAK_ROOT, WEAK_USER } from "../attack.ts";
import { python } from "../programs/load.ts";

const LOAD_BPF = `
import struct

BPF, BPF_PROG_LOAD, SOCKET_FILTER = {"x86_64": 321, "aarch64": 280}, 5, 1
RETURN_ZERO = ctypes.create_string_buffer(struct.pack("=BBhi", 0xB7, 0, 0, 0) + struct.pack("=BBhi", 0x95, 0, 0, 0))
LICENCE = ctypes.create_string_buffer(b"Apache-2.0")

def load(command):
    attributes = ctypes.create_string_buffer(struct.pack("=IIQQ", SOCKET_FILTER, 2, ctypes.addressof(RETURN_ZERO), ctypes.addressof(LICENCE)), 128)
    return call(BPF, command, attributes, len(attributes))

control(call(GETPID))
`;

const ATTACH_FILTER = `
import socket, struct

SETSOCKOPT = {"x86_64": 54, "aarch64": 208}
SOL_SOCKET, SO_REUSEADDR, SO_ATTACH_FILTER = 1, 2, 26
ACCEPT_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0xFFFF))
FILTER = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(ACCEPT_ALL)), 16)
target = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
control(call(SETSOCKOPT, target.fileno(), SOL_SOCKET, SO_REUSEADDR, ctypes.create_string_buffer(struct.pack("i", 1), 4), 4))
`;

const USERFAULTFD = `
control(call(GETPID))
conclude({"userfaultfd": call({"x86_64": 323, "aarch64": 282}, 1)})
`;

const KERNEL_CRYPTO = `
import socket
control(attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()))
conclude({"AF_ALG socket": attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET, 0).close())}, absent=(errno.EAFNOSUPPORT,))
`;

const IO_URING = `
control(call(GETPID))
conclude({"io_uring_setup": call({"x86_64": 425, "aarch64": 425}, 1, ctypes.create_string_buffer(120))})
`;

/** A child enters the kernel by its 32-bit door. A kernel without one answers SIGSEGV, a filter that watches it SIGSYS. */
const FOREIGN_ENTRY = `
import mmap, signal

def enter(code):
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

def in_child(code):
    child = os.fork()
    if child == 0:
        os._exit(0 if enter(code) > 0 else 1)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status)

GETPID_64_BIT = b"\\xb8\\x27\\x00\\x00\\x00\\x0f\\x05\\xc3"
GETPID_32_BIT = b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3"

if MACHINE != "x86_64":
    control(0)
    tell("absent", "not an x86-64 machine")
    sys.exit()
control(0 if in_child(GETPID_64_BIT) == 0 else errno.EIO)
outcome = in_child(GETPID_32_BIT)
if outcome == 0:
    tell("succeeded", "system calls by int 0x80, under numbers that 64-bit filters do not know")
elif outcome == signal.SIGSYS:
    tell("denied", "killed with SIGSYS")
elif outcome == signal.SIGSEGV:
    tell("absent", "no 32-bit entry")
else:
    tell("broken", f"outcome {outcome}")
`;

const X32 = `
control(call(GETPID))
child = os.fork()
if child == 0:
    os._exit(call({"x86_64": 39 | 1 << 30, "aarch64": 1 << 30}, 0))
status = os.waitpid(child, 0)[1]
if os.WIFSIGNALED(status):
    tell("denied", f"killed with signal {os.WTERMSIG(status)}")
else:
    conclude({"a system call under its x32 number": os.WEXITSTATUS(status)}, absent=(errno.ENOSYS,))
`;

/** Faces of the kernel that no ordinary program needs and that break often. */
export const kernelAttacks: Attack[] = [
  attack({
    id: "bpf",
    title: "Loading a BPF program into the kernel",
    story: "BPF runs inside the kernel: it can watch every process of the host, and its verifier has been fooled before.",
    rule: "disallow-load-all-bpf-prog",
    weak: WEAK_ROOT,
    code: python(`${LOAD_BPF}\nconclude({"a program in the kernel": load(BPF_PROG_LOAD)})`),
  }),
  attack({
    id: "bpf-high-bits",
    title: "Loading a BPF program, with high bits set",
    story: "The kernel reads 32 bits of this argument; a filter that compares 64 sees another number and lets it through.",
    rule: "disallow-load-all-bpf-prog",
    weak: WEAK_ROOT,
    code: python(`${LOAD_BPF}\nconclude({"a program in the kernel": load(BPF_PROG_LOAD | 1 << 32)})`),
  }),
  attack({
    id: "socket-filter",
    title: "Attaching a filter program to a socket (setsockopt)",
    story: "A filter on a socket is also a program in the kernel, and the first step of many exploits.",
    rule: "disallow-load-bpf-via-setsockopt",
    weak: WEAK_USER,
    code: python(`${ATTACH_FILTER}\nconclude({"a filter on a socket": call(SETSOCKOPT, target.fileno(), SOL_SOCKET, SO_ATTACH_FILTER, FILTER, 16)})`),
  }),
  attack({
    id: "socket-filter-high-bits",
    title: "Attaching a socket filter, with high bits set",
    story: "Upstream's rule compares 64 bits and lets this through.",
    rule: "disallow-load-bpf-via-setsockopt",
    weak: WEAK_USER,
    code: python(`${ATTACH_FILTER}\nconclude({"a filter on a socket": call(SETSOCKOPT, target.fileno(), SOL_SOCKET, SO_ATTACH_FILTER | 1 << 32, FILTER, 16)})`),
  }),
  attack({
    id: "userfaultfd",
    title: "Opening userfaultfd",
    story: "It stops the kernel in mid-step, which makes its races easy to win; many kernel exploits begin with it.",
    rule: "disallow-userfaultfd-creation",
    weak: WEAK_USER,
    code: python(USERFAULTFD),
  }),
  attack({
    id: "kernel-crypto-socket",
    title: "Opening a socket to the kernel's cryptography (AF_ALG)",
    story: "A large and rarely used part of the kernel, with a history of holes.",
    rule: "built-in: only Unix, TCP and UDP sockets",
    optional: true,
    weak: WEAK_USER,
    code: python(KERNEL_CRYPTO),
  }),
  attack({
    id: "io-uring",
    title: "Setting up io_uring",
    story: "Its requests are no system calls: what a filter refuses can be asked for there.",
    rule: "built-in: the list of allowed system calls",
    optional: true,
    weak: WEAK_USER,
    code: python(IO_URING),
  }),
  attack({
    id: "foreign-abi",
    title: "Entering the kernel by its 32-bit door (int 0x80)",
    story: "Calls have other numbers there, so a filter of 64-bit numbers checks the wrong ones.",
    rule: "built-in: foreign ABIs are killed",
    optional: true,
    weak: WEAK_USER,
    code: python(FOREIGN_ENTRY),
  }),
  attack({
    id: "x32",
    title: "Entering the kernel by x32 numbers",
    story: "A third numbering of the same calls that filters forget.",
    rule: "built-in: foreign ABIs are killed",
    optional: true,
    weak: WEAK_USER,
    code: python(X32),
  }),
];
