import type { SelfTest } from "@plastron/contracts";
import { CLONE_NEWCGROUP, CLONE_NEWPID } from "../seccomp/constants.ts";
import { numbers, pythonProbe } from "./probes.ts";

/** Tries to mount those file systems with the privileges of a sandbox's own user namespace, also from namespaces made for it. */
export function mountingOwn(id: string, types: readonly string[]): SelfTest {
  return pythonProbe({
    id,
    forbidden: `
results = {}
def mounting(kind):
    return call(${numbers("mount")}, b"none", b"/tmp", kind.encode(), 0, 0)
def by_context(kind):
    """A context can be opened by anyone who may mount; making the file system of it is what counts."""
    ctypes.set_errno(0)
    context = _libc.syscall(ctypes.c_long(${numbers("fsopen")}[os.uname().machine]), kind.encode(), ctypes.c_ulong(0))
    if context < 0:
        return ctypes.get_errno()
    return call(${numbers("fsconfig")}, context, 6, 0, 0, 0)
def in_own(flag, kind):
    """Mounts from a child of a process that has made such a namespace."""
    pid = os.fork()
    if pid == 0:
        error = call(${numbers("unshare")}, flag)
        if error == 0:
            inner = os.fork()
            if inner == 0:
                os._exit(mounting(kind) & 0xff)
            error = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        os._exit(error & 0xff)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
for kind in ${JSON.stringify(types)}:
    results[kind] = mounting(kind)
    results[kind + " by its context"] = by_context(kind)
    for flag in (${CLONE_NEWPID}, ${CLONE_NEWCGROUP}):
        results[f"{kind} in its own namespace {flag:x}"] = in_own(flag, kind)
judge(results, denied=DENIED + (errno.ENODEV,))
`,
    allowed: `sys.exit(1 if call(${numbers("mount")}, b"scratch", b"/tmp", b"tmpfs", 0, 0) else 0)`,
    weakness: null,
  });
}
