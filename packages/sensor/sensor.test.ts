import { writeFileSync } from "node:fs";
import type { Activity } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { openStage } from "./testing/open-stage.ts";
import { Actor, compiled, NO_RATES, python, sensorMissing, watch } from "./testing/stage.ts";

describe.runIf(sensorMissing === null)("a sandbox is seen [needs: root, BTF, the sensor's programs]", () => {
  const stage = openStage();

  const of = <Kind extends Activity["kind"]>(timeline: Activity[] | null, kind: Kind) =>
    (timeline ?? []).filter((one): one is Extract<Activity, { kind: Kind }> => one.kind === kind);

  it("each call is counted, and none that was not made", async () => {
    const code = `for (int i = 0; i < 1000; i++) syscall(SYS_getppid);
      for (int i = 0; i < 7; i++) syscall(SYS_lseek, -1, 0, 0);
      syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, "/etc/hostname", O_RDONLY));
      syscall(SYS_openat, AT_FDCWD, "/no/such", O_RDONLY);
      if (fork() == 0) _exit(3);
      wait(0);
      syscall(SYS_exit_group, 0);`;
    const { telemetry } = await watch(stage.sensor, compiled(stage.folder, "exact", code));
    const { read, ...by_name } = telemetry.syscalls.by_name;
    expect(read).toBeLessThanOrEqual(1); // the one that it waited in
    const { set_robust_list: _, ...own } = by_name; // glibc's, in the child
    expect(own).toEqual({ getppid: 1000, lseek: 7, openat: 2, close: 1, clone: 1, wait4: 1, exit_group: 2 });
    expect(telemetry.syscalls.errors).toEqual({ EBADF: 7, ENOENT: 1 });
    expect(telemetry.syscalls.ia32).toBe(0);
    expect(telemetry.processes).toMatchObject({ forks: 1, threads: 0, execs: 0, exits: 2 });
    expect(telemetry.files.opens).toBe(2);
    expect(telemetry.lost).toEqual({ events: 0, listed: 0 });
    // Without a cgroup of the unified hierarchy one thing is not seen, and is named.
    expect(telemetry).toMatchObject({ level: "limited", reason: expect.stringMatching(/^bytes by peer: /) });
  });

  it("nothing is told of who is in no sandbox, nor of one that is not armed", async () => {
    const outside = await watch(stage.sensor, python("os.getppid()"));
    const actor = await Actor.start(python("os.getppid()"));
    const point = stage.sensor.place({ pid: actor.pid, cgroup: null });
    await actor.go();
    expect((await point.collect()).level).toBe("none");
    point.release();
    expect(outside.telemetry.syscalls.by_name.getppid).toBe(1);
    expect(() => stage.sensor.place({ pid: process.pid, cgroup: null })).toThrow(/our own pid namespace/);
    expect(() => stage.sensor.place({ pid: 2 ** 30, cgroup: null })).toThrow(/cannot be looked at/);
  });

  it("two sandboxes are told apart, and a third run in the same place begins from zero", async () => {
    const [one, two] = await Promise.all([
      watch(stage.sensor, python("for _ in range(100): os.getppid()")),
      watch(stage.sensor, python("for _ in range(33): os.getppid()")),
    ]);
    const three = await watch(stage.sensor, python("for _ in range(5): os.getppid()"));
    expect([one, two, three].map(({ telemetry }) => telemetry.syscalls.by_name.getppid)).toEqual([100, 33, 5]);
  });

  it("a file is told with what was done to it, a failure with what was asked for", async () => {
    const code = `
os.chdir(${JSON.stringify(stage.folder)})
os.close(os.open("made", os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o600))
os.symlink("made", "link")
open("link").close()
open("./../../" + "etc/hostname").close()
try: open("nothing/here")
except FileNotFoundError: pass
`;
    const { telemetry } = await watch(stage.sensor, python(code));
    const made = `${stage.folder}/made`;
    expect(telemetry.files.list.find(({ path }) => path === made)).toEqual({ path: made, class: "tmp", reads: 2, writes: 1, creates: 1, failures: {} });
    expect(telemetry.files.list.find(({ path }) => path.includes("nothing"))).toMatchObject({ path: `${stage.folder}/nothing/here`, failures: { ENOENT: 1 } });
    const opens = of(telemetry.timeline, "open").filter(({ path }) => path === made || path === "/etc/hostname");
    expect(opens.map(({ path, access, create, truncate, asked }) => ({ path, access, create, truncate, asked }))).toEqual([
      { path: made, access: "readwrite", create: true, truncate: true, asked: false },
      { path: made, access: "read", create: false, truncate: false, asked: false },
      { path: "/etc/hostname", access: "read", create: false, truncate: false, asked: false },
    ]);
  });

  it("processes are told with their programs, arguments and ends", async () => {
    const code = `
import subprocess, signal
subprocess.run(["/bin/sh", "-c", "exit 7"])
subprocess.run(["/bin/sh", "-c", "kill -SEGV $$"])
os._exit(0)`;
    const { telemetry, pid } = await watch(stage.sensor, python(code));
    const [own, first, second] = telemetry.processes.list;
    expect(own).toMatchObject({ pid, parent: null, exe: expect.stringMatching(/python3/), code: 0, signal: null });
    expect(first).toMatchObject({ parent: pid, exe: "/usr/bin/dash", argv: ["/bin/sh", "-c", "exit 7"], code: 7, signal: null });
    expect(second).toMatchObject({ parent: pid, argv: ["/bin/sh", "-c", "kill -SEGV $$"], code: null, signal: "SIGSEGV" });
    expect(telemetry.flags).not.toContain("outlived");
    const times = (telemetry.timeline ?? []).map(({ t_us }) => t_us);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("a denial is told at once with path, program and stack, and equal ones are one", async () => {
    const secret = `${stage.folder}/secret`;
    writeFileSync(secret, "", { mode: 0o600 });
    const code = `
os.setresuid(65534, 65534, 65534)
def wanted():
    for _ in range(5):
        try: open(${JSON.stringify(secret)})
        except PermissionError: pass
wanted()
try: os.kill(1, 0) or os.setuid(0)
except PermissionError: pass
`;
    const { telemetry, denials } = await watch(stage.sensor, python(code));
    const [first, second] = telemetry.denials;
    expect(first).toMatchObject({ call: "openat", errno: "EACCES", path: secret, count: 5, abi: "native", exe: expect.stringMatching(/python3/) });
    expect(first?.stack?.frames.map((frame) => frame.function)).toContain("wanted");
    expect(second).toMatchObject({ call: "setuid", errno: "EPERM", path: null, to: null, count: 1 });
    expect(telemetry.syscalls.denied).toEqual({ openat: 5, setuid: 1 });
    expect(denials.map(({ call, count }) => [call, count])).toEqual([
      ["openat", 1],
      ["setuid", 1],
    ]);
  });

  it("peers are told as the kernel has them, with IPv4, IPv6, mapped and unix addresses", async () => {
    const code = `
import socket
def quiet(what, *args):
    try: what(*args)
    except OSError: pass
quiet(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect, ("127.0.0.1", 53))
quiet(socket.socket(socket.AF_INET, socket.SOCK_STREAM).connect, ("127.0.0.1", 1))
quiet(socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect, ("::1", 1))
quiet(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).connect, ("::ffff:127.0.0.1", 99))
quiet(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).connect, "/no/socket")
import ctypes
raw = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
for size, junk in ((110, b""), (60, b"junk"), (12, b"")):
    address = (b"\\x01\\x00/no/socket\\0" + junk).ljust(110, b"\\0")
    ctypes.CDLL(None).connect(raw.fileno(), address, size)
quiet(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).bind, "\\0abstract-" + str(os.getpid()))
quiet(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto, b"x", ("127.0.0.1", 5))
quiet(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg, [b"x"], [], 0, ("127.0.0.1", 6))
`;
    const { telemetry } = await watch(stage.sensor, python(code));
    const peers = telemetry.network.peers.map(({ kind, to, failures }) => `${kind} ${to.family} ${to.address} ${to.port} ${Object.keys(failures)}`);
    expect(peers).toEqual([
      "connect inet 127.0.0.1 53 ",
      "connect inet 127.0.0.1 1 ECONNREFUSED",
      expect.stringMatching(/^connect inet6 ::1 1 E/),
      expect.stringMatching(/^connect inet6 ::ffff:127.0.0.1 99/),
      "connect unix /no/socket 0 ENOENT",
      expect.stringMatching(/^bind unix @abstract-/),
      "send inet 127.0.0.1 5 ",
      "send inet 127.0.0.1 6 ",
    ]);
    expect(telemetry.network.peers.find(({ to }) => to.address === "/no/socket")?.failures).toEqual({ ENOENT: 4 });
    expect(telemetry.network).toMatchObject({ connects: 8, binds: 1, sends: 2 });
  });

  it("no program can tell that a process was stopped for its stack: not its parent, nor a handler of its own", async () => {
    const code = `
import signal, time
# Pid 1 is the sandbox's own, and the program its child.
program = os.fork()
if program != 0:
    os.waitpid(program, 0)
    os._exit(0)
seen = []
signal.signal(signal.SIGCHLD, lambda *_: seen.append("child"))
def denied(what):
    try: os.mkdir("/usr/" + what)
    except OSError: pass
child = os.fork()
if child == 0:
    for n in range(8): denied("child-%d" % n); time.sleep(0.002)
    os._exit(7)
while True:
    try: _, status = os.waitpid(child, os.WUNTRACED | os.WCONTINUED)
    except InterruptedError: continue
    seen.append("stopped" if os.WIFSTOPPED(status) else "goes on" if os.WIFCONTINUED(status) else "exit %d" % os.WEXITSTATUS(status))
    if not (os.WIFSTOPPED(status) or os.WIFCONTINUED(status)): break
signal.signal(signal.SIGCONT, lambda *_: seen.append("cont"))
for n in range(8): denied("handled-%d" % n); time.sleep(0.002)
signal.signal(signal.SIGCONT, signal.SIG_DFL)
denied("unseen")
print(sorted(seen))`;
    const { telemetry, stdout } = await watch(stage.sensor, python(`os.setresuid(65534, 65534, 65534)${code}`));
    expect(stdout).toBe("['child', 'exit 7']\n");
    const stacks = (part: string) => telemetry.denials.filter(({ path, stack }) => path?.includes(part) && stack !== null).length;
    expect([stacks("child-"), stacks("handled-"), stacks("unseen")]).toEqual([0, 0, 1]);
    expect(telemetry.stacks_skipped).toBe(16);
  });

  it("what a signal handler returns to is no denial of its own, and a socket of another family is another denial", async () => {
    const code = `
import signal, socket
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
signal.signal(signal.SIGALRM, lambda *_: None)
for n in range(3000):
    try: os.mkdir("/usr/x")
    except OSError: pass
signal.setitimer(signal.ITIMER_REAL, 0)
for family, protocol in ((socket.AF_PACKET, 3), (socket.AF_INET, 1), (socket.AF_PACKET, 3)):
    try: socket.socket(family, socket.SOCK_RAW, protocol)
    except OSError: pass`;
    const { telemetry } = await watch(stage.sensor, python(`os.setresuid(65534, 65534, 65534)${code}`));
    expect(telemetry.denials.map(({ call, arguments: words, count }) => (call === "socket" ? [call, words[0], count] : [call, count]))).toEqual([
      ["mkdir", 3000],
      ["socket", "0x11", 2],
      ["socket", "0x2", 1],
    ]);
    expect(telemetry.syscalls.by_name.rt_sigreturn).toBeGreaterThan(10);
  });

  it("a rate that is exceeded is told once, while the program runs", async () => {
    const code =
      "import time\nfor _ in range(300):\n  try: os.rmdir('/proc')\n  except OSError: pass\ntime.sleep(0.2)\nfor _ in range(300):\n  try: os.setuid(0) or os.chown('/proc/1/mem', 5, 5)\n  except OSError: pass\ntime.sleep(0.2)";
    const { broken } = await watch(stage.sensor, python(`os.setresuid(65534, 65534, 65534)\n${code}`), { rates: { ...NO_RATES, denied_per_s: 100 } });
    expect(broken).toHaveLength(1);
    expect(broken[0]).toMatchObject({ rule: "denied_per_s", limit: 100, stacks: [] });
    expect(broken[0]?.measured).toBeGreaterThan(100);
  });
});
