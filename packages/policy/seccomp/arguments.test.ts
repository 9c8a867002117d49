import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { PYTHON, runFiltered, untriable } from "../testing/filtered.ts";
import { argumentWidth } from "./arguments.ts";
import { assembleFilter } from "./assemble.ts";
import { ALLOW, deny, type Entry, eq } from "./profile.ts";
import { isSyscallName, syscallNumbers } from "./syscalls.ts";

const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
const why = untriable();
const HIGH = "(1 << 40)";

/** Calls that the kernel carries out whatever the upper half of this argument holds. `made`: what their arguments are made of. */
const CALLS: [name: string, index: 0 | 1 | 2 | 3 | 4 | 5, value: number, args: string, made?: string][] = [
  ["setuid", 0, 65534, "V"],
  ["setresgid", 1, 65534, "65534, V, 65534"],
  ["setfsuid", 0, 65534, "V"],
  ["getsid", 0, 0, "V"],
  ["setpgid", 0, 0, "V, 0"],
  ["umask", 0, 0o22, "V"],
  ["alarm", 0, 0, "V"],
  ["fsync", 0, 9, "V", "os.dup2(os.open('/tmp', os.O_RDONLY), 9)"],
  ["fchdir", 0, 9, "V", "os.dup2(os.open('/tmp', os.O_RDONLY), 9)"],
  ["write", 0, 9, "V, b'x', 1", "os.dup2(os.pipe()[1], 9)"],
  ["writev", 0, 9, "V, None, 0", "os.dup2(os.pipe()[1], 9)"],
  ["sendto", 3, 0x40, "a.fileno(), b'x', 1, V, None, 0", "import socket\na, b = socket.socketpair()"],
  ["sched_getparam", 0, 0, "V, ctypes.create_string_buffer(8)"],
  ["process_vm_readv", 0, 0, "V, None, 0, None, 0, 0", "import errno"],
];

const program = (call: string, number: number, args: string, value: string, made = "") => `
import ctypes, os
${made}
libc = ctypes.CDLL(None, use_errno=True)
V = ctypes.c_ulong(${value})
result = libc.syscall(ctypes.c_long(${number}), ${args})
print('${call}', 'EPERM' if result == -1 and ctypes.get_errno() == 1 else 'done')`;

/** What is refused by what these entries say, and everything else allowed. */
const filter = (...entries: Entry[]): string => Buffer.from(assembleFilter({ otherwise: ALLOW, unknown: ALLOW, entries }, arch)).toString("base64");

describe("the width of arguments", () => {
  it.skipIf(why !== null)("is the kernel's: no call passes a rule by what the kernel does not read [needs: python3, seccomp]", async () => {
    for (const [name, index, value, args, made] of CALLS) {
      const number = syscallNumbers(arch).get(name);
      if (number === undefined) continue;
      const answers = async (rules: string) => {
        const said = [];
        for (const given of [`${value}`, `${value} | ${HIGH}`]) {
          const { stdout, stderr } = await runFiltered(rules, [PYTHON, "-c", program(name, number, args, given, made)], tmpdir());
          said.push(stderr || stdout.trim());
        }
        return said;
      };
      expect(await answers(filter())).toEqual([`${name} done`, `${name} done`]);
      expect(await answers(filter(deny(name, eq(index, value))))).toEqual([`${name} EPERM`, `${name} EPERM`]);
    }
  });

  it("is known of every call that takes a descriptor, a process or an id", () => {
    const narrow =
      "setuid setreuid setresuid setgroups kill read write pread64 readv fchdir fsync fstat getdents64 sendmsg recvfrom fsetxattr semop shmat ptrace:1 mmap:4";
    for (const [name = "", index = "0"] of narrow.split(" ").map((each) => each.split(":")))
      expect([name, isSyscallName(name), argumentWidth(name, Number(index))]).toEqual([name, true, 32]);
    expect([argumentWidth("mmap", 1), argumentWidth("brk", 0), argumentWidth("chmod", 1)]).toEqual([64, 64, 16]);
  });
});
