import { type Attack, attack, WEAK_ROOT, WEAK_USER } from "../attack.ts";
import { python } from "../programs/load.ts";

/** Each way happens in a child, so that the attacker's own process stays as it is. A way that works shows the capabilities won. */
const WAYS = `
import signal

CLONE_NEWUSER = 0x10000000
UNSHARE, CLONE, CLONE3 = {"x86_64": 272, "aarch64": 97}, {"x86_64": 56, "aarch64": 220}, {"x86_64": 435, "aarch64": 435}

def capable():
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("CapEff")).split()[1], 16) != 0

def in_child(action):
    child = os.fork()
    if child == 0:
        os._exit(action() or (0 if capable() else errno.EPERM))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def raw_child(number, *arguments):
    """The child of a raw clone shares nothing with Python's own bookkeeping and leaves at once."""
    ctypes.set_errno(0)
    words = [a if isinstance(a, ctypes.Array) else ctypes.c_ulong(a) for a in arguments]
    child = _libc.syscall(ctypes.c_long(number[MACHINE]), *words)
    if child == 0:
        os._exit(0 if capable() else 1)
    if child < 0:
        return ctypes.get_errno()
    return 0 if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else errno.EPERM

def clone(flags):
    ctypes.set_errno(0)
    child = _libc.syscall(ctypes.c_long(CLONE[MACHINE]), ctypes.c_ulong(flags | signal.SIGCHLD), *[ctypes.c_ulong(0)] * 4)
    if child == 0:
        os._exit(0 if flags == 0 or capable() else 1)
    if child < 0:
        return ctypes.get_errno()
    return 0 if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else errno.EPERM

def clone3(flags):
    return raw_child(CLONE3, (ctypes.c_ulong * 11)(flags, 0, 0, 0, signal.SIGCHLD), 88)

control(clone(0))
`;

const BY_UNSHARE = python(`${WAYS}
conclude({"all capabilities in a user namespace": in_child(lambda: call(UNSHARE, CLONE_NEWUSER))}, refused=REFUSED + (errno.ENOSPC,))
`);
const BY_CLONE = python(`${WAYS}
conclude({"all capabilities in a user namespace": clone(CLONE_NEWUSER), "the same with high bits": clone(CLONE_NEWUSER | 1 << 40)}, refused=REFUSED + (errno.ENOSPC,))
`);
const BY_CLONE3 = python(`${WAYS}
conclude({"all capabilities in a user namespace": clone3(CLONE_NEWUSER)}, refused=REFUSED + (errno.ENOSPC,))
`);

const MOUNT = python(`
MOUNT, FSOPEN = {"x86_64": 165, "aarch64": 40}, {"x86_64": 430, "aarch64": 430}
control(attempt(os.mkdir, "/tmp/target"))
conclude({
    "a file system of its own": call(MOUNT, b"none", b"/tmp/target", b"tmpfs", 0, 0),
    "a fresh /proc": call(MOUNT, b"none", b"/tmp/target", b"proc", 0, 0),
    "/usr over its own directory": call(MOUNT, b"/usr", b"/tmp/target", 0, 4096, 0),
    "by fsopen": call(FSOPEN, b"tmpfs", 0),
})
`);

const STORY = "In a user namespace of their own, attackers hold every capability, and with it reach the parts of the kernel where most of its holes are.";

/** Ways to a place where the attacker is root, and what root does there first. */
export const namespaceAttacks: Attack[] = [
  attack({
    id: "user-namespace-unshare",
    title: "Becoming root in a user namespace by unshare",
    story: STORY,
    rule: "disallow-create-user-ns",
    weak: WEAK_USER,
    code: BY_UNSHARE,
  }),
  attack({
    id: "user-namespace-clone",
    title: "Becoming root in a user namespace by clone",
    story: `${STORY} vArmor's own rule watches unshare only.`,
    rule: "disallow-create-user-ns",
    weak: WEAK_USER,
    code: BY_CLONE,
  }),
  attack({
    id: "user-namespace-clone3",
    title: "Becoming root in a user namespace by clone3",
    story: `${STORY} The flags of this call lie where no filter can read them.`,
    rule: "disallow-create-user-ns",
    weak: WEAK_USER,
    code: BY_CLONE3,
  }),
  attack({
    id: "mount",
    title: "Mounting file systems",
    story: "Who may mount can uncover what was hidden and cover what was trusted.",
    rule: "disallow-mount",
    weak: WEAK_ROOT,
    code: MOUNT,
  }),
];
