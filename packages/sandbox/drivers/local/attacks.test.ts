import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Confinement, DEFAULT_LIMITS, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault, compilePolicy, parsePolicy } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../../driver.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { begun, firstWord } from "../../testing/waiting.ts";
import { openLocalDriver } from "./index.ts";

/**
 * Attacks that once got through, or nearly did: on what the kernel counts for the whole host, on init, on the supervisor, on the
 * zygote. Each is first seen to work where the control is missing (a bare process, or one part of the confinement taken out).
 */
const HOST = TYPICAL_HOST;
const { confinement } = compileDefault(HOST);
const DIFY = join(import.meta.dirname, "../../../../policies/dify-sandbox.yaml");
const without = (weak: NonNullable<Confinement["weak"]>): Confinement => ({ ...confinement, id: "e".repeat(64), weak });
const bare = (code: string, uid?: number) => spawnSync("/usr/bin/python3", ["-c", code], { encoding: "utf8", uid, cwd: "/" }).stdout;

const home = mkdtempSync(join(tmpdir(), "plastron-attacks-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function untilZygote(driver: SandboxDriver, rules: Confinement): Promise<void> {
  const { python } = bench(driver, rules);
  for (let i = 0; i < 100 && (await python("pass")).sandbox.source !== "zygote"; i++) await new Promise((later) => setTimeout(later, 50));
}

/** Processes with this real uid on the host. */
function processesOf(uid: number): string[] {
  const own = (pid: string) => {
    try {
      return statSync(`/proc/${pid}`).uid === uid || readFileSync(`/proc/${pid}/status`, "utf8").includes(`\nUid:\t${uid}\t`);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && own(pid));
}

const INOTIFY = "import ctypes\nl = ctypes.CDLL(None)\nn = 0\nwhile n < 100_000 and l.inotify_init1(0) >= 0: n += 1\n";
const CORE = "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\nprint(resource.getrlimit(resource.RLIMIT_CORE))";
const HOST_WIDE = `
import ctypes, errno
l = ctypes.CDLL(None, use_errno=True)
l.mmap.restype = ctypes.c_void_p
def attempt(name, result):
    print(name, errno.errorcode[ctypes.get_errno()] if result in (-1, 2**64 - 1) else 'possible')
attempt('aio', l.syscall(206, 8, ctypes.byref(ctypes.c_ulong(0))))
attempt('huge mapping', l.mmap(None, ctypes.c_size_t(1 << 21), 3, 0x40022, -1, 0))
attempt('huge file', l.memfd_create(b'x', 4))`;
const QUEUE = `
import socket
server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(100)
total, kept = 0, []
for i in range(20):
    a = socket.socket(); a.connect(server.getsockname()); b, _ = server.accept(); a.setblocking(False); kept += [a, b]
    try:
        while True: total += a.send(bytes(1 << 20))
    except BlockingIOError: pass
print(total >> 20)`;
const ACL = `
import os, struct, tempfile
with tempfile.NamedTemporaryFile(dir=DIR) as f:
    acl = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', t, p, 0xffffffff) for t, p in ((1, 7), (4, 5), (32, 5)))
    try: os.setxattr(f.name, 'system.posix_acl_access', acl)
    except OSError: pass
    print(oct(os.stat(f.name).st_mode & 0o777))`;
/** Control is the highest descriptor that is allowed. */
const CONTROL = "import os, resource, time\ncontrol = resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1\n";
const PUBLISH = `
import ctypes, socket, time
l = ctypes.CDLL(None)
s = socket.socket(socket.AF_UNIX); s.bind('\\0plastron-attack'); s.listen()
l.shmget(0x504c4153, 4096, 0o1666)
open('/dev/shm/plastron-attack', 'w').close()
print('there', flush=True)
input()
l.shmctl(l.shmget(0x504c4153, 0, 0), 0, None)`;
const LOOK = `
import ctypes, os, socket
s = socket.socket(socket.AF_UNIX)
print(s.connect_ex('\\0plastron-attack') == 0, ctypes.CDLL(None).shmget(0x504c4153, 0, 0) >= 0, os.path.exists('/dev/shm/plastron-attack'))`;

describe.each(["process", "zygote"] as const)("a hostile program (%s)", (source) => {
  let driver: SandboxDriver;
  let under: (rules: Confinement) => Bench;
  beforeAll(async () => {
    driver = await openLocalDriver({ home: join(home, source) }, { zygoteCores: source === "zygote" ? 0 : Number.POSITIVE_INFINITY });
    under = (rules) => bench(driver, rules);
    if (source === "zygote") await untilZygote(driver, confinement);
  }, 60_000);
  afterAll(() => driver.close(), 60_000);

  it("cannot use up what the kernel allows the host's root of inotify, timers and queues", async () => {
    const uid = 54_321;
    const attack = `import os, subprocess, sys\np = subprocess.Popen(['unshare', '-U', 'python3', '-c', sys.argv[1]], stdout=subprocess.PIPE, stdin=subprocess.PIPE)\np.stdout.readline()\n${INOTIFY}print(n)\np.stdin.close(); p.wait()`;
    const hold = `${INOTIFY}print(n, flush=True)\nimport sys; sys.stdin.read()`;
    expect(execFileSync("/usr/bin/python3", ["-c", attack, hold], { encoding: "utf8", uid, cwd: "/" })).toBe("0\n");

    let left = "";
    const seen = (text: string) => {
      if (text.startsWith("took")) left ||= bare("import ctypes; print(ctypes.CDLL(None).inotify_init1(0) >= 0)");
    };
    const ran = await under(confinement).watch({ runtime: "python3", code: `${INOTIFY}import time; print('took', n, flush=True); time.sleep(0.3)` }, seen);
    expect(ran.sandbox.source).toBe(source);
    expect(Number(ran.stdout.split(" ")[1])).toBeGreaterThan(10);
    expect(left).toBe("True\n");
  });

  it("cannot start the host's handler of core dumps by crashing", async () => {
    expect((await under(without({ seccomp: true })).python(CORE)).stdout).toBe("(0, 0)\n"); // core(5): a handler is started all the same
    expect((await under(confinement).python(CORE)).stdout).toBe("(1, 1)\n"); // and with 1 it is not
  });

  it("cannot take what exists once for the whole kernel: aio contexts, reserved huge pages", async () => {
    const free = (await under(without({ seccomp: true })).python(HOST_WIDE)).stdout;
    expect(free).toMatch(/^aio possible\nhuge mapping (ENOMEM|possible)\nhuge file possible\n$/);
    expect((await under(confinement).python(HOST_WIDE)).stdout).toBe("aio ENOSYS\nhuge mapping EPERM\nhuge file EPERM\n");
  });

  it("cannot hide memory in the buffers of sockets", async () => {
    expect(Number(bare(QUEUE))).toBeGreaterThan(70);
    const ran = await under(confinement).python(QUEUE, { limits: { ...DEFAULT_LIMITS, memory_bytes: 64 * 1024 * 1024 } });
    if (ran.status !== "memory_exceeded") expect(Number(ran.stdout)).toBeLessThan(70);
  });

  it("cannot make a file executable by an ACL where chmod is refused", async () => {
    const strict = compilePolicy(parsePolicy(readFileSync(DIFY, "utf8")), HOST);
    const code = `DIR = '/workspace'\n${ACL}`;
    expect((await under(confinement).python(code)).stdout).toBe("0o755\n");
    expect((await under(strict.confinement).python(code)).stdout).toBe("0o600\n");
  }, 120_000); // this policy hides programs by their names, wherever they are: the first search of a cold disk is long

  it("cannot make the supervisor work for it by a flood of frames, and can lie about its own exit code only", async () => {
    const flood = await under(confinement).python(`${CONTROL}while True: os.write(control, b'Q\\0\\0\\0\\0' * 10_000)`);
    expect(flood).toMatchObject({ status: "killed", reason: "the worker broke its protocol" });
    const long = await under(confinement).python(`${CONTROL}os.write(control, b'D\\xff\\xff\\xff\\x7f'); time.sleep(9)`);
    expect(long).toMatchObject({ status: "killed", reason: "the worker broke its protocol" });
    const strays = "b'R\\0\\0\\0\\0N\\4\\0\\0\\0evilX\\0\\0\\0\\0D\\1\\0\\0\\0x'";
    expect(await under(confinement).python(`${CONTROL}os.write(control, ${strays}); print('fine')`)).toMatchObject({ status: "completed", stdout: "fine\n" });
    const lie = await under(confinement).python(`${CONTROL}print('said', flush=True); os.write(control, b'D\\4\\0\\0\\0\\7\\0\\0\\0'); time.sleep(9)`);
    expect(lie).toMatchObject({ status: "failed", exit_code: 7, stdout: "said\n" });
    const half = await under(confinement).python(`${CONTROL}os.write(control, b'D\\4'); os.close(control); os.close(1); os.close(2); os.kill(os.getpid(), 9)`);
    expect(half).toMatchObject({ status: "failed", signal: "SIGKILL" });
  });

  it("cannot talk to a run beside it: abstract sockets, System V memory, /dev/shm", async () => {
    const outside = spawn("/usr/bin/python3", ["-c", PUBLISH], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(outside, "exit");
    expect(await firstWord(outside)).toContain("there");
    expect(bare(LOOK)).toBe("True True True\n");
    outside.stdin.end("\n");
    await ended;
    rmSync("/dev/shm/plastron-attack", { force: true });

    const use = under(confinement);
    const { ended: published, letGo } = await begun(use, { code: PUBLISH });
    expect((await use.python(LOOK)).stdout).toBe("False False False\n");
    letGo();
    expect(await published).toMatchObject({ stdout: "there\n", status: "completed" });
  });
});

describe("what surrounds a program", () => {
  let driver: SandboxDriver;
  let use: Bench;
  beforeAll(async () => {
    driver = await openLocalDriver({ home: join(home, "around") }, { zygoteCores: Number.POSITIVE_INFINITY });
    use = bench(driver, confinement);
  });
  afterAll(() => driver.close());

  it("init leaves, and all with it, when a program lowers init's limits so that it can hear nobody", async () => {
    const deaf = "import resource, select\np = select.poll(); p.register(0); p.register(1)\nresource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))\n";
    expect(bare(`${deaf}try: p.poll(0)\nexcept OSError as e: print(e.errno)`)).toBe("22\n");
    const code = `
import os, resource, time
print(open('/proc/self/uid_map').read().split()[1], flush=True)
resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))
if os.fork() == 0:
    if os.fork() == 0: time.sleep(0.1)
    os._exit(0)
time.sleep(30)`;
    const ran = await use.python(code);
    expect(ran).toMatchObject({ status: "killed", reason: "init has gone" });
    // The program would sleep for half a minute.
    await expect.poll(() => processesOf(Number(ran.stdout)), { timeout: 15_000 }).toEqual([]);
  });

  it("a program that ends while its input still comes has its result, every time", async () => {
    const endless = async function* () {
      for (let at = 0; at < 400; at++) {
        yield Buffer.alloc(1000, 120);
        if (at % 4 === 0) await new Promise(setImmediate);
      }
    };
    for (let round = 0; round < 25; round++) {
      const ran = await use.watch({ runtime: "python3", code: "print('done')" }, () => {}, { stdin: endless() });
      expect(ran).toMatchObject({ status: "completed", stdout: "done\n" });
    }
  }, 60_000);

  it("the supervisor spends seconds, not minutes, on a hostile tree and hostile globs, and says that it stopped", async () => {
    const tree = (files: number) =>
      `import os\nd = '/workspace/' + '/'.join(['a' * 200] * 4); os.makedirs(d)\nfor i in range(${files}): open(d + '/' + 'a' * 190 + str(i), 'w').close()`;
    const collect = Array.from({ length: 32 }, (_, i) => `${"**/*a".repeat(50)}${i}z`);
    const time = async (files: number) => {
      const begun = performance.now();
      const ran = await use.python(tree(files), { collect });
      return { ran, ms: performance.now() - begun };
    };
    const few = await time(100);
    expect(few.ran.limits_hit).toEqual([]);
    const many = await time(9900);
    expect(many.ran.limits_hit).toContain("artifacts");
    expect(many.ms).toBeLessThan(8000);
    expect((few.ms * 9900) / 100).toBeGreaterThan(many.ms); // it would have taken as long
  }, 20_000);

  it("artefacts with names of bytes, and of a terabyte of nothing, do no harm", async () => {
    const code = `
import os
for name in (b'new\\nline', b'\\xff\\xfe', b'-rf', b' ', b'\\xe2\\x80\\xae'): open(b'/workspace/' + name, 'w').write('x')
with open('/workspace/huge', 'wb') as f: f.truncate(1 << 40)
d = '/workspace'
for i in range(200):
    d += '/d'; os.mkdir(d)`;
    const ran = await use.python(code, { collect: ["**"] });
    expect(ran.artifacts.map((file) => file.path).sort()).toEqual([" ", "-rf", "huge", "main.py", "new\nline", "\u202e", "\ufffd\ufffd"].sort());
    expect(ran.artifacts.find((file) => file.path === "huge")).toMatchObject({ size: 2 ** 40, truncated: true });
  });

  it("the least number of open files that may be asked for is enough to start", async () => {
    expect((await use.bash("echo started", { limits: { ...DEFAULT_LIMITS, open_files: 16 } })).stdout).toBe("started\n");
  });
});

describe("a zygote", () => {
  /** How many of these the process finds in its memory. The patterns do not match themselves. */
  const SECRETS = `
import re
words, found = re.compile(b'supervisor[s][.]sock|/cgroup[.]proc[s]'), set()
for line in open('/proc/self/maps'):
    addresses, rights = line.split()[:2]
    start, end = (int(x, 16) for x in addresses.split('-'))
    with open('/proc/self/mem', 'rb', 0) as memory:
        try: memory.seek(start); found.update(words.findall(memory.read(end - start)))
        except (OSError, OverflowError): continue
print(len(found))`;
  it("does not hand the agent's paths and tokens to its children, and hears no signal of theirs", async () => {
    const driver = await openLocalDriver({ home: join(home, "own") }, { zygoteCores: 0 });
    try {
      const rules = without({ landlock: true }); // from ABI 6 on Landlock refuses the signal: older kernels do not
      await untilZygote(driver, rules);
      const { python } = bench(driver, rules);
      const attack = await python("import os\nfor i in range(20): os.kill(1, 2)\nprint('sent')");
      expect(attack).toMatchObject({ stdout: "sent\n", sandbox: { source: "zygote" } });
      for (let i = 0; i < 10; i++) expect(await python("print('unharmed')")).toMatchObject({ stdout: "unharmed\n", stderr: "", sandbox: { source: "zygote" } });
      expect((await python(SECRETS, { env: { PLANTED: ["supervisors", "sock"].join(".") } })).stdout).toBe("1\n");
      expect((await python(SECRETS)).stdout).toBe("0\n");
    } finally {
      await driver.close();
    }
  }, 30_000);
});
