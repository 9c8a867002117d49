import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, newId, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canSee, openSeeing, rates, type Seeing, toldOf } from "../../testing/seen.ts";

/**
 * What a program tries that wants out, or wants not to be seen: each is first seen to work in a process of the host's, then refused
 * in a sandbox, and in the run's record. And what could make the record wrong: floods, and processes that get away.
 */
const { confinement } = compileDefault(TYPICAL_HOST);
const home = mkdtempSync(join(tmpdir(), "plastron-seen-attacks-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const CALL = `
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *given):
  result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(x) if isinstance(x, int) else x for x in given])
  print(errno.errorcode.get(ctypes.get_errno()) if result < 0 else 'done', flush=True)
def sibling():
  pid = os.fork()
  if pid == 0:
    import time; time.sleep(5); os._exit(0)
  return pid
`;
/** getpid through the 32-bit entry, from a page that is filled with it. */
const IA32 = `
import mmap
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes([0x53, 0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0x5b, 0xc3]))
print('done' if ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() > 0 else 'no')`;
const CLONE_NEWUSER = "0x10000000";

/** What is tried, the call that the record names, and what the kernel answers there. On the host no answer is one of these. */
const REFUSED: [string, call: string, errno: string, code: string][] = [
  ["a ring of io_uring", "io_uring_setup", "ENOSYS", "call(425, 8, ctypes.create_string_buffer(256))"],
  ["a packet socket", "socket", "EPERM", "call(41, 17, 3, 0)"],
  ["BPF", "bpf", "EPERM", "call(321, 0, ctypes.create_string_buffer(128), 128)"],
  ["a user namespace by unshare", "unshare", "EPERM", `call(272, ${CLONE_NEWUSER})`],
  ["a user namespace by clone", "clone", "EPERM", `call(56, ${CLONE_NEWUSER} | 17, 0, 0, 0, 0)`],
  ["a mount", "mount", "EPERM", "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)"],
  ["a mount of cgroups", "mount", "EPERM", "call(165, b'none', b'/tmp', b'cgroup2', 0, 0)"],
  ["cgroups by the newer calls", "fsopen", "EPERM", "call(430, b'cgroup2', 0)"],
  ["another root", "pivot_root", "EPERM", "call(155, b'/tmp', b'/tmp')"],
  ["another namespace", "setns", "EPERM", "call(308, os.open('/proc/self/ns/uts', os.O_RDONLY), 0)"],
  ["to trace a sibling", "ptrace", "EPERM", "pid = sibling(); call(101, 0x4206, pid, 0, 0); os.kill(pid, 9)"],
  ["a sibling's memory", "process_vm_readv", "EPERM", "pid = sibling(); call(310, pid, 0, 0, 0, 0, 0); os.kill(pid, 9)"],
  ["a process's descriptor", "pidfd_getfd", "EPERM", "call(438, os.pidfd_open(os.getpid()), 1, 0)"],
  ["faults of its own memory", "userfaultfd", "EPERM", "call(323, 1)"],
  ["keys of the kernel", "keyctl", "EPERM", "call(250, 0, -3, 0)"],
];

const onHost = (code: string) => spawnSync("unshare", ["--mount", "/usr/bin/python3", "-c", CALL + code], { encoding: "utf8" }).stdout.trim();

describe.runIf(process.arch === "x64" && (await canSee()))("attacks that are seen [needs: root, x86_64, the sensor]", { timeout: 60_000 }, () => {
  let seeing: Seeing;
  const run = (code: string, more = {}) => seeing.run({ runtime: "python3", code: CALL + code, ...more });
  beforeAll(async () => {
    seeing = await openSeeing({ home }, confinement);
  }, 60_000);
  afterAll(() => seeing.close(), 60_000);

  it.each(REFUSED)("%s is refused, and the record names %s", async (_, name, errno, code) => {
    expect(onHost(code)).not.toMatch(/EPERM|EACCES|ENOSYS/);
    const { stdout, telemetry, denials } = await run(code);
    expect(stdout.trim()).toBe(errno);
    expect(telemetry.syscalls.by_name[name]).toBeGreaterThanOrEqual(1);
    expect(telemetry.syscalls.errors[errno]).toBeGreaterThanOrEqual(1);
    if (errno === "ENOSYS") return; // answered as by a kernel that does not have it: programs then do without
    expect(telemetry.denials).toContainEqual(expect.objectContaining({ call: name, errno, abi: "native", count: 1 }));
    await expect.poll(() => denials.map(({ call }) => call)).toEqual([name]); // told while it ran, or on a busy machine just after
  });

  it("calls through the 32-bit entry end the program, are counted, and flag the run", async () => {
    expect(onHost(IA32)).toBe("done");
    expect(await run(IA32)).toMatchObject({ status: "failed", signal: "SIGSYS", stdout: "", telemetry: { syscalls: { ia32: 1 }, flags: ["ia32"] } });
  });

  it("there is no cgroup to write to, and what is read-only is told by its path", async () => {
    const { stdout, telemetry } = await run(
      "print(os.path.exists('/sys/fs/cgroup'))\ntry: open('/proc/sys/kernel/core_pattern', 'w')\nexcept OSError as e: print(e.errno)",
    );
    expect(stdout).toBe("False\n30\n");
    expect(telemetry.denials).toContainEqual(expect.objectContaining({ call: "openat", errno: "EROFS", path: "/proc/sys/kernel/core_pattern" }));
  });

  it("programs without a file are run, and flagged", async () => {
    const code =
      "fd = os.memfd_create('x'); os.write(fd, open('/usr/bin/true', 'rb').read())\nif os.fork() == 0: os.execve(fd, ['true'], {})\nprint(os.wait()[1])";
    const { stdout, telemetry } = await run(code);
    expect(stdout).toBe("0\n");
    expect(telemetry.flags).toContain("anonymous_executable");
  });

  it("a flood of events hides nothing: what is lost is counted, the run is flagged, and its calls are counted all the same", async () => {
    const code =
      "call(41, 17, 3, 0)\nend = os.times().elapsed + 2\nn = 0\nwhile os.times().elapsed < end:\n  for i in range(200):\n    try: os.open('/etc/none-%d' % n, os.O_RDONLY)\n    except OSError: n += 1\ncall(321, 0, ctypes.create_string_buffer(128), 128)\nprint(n)";
    // With so little room that the reader cannot be there in time, however fast this machine is.
    const small = await openSeeing({ home: join(home, "small") }, confinement, {}, { ringBytes: 64 * 1024 });
    const { stdout, telemetry } = await small.run({ runtime: "python3", code: CALL + code }).finally(() => small.close());
    const opens = Number(stdout.trim().split("\n").at(-1));
    expect(telemetry.syscalls.by_name.openat).toBeGreaterThanOrEqual(opens);
    expect(telemetry.syscalls.by_name.openat).toBeLessThan(opens + 200);
    expect(telemetry.syscalls.denied).toMatchObject({ socket: 1, bpf: 1 });
    expect(telemetry.files.list.length).toBeLessThanOrEqual(200);
    expect(telemetry.lost.events).toBeGreaterThan(0);
    expect(telemetry.flags).toContain("events_lost");
    // Each event was read or counted as lost: opens, the two denials, and some of the program's end.
    const read = Object.values(telemetry.files.by_class).reduce((sum, count) => sum + count, 0);
    expect(read + telemetry.lost.events).toBeGreaterThanOrEqual(opens);
    expect(read + telemetry.lost.events).toBeLessThan(opens + 250);
  });

  it("a process that forks twice and outlives its run in a session is told, and the next run's account is not its", async () => {
    const open = { session_id: newId("session"), tenant: "ten_seen", runtime: "python3", confinement, min_tier: 1, limits: DEFAULT_LIMITS } as const;
    const session = await seeing.driver.openSession({ ...open, imports: [], image: null, secrets: [] });
    const twice = "if os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    import time\n    time.sleep(30)\n  os._exit(0)\nos.wait()";
    const first = await toldOf(session, { runtime: "python3", code: CALL + twice, confinement, limits: rates({}) });
    expect(first).toMatchObject({ status: "completed", telemetry: { processes: { forks: 2 } } });
    expect(first.telemetry.flags).toContain("outlived");
    const next = await toldOf(session, { runtime: "python3", code: "print(1)", confinement, limits: rates({}) });
    expect(next).toMatchObject({ status: "completed", telemetry: { processes: { forks: 0 } } });
    await session.close("done");
  });
});
