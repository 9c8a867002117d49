import type { SelfTest } from "@plastron/contracts";
import { CLONE_NEWUSER, MFD_NOEXEC_SEAL } from "../seccomp/constants.ts";
import { numbers, pythonProbe } from "./probes.ts";

/** Programs that try system calls which a policy forbids. */

const THREADS_AND_CHILDREN = `
import subprocess, threading
thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
sys.exit(subprocess.run([sys.executable, "-c", "pass"]).returncode)
`;

/** A child of a raw clone must leave at once: it shares nothing with Python's own bookkeeping. */
const USER_NAMESPACE_WAYS = `
import signal
FLAG = ${CLONE_NEWUSER}
def in_child(action):
    pid = os.fork()
    if pid == 0:
        os._exit(action() & 0xff)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def by_clone(flags):
    ctypes.set_errno(0)
    pid = _libc.syscall(ctypes.c_long(${numbers("clone")}[os.uname().machine]), ctypes.c_ulong(flags | signal.SIGCHLD), *[ctypes.c_ulong(0)] * 4)
    if pid == 0:
        os._exit(0)
    if pid < 0:
        return ctypes.get_errno()
    os.waitpid(pid, 0)
    return 0
def by_clone3(flags):
    arguments = (ctypes.c_ulong * 11)(flags, 0, 0, 0, signal.SIGCHLD)
    ctypes.set_errno(0)
    pid = _libc.syscall(ctypes.c_long(${numbers("clone3")}[os.uname().machine]), ctypes.byref(arguments), ctypes.c_ulong(88))
    if pid == 0:
        os._exit(0)
    if pid < 0:
        return ctypes.get_errno()
    os.waitpid(pid, 0)
    return 0
`;

export const userNamespaces: SelfTest = pythonProbe({
  id: "create-user-namespace",
  forbidden: `${USER_NAMESPACE_WAYS}
judge({
    "unshare": in_child(lambda: call(${numbers("unshare")}, FLAG)),
    "clone": by_clone(FLAG),
    "clone with high bits": by_clone(FLAG | 1 << 40),
    "clone3": by_clone3(FLAG),
}, denied=DENIED + (errno.ENOSPC, errno.EUSERS))
`,
  allowed: THREADS_AND_CHILDREN,
  weakness: "seccomp",
});

const MOUNT_TRIES = (types: readonly string[]): string => `
results = {}
for kind in ${JSON.stringify(types)}:
    for target in (b"/tmp", os.getcwd().encode()):
        results[kind + " on " + target.decode()] = call(${numbers("mount")}, b"none", target, kind.encode(), 0, 0)
`;

/** ENODEV: the kernel does not know that file system, which it says only to who may mount. ENOENT and EINVAL likewise. */
export function mounting(id: string, types: readonly string[]): SelfTest {
  return pythonProbe({
    id,
    forbidden: `${MOUNT_TRIES(types)}
results["bind"] = call(${numbers("mount")}, b"/proc", b"/tmp", 0, 4096, 0)
results["fsopen"] = call(${numbers("fsopen")}, ${JSON.stringify(types[0])}.encode(), 0)
results["open_tree"] = call(${numbers("open_tree")}, 2**64 - 100, b"/tmp", 1)
results["pivot_root"] = call(${numbers("pivot_root")}, b"/tmp", b"/tmp")
judge(results, reached=(errno.ENODEV, errno.ENOENT, errno.EINVAL, errno.EBUSY))
`,
    allowed: `
with open(os.path.join(os.getcwd(), "note"), "w") as file:
    file.write("x")
os.unlink(file.name)
`,
    weakness: "capabilities",
  });
}

export const unmounting: SelfTest = pythonProbe({
  id: "umount",
  forbidden: `judge({path: call(${numbers("umount2")}, path.encode(), 2) for path in ("/tmp", "/proc", "/nowhere")}, reached=(errno.EINVAL, errno.EBUSY, errno.ENOENT))`,
  allowed: `os.listdir("/tmp")`,
  weakness: "seccomp",
});

