import { describe, expect, test } from "vitest";
import { decode, execute } from "../testing/classic-bpf.ts";
import { ARCHES } from "../testing/meaning.ts";
import { assembleFilter } from "./assemble.ts";
import { floorProfile } from "./floor.ts";
import { type Arch, isSyscallName, syscallNumbers } from "./syscalls.ts";

const HIGH = 1n << 40n;
const AT_FDCWD = (1n << 64n) - 100n;

/** What the floor answers to a call by name. undefined: this architecture has no such call. */
function answer(arch: Arch, name: string, args: (bigint | number)[]): "allow" | "EPERM" | "ENOSYS" | number | undefined {
  const nr = syscallNumbers(arch).get(name);
  if (nr === undefined) return undefined;
  const filled = Array.from({ length: 6 }, (_, i) => BigInt(args[i] ?? 0));
  const result = execute(decode(FILTERS[arch]), { arch: ARCHES[arch], nr, args: filled });
  return ({ 2147418112: "allow", 327681: "EPERM", 327718: "ENOSYS" } as const)[result] ?? result;
}
const FILTERS = { x86_64: assembleFilter(floorProfile(), "x86_64"), aarch64: assembleFilter(floorProfile(), "aarch64") };

describe.each(["x86_64", "aarch64"] as const)("every sandbox on %s", (arch) => {
  const expectAll = (wanted: string, tried: [string, ...(bigint | number)[]][]) => {
    expect(tried.map(([name]) => name).filter((name) => !isSyscallName(name))).toEqual([]);
    const answers = tried.map(([name, ...args]) => [name, answer(arch, name, args) ?? wanted]);
    expect(answers).toEqual(tried.map(([name]) => [name, wanted]));
  };

  test("makes threads and processes, and no namespaces by any bit", () => {
    const thread = 0x3d0f00;
    expectAll("allow", [["clone", thread], ["clone", 17], ["clone", HIGH | 17n], ["fork"], ["vfork"], ["execve"], ["execveat"]]);
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
      expectAll("EPERM", [
        ["clone", flag | 17],
        ["clone", HIGH | BigInt(flag)],
        ["unshare", flag],
        ["setns", 3, flag],
      ]);
    expectAll("ENOSYS", [["clone3"]]);
  });

  test("has sockets of its own machine and of TCP and UDP, and no others", () => {
    expectAll("allow", [
      ["socket", 1, 1],
      ["socket", 1, 2 | 0o2000000 | 0o4000],
      ["socket", 1, 5],
      ["socketpair", 1, 1],
      ["socketpair", HIGH | 1n, 1],
      ["socket", 2, 1],
      ["socket", 2, 1, 6],
      ["socket", 10, 2, 17],
      ["socket", 10, 2 | 0o2000000],
      ["socket", HIGH | 2n, HIGH | 1n, HIGH],
    ]);
    const families = Array.from({ length: 50 }, (_, family) => family).filter((family) => ![1, 2, 10].includes(family));
    expectAll(
      "EPERM",
      families.flatMap((family): [string, number, number][] => [
        ["socket", family, 1],
        ["socket", family, 2],
        ["socket", family, 3],
        ["socketpair", family, 1],
      ]),
    );
    expectAll("EPERM", [
      ["socket", 2, 3, 1],
      ["socket", 10, 3, 58],
      ["socket", 2, 2, 1],
      ["socket", 2, 1, 262],
      ["socket", 2, 1, 132],
      ["socket", 2, 5, 132],
      ["socket", 2, 10, 0x300],
      ["socketpair", 2, 1],
      ["socket", HIGH | 16n, 3],
      ["socket", HIGH | 38n, 5],
    ]);
  });

  test("cannot reach the kernel's dangerous parts", () => {
    const names = `mount umount2 move_mount fsopen fsconfig fsmount fspick open_tree open_tree_attr mount_setattr pivot_root chroot bpf perf_event_open
      keyctl add_key request_key ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd init_module finit_module delete_module kexec_load
      kexec_file_load reboot swapon swapoff iopl ioperm acct quotactl quotactl_fd syslog settimeofday clock_settime clock_adjtime adjtimex name_to_handle_at
      open_by_handle_at userfaultfd memfd_secret fanotify_init lookup_dcookie vhangup sethostname setdomainname modify_ldt nfsservctl unshare setns
      move_pages migrate_pages mbind uselib`;
    expectAll(
      "EPERM",
      names
        .trim()
        .split(/\s+/)
        .map((name): [string] => [name]),
    );
    expectAll("ENOSYS", [["io_uring_setup"], ["io_uring_enter"], ["io_uring_register"], ["openat2"], ["statmount"], ["listmount"]]);
  });

  test("may sandbox itself further", () => {
    expectAll("allow", [["seccomp", 1], ["landlock_create_ruleset"], ["landlock_add_rule"], ["landlock_restrict_self"], ["prctl", 38, 1]]);
  });

  test("sets modes, but not the set-user-id bit, by any call", () => {
    expectAll("allow", [
      ["chmod", 0, 0o755],
      ["fchmod", 3, 0o600],
      ["fchmodat", AT_FDCWD, 0, 0o755],
      ["fchmodat2", AT_FDCWD, 0, 0o711],
      ["chmod", 0, 0o2755],
    ]);
    expectAll("EPERM", [
      ["chmod", 0, 0o4755],
      ["fchmod", 3, 0o104000],
      ["fchmodat", 0, 0, 0o6755],
      ["fchmodat2", 0, 0, 0o4000],
      ["creat", 0, 0o4700],
    ]);
    expectAll("allow", [
      ["chmod", 0, 0x10000 | 0o644],
      ["open", 0, 0, 0o4755],
      ["openat", 0, 0, 0, 0o4755],
      ["openat", 0, 0, 0o101, 0o666],
    ]);
    expectAll("EPERM", [
      ["open", 0, 0o101, 0o4755],
      ["openat", 0, 0, 0o101, 0o4600],
      ["openat", 0, 0, 0o20200001, 0o4600],
      ["mknod", 0, 0o104644],
      ["mknodat", 0, 0, 0o104644],
    ]);
  });

  test("makes files and pipes, and no device nodes", () => {
    expectAll("allow", [
      ["mknod", 0, 0o644],
      ["mknod", 0, 0o100644],
      ["mknodat", 0, 0, 0o010600],
      ["mknodat", 0, 0, 0o140600],
    ]);
    expectAll("EPERM", [
      ["mknod", 0, 0o020644],
      ["mknod", 0, 0o060644],
      ["mknodat", 0, 0, 0o020600],
      ["mknodat", 0, 0, 0x10000 | 0o060600],
    ]);
  });

  test("cannot type into a terminal, nor change its line discipline, by any bit", () => {
    expectAll("allow", [
      ["ioctl", 0, 0x5401],
      ["ioctl", 0, 0x5413],
    ]);
    for (const command of [0x5412n, 0x541cn, 0x5423n])
      expectAll("EPERM", [
        ["ioctl", 0, command],
        ["ioctl", 0, HIGH | command],
      ]);
  });

  test("has the plain personality only", () => {
    expectAll("allow", [
      ["personality", 0],
      ["personality", 0xffffffff],
      ["personality", (1n << 64n) - 1n],
    ]);
    expectAll("EPERM", [
      ["personality", 8],
      ["personality", 0x40000],
      ["personality", HIGH | 8n],
    ]);
  });
});
