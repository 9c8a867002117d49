import type { SelfTest } from "@plastron/contracts";
import { CLONE_NEWUSER } from "../seccomp/constants.ts";
import { numbers, pythonProbe } from "./probes.ts";

/** Programs that look for what lies outside: capabilities, addresses, devices, other name spaces. */

const READ_OWN = `open("/proc/self/status").read()`;

/**
 * Having any of these capabilities (by number) in any set, or winning it by a new user namespace, where a process has them all.
 * The child makes the namespace, so that the test's own process stays as it was.
 */
export function holding(id: string, capabilities: readonly number[]): SelfTest {
  return pythonProbe({
    id,
    forbidden: `
WANTED = ${JSON.stringify(capabilities)}
def held(sets):
    fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return any(int(fields.get(name, "0"), 16) >> number & 1 for name in sets for number in WANTED)
def won():
    if call(${numbers("unshare")}, ${CLONE_NEWUSER}) != 0:
        return False
    return held(("CapEff",)) or call(${numbers("unshare")}, 0x20000) == 0
child = os.fork()
if child == 0:
    os._exit(1 if won() else 0)
regained = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
done(regained or held(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")))
`,
    allowed: READ_OWN,
    weakness: "capabilities",
  });
}

/** A datagram socket's connect asks for a route and sends nothing: it fails exactly where no packet could leave. */
export function reaching(id: string, addresses: readonly string[]): SelfTest {
  return pythonProbe({
    id,
    forbidden: `
import socket
def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET
def routed(address):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.connect((address, 80))
def unconnected(address):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.sendto(b"", (address, 80))
def stream(address):
    with socket.socket(family(address), socket.SOCK_STREAM) as s:
        s.setblocking(False)
        s.connect((address, 80))
results = {}
for address in ${JSON.stringify(addresses)}:
    for form in [address] if ":" in address else [address, "::ffff:" + address]:
        for way in (routed, unconnected, stream):
            results[way.__name__ + " " + form] = attempt(way, form)
judge(results, denied=DENIED + (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT), reached=(errno.EINPROGRESS, errno.ECONNREFUSED, errno.ETIMEDOUT))
`,
    allowed: `
import socket
def over_loopback():
    server = socket.create_server(("127.0.0.1", 0))
    socket.create_connection(server.getsockname(), timeout=2).close()
works(over_loopback, socket.socketpair, os.pipe)
`,
    weakness: "network_namespace",
  });
}

/** Sockets of these kinds must be refused and one of `allowed` granted: Python expressions of (family, type, protocol). */
export function sockets(id: string, kinds: readonly string[], allowed: string): SelfTest {
  return pythonProbe({
    id,
    forbidden: `
import socket
judge({str(kind): attempt(lambda: socket.socket(*kind).close()) for kind in (${kinds.join(", ")},)}, denied=DENIED + (errno.EAFNOSUPPORT,))
`,
    allowed: `
import socket
works(lambda: socket.socket(*${allowed}).close(), socket.socketpair, os.pipe)
`,
    weakness: "seccomp",
  });
}

export const hostAddresses: SelfTest = pythonProbe({
  id: "read-host-addresses",
  forbidden: `
def lines(name):
    try:
        return open("/proc/net/" + name).read().splitlines()
    except PermissionError:
        return []
foreign = [line for line in lines("arp")[1:] + lines("route")[1:]]
foreign += [line for line in lines("dev")[2:] if not line.strip().startswith("lo:")]
done(bool(foreign))
`,
  allowed: `open("/proc/net/dev").read()`,
  weakness: "network_namespace",
});

export const overlayOptions: SelfTest = pythonProbe({
  id: "read-overlay-directories",
  forbidden: `
def read(name):
    try:
        return open("/proc/self/" + name).read()
    except PermissionError:
        return ""
text = read("mounts") + read("mountinfo")
done(any(word in text for word in ("lowerdir=", "upperdir=", "workdir=")))
`,
  allowed: READ_OWN,
  weakness: null,
});

export const diskDevices: SelfTest = pythonProbe({
  id: "open-disk-device",
  forbidden: `
import stat
blocks = [os.path.join(directory, name) for directory, _, names in os.walk("/dev") for name in names
          if stat.S_ISBLK(os.lstat(os.path.join(directory, name)).st_mode)]
results = {path: attempt(lambda: os.close(os.open(path, os.O_RDONLY))) for path in blocks}
for major, minor in ((8, 0), (254, 0), (259, 0), (7, 0)):
    node = os.path.join(os.getcwd(), "node-%d" % major)
    results["mknod %d:%d" % (major, minor)] = attempt(os.mknod, node, 0o600 | stat.S_IFBLK, os.makedev(major, minor))
judge(results)
`,
  allowed: `open("/dev/null", "w").close()`,
  weakness: null,
});

export const controlGroups: SelfTest = pythonProbe({
  id: "write-control-groups",
  forbidden: `
import glob
try:
    mounted = [line.split()[1] for line in open("/proc/self/mounts") if line.split()[2].startswith("cgroup") or "lxcfs" in line.split()[2]]
except PermissionError:
    mounted = []
names = ("release_agent", "cgroup.procs", "tasks", "devices.allow", "notify_on_release")
files = [path for root in mounted + ["/sys/fs/cgroup"] for name in names for path in glob.glob(root + "/**/" + name, recursive=True)]
results = {path: attempt(lambda: os.close(os.open(path, os.O_WRONLY))) for path in files[:50]}
results["mount cgroup2"] = call(${numbers("mount")}, b"none", b"/tmp", b"cgroup2", 0, 0)
judge(results)
`,
  allowed: `open("/proc/self/cgroup").read()`,
  weakness: "capabilities",
});

export const outerPrograms: SelfTest = pythonProbe({
  id: "overwrite-outer-program",
  forbidden: `
import glob
links = ["/proc/%s/exe" % name for name in os.listdir("/proc") if name.isdigit()]
programs = [path for place in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin") for path in glob.glob(place + "/run*c") + glob.glob(place + "/runsc")]
judge({path: attempt(lambda: os.close(os.open(path, os.O_WRONLY))) for path in links + programs + ["/usr/bin/env"]},
    denied=DENIED + (errno.ENOENT, errno.ETXTBSY, errno.ESRCH))
`,
  allowed: `open("/proc/self/exe", "rb").read(4)`,
  weakness: null,
});

export const foreignProcesses: SelfTest = pythonProbe({
  id: "see-foreign-processes",
  forbidden: `
def root_of(pid):
    try:
        return os.stat("/proc/%s/root/." % pid)
    except OSError:
        return None
own = os.stat("/")
roots = [root_of(name) for name in os.listdir("/proc") if name.isdigit()]
done(any(root and (root.st_dev, root.st_ino) != (own.st_dev, own.st_ino) for root in roots))
`,
  allowed: READ_OWN,
  weakness: null,
});