/** An attribute struct longer than a page is refused by bpf(2) itself with E2BIG, before it looks at privileges. */
export const bpfLoading: SelfTest = pythonProbe({
  id: "load-bpf-program",
  forbidden: `
BPF_PROG_LOAD = 5
attributes = ctypes.create_string_buffer(1 << 20)
judge({
    "bpf": call(${numbers("bpf")}, BPF_PROG_LOAD, attributes, len(attributes)),
    "bpf with high bits": call(${numbers("bpf")}, BPF_PROG_LOAD | 1 << 32, attributes, len(attributes)),
}, denied=(errno.EPERM,), reached=(errno.E2BIG, errno.EINVAL, errno.EFAULT))
`,
  allowed: THREADS_AND_CHILDREN,
  weakness: "seccomp",
});

export const socketFilters: SelfTest = pythonProbe({
  id: "attach-socket-filter",
  forbidden: `
import socket, struct
instruction = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0xffff))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(instruction)))
def attach(level, option):
    try:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as problem:
        return problem.errno
    with s:
        return call(${numbers("setsockopt")}, s.fileno(), level, option, program, 16)
judge({
    "SO_ATTACH_FILTER": attach(1, 26),
    "SO_ATTACH_FILTER with high bits": attach(1 | 1 << 32, 26 | 1 << 32),
    "SO_ATTACH_REUSEPORT_CBPF": attach(1, 51),
    "SO_ATTACH_REUSEPORT_CBPF with high bits": attach(1, 51 | 1 << 33),
})
`,
  allowed: `
import socket
def set_options():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
works(set_options, socket.socketpair, os.pipe)
`,
  weakness: "seccomp",
});

export const userfaultfd: SelfTest = pythonProbe({
  id: "create-userfaultfd",
  forbidden: `
UFFD_USER_MODE_ONLY = 1
judge({"userfaultfd": call(${numbers("userfaultfd")}, UFFD_USER_MODE_ONLY), "/dev/userfaultfd": attempt(os.open, "/dev/userfaultfd", os.O_RDWR)},
    denied=DENIED + (errno.ENOENT,))
`,
  allowed: `
import mmap
mmap.mmap(-1, 1 << 16).close()
`,
  weakness: "seccomp",
});

export const modules: SelfTest = pythonProbe({
  id: "load-kernel-module",
  forbidden: `
judge({
    "init_module": call(${numbers("init_module")}, 0, 0, b""),
    "finit_module": call(${numbers("finit_module")}, 0, b"", 0),
    "delete_module": call(${numbers("delete_module")}, b"nowhere", 0),
}, denied=(errno.EPERM,))
`,
  allowed: THREADS_AND_CHILDREN,
  weakness: null,
});

export const splicing: SelfTest = pythonProbe({
  id: "splice",
  forbidden: `
a, b = os.pipe(), os.pipe()
os.write(a[1], b"x")
judge({"splice": attempt(os.splice, a[0], b[1], 1) if hasattr(os, "splice") else call(${numbers("splice")}, a[0], 0, b[1], 0, 1, 0)})
`,
  allowed: `
a = os.pipe()
os.write(a[1], b"x")
sys.exit(0 if os.read(a[0], 1) == b"x" else 1)
`,
  weakness: "seccomp",
});

/** Calls of the floor that no policy can have. */
const HARD_CALLS = `
hard = {
    "io_uring": call(${numbers("io_uring_setup")}, 8, 0),
    "keyctl": call(${numbers("keyctl")}, 0, 2**64 - 3, 0),
    "perf_event_open": call(${numbers("perf_event_open")}, 0, 0, 0, 0, 0),
    "personality": call(${numbers("personality")}, 0x0040000),
    "memfd_secret": call(${numbers("memfd_secret")}, 0),
}
`;

/** What is left of the floor where an operator lets policies lift the rest. */
export const hardFloorCalls: SelfTest = pythonProbe({
  id: "system-calls-never-allowed",
  forbidden: `${HARD_CALLS}
judge(hard, reached=(errno.EFAULT, errno.EINVAL))
`,
  allowed: THREADS_AND_CHILDREN,
  weakness: "seccomp",
});

/** What the floor's allow-list leaves out, a call of each kind. */
export const floorCalls: SelfTest = pythonProbe({
  id: "system-call-allow-list",
  forbidden: `${HARD_CALLS}
import socket
judge({
    **hard,
    "process_vm_readv": call(${numbers("process_vm_readv")}, os.getpid(), 0, 0, 0, 0, 0),
    "netlink": attempt(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "vsock": attempt(socket.socket, 40, socket.SOCK_STREAM, 0),
    "mptcp": attempt(socket.socket, socket.AF_INET, socket.SOCK_STREAM, 262),
}, reached=(errno.EFAULT, errno.EINVAL), denied=DENIED + (errno.EAFNOSUPPORT,))
`,
  allowed: `
import socket
EINVAL_BEFORE_LINUX_6_3 = errno.EINVAL
if attempt(os.memfd_create, "buffer", ${MFD_NOEXEC_SEAL} | os.MFD_CLOEXEC) not in (0, EINVAL_BEFORE_LINUX_6_3):
    sys.exit(1)
works(
    lambda: [socket.socket(family, kind).close() for family in (socket.AF_INET, socket.AF_INET6) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)],
    socket.socketpair,
    os.pipe,
)
`,
  weakness: "seccomp",
});

export const tracing: SelfTest = pythonProbe({
  id: "trace-process",
  forbidden: `
import signal, time
PTRACE_ATTACH = 16
def descriptor_of(pid):
    try: return os.pidfd_open(pid)
    except OSError: return -1 # a guest's kernel knows no such descriptors
child = os.fork()
if child == 0:
    time.sleep(30)
    os._exit(0)
results = {
    "ptrace": call(${numbers("ptrace")}, PTRACE_ATTACH, child, 0, 0),
    "pidfd_getfd": call(${numbers("pidfd_getfd")}, descriptor_of(child), 0, 0),
    "kcmp": call(${numbers("kcmp")}, child, child, 0, 0, 0),
}
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
judge(results)
`,
  allowed: THREADS_AND_CHILDREN,
  weakness: "seccomp",
});

export const ownMemory: SelfTest = pythonProbe({
  id: "read-own-memory",
  forbidden: `
child = os.fork()
if child == 0:
    import time
    time.sleep(30)
    os._exit(0)
paths = ["/proc/self/mem", "/proc/%d/mem" % child, "/proc/self/task/%d/mem" % os.getpid()]
results = {path: attempt(lambda: open(path, "rb", buffering=0).close()) for path in paths}
os.kill(child, 9)
os.waitpid(child, 0)
judge(results)
`,
  allowed: `open("/proc/self/maps").read()`,
  weakness: null,
});

export const foreignMemory: SelfTest = pythonProbe({
  id: "read-foreign-memory",
  forbidden: `
def filtered(pid):
    """Whether it is under the same filter: then its memory gives nothing that the program has not already."""
    try:
        return "Seccomp:\\t2" in open("/proc/%s/status" % pid).read()
    except OSError:
        return False
others = [name for name in os.listdir("/proc") if name.isdigit() and not filtered(name)]
def readable(pid):
    return attempt(lambda: open("/proc/%s/mem" % pid, "rb", buffering=0).close())
results = {"memory of process " + pid: readable(pid) for pid in others}
judge({**results, "kernel memory": attempt(lambda: open("/dev/mem", "rb").close())}, denied=DENIED + (errno.ENOENT, errno.ESRCH))
`,
  allowed: `open("/proc/self/maps").read()`,
  weakness: null,
});
