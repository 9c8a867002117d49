import { DECIDING_ARGUMENTS } from "@plastron/contracts";
import type { BehaviorProfile } from "../modelling/profile.ts";
import { argumentWidth } from "../seccomp/arguments.ts";
import { isSyscallName } from "../seccomp/syscalls.ts";

/**
 * Calls whose deciding arguments the same program gives the same from run to run, but for some. Those of others (locks, waiting,
 * advice on memory) differ by themselves.
 */
const STEADY = new Set(
  "socket socketpair setsockopt ioctl fcntl prctl arch_prctl clone mmap mprotect memfd_create personality prlimit64 setrlimit seccomp".split(" "),
);
const UNSTEADY: Readonly<Record<string, number>> = { mmap: 3, seccomp: 1 };
const isSteady = (name: string, index: number) => STEADY.has(name) && UNSTEADY[name] !== index && DECIDING_ARGUMENTS[name]?.includes(index) === true;

/**
 * What runtimes call at times of their own (locks, timers, collections of garbage, the end of a thread): of two equal runs one
 * may and the other not. None of them reaches anything outside of the process.
 */
const RESTLESS = [
  "read readv pread64 write writev pwrite64 close lseek fstat newfstatat statx stat lstat sendmsg",
  "brk mmap munmap mremap madvise mprotect futex sched_yield sched_getaffinity restart_syscall rt_sigreturn rt_sigprocmask rt_sigaction sigaltstack",
  "sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getrusage sysinfo",
  "set_robust_list rseq membarrier getcpu getrandom gettid getpid exit exit_group",
  "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday poll ppoll select pselect6 epoll_wait epoll_pwait wait4 waitid tgkill",
]
  .join(" ")
  .split(" ");

/** Values of the same kind: memory without execution, the names of threads and of memory. */
const RESTLESS_VALUES: Readonly<Record<string, readonly bigint[]>> = { mmap: [0n, 1n, 3n], mprotect: [0n, 1n, 3n], prctl: [15n, 16n, 0x5356_4d41n] };

interface Entry {
  names: string[];
  action: "SCMP_ACT_ALLOW";
  args?: { index: number; value: number | string; op: "SCMP_CMP_EQ" }[];
}

/** As many combinations of values as one call may be allowed with; beyond, the argument with the most values is not looked at. */
const MOST = 96;

/** A profile of the OCI runtime specification that allows the calls that were seen, with the values of arguments that were. */
export function learnedSeccomp({ syscalls, arguments: seen }: Pick<BehaviorProfile, "syscalls" | "arguments">): { defaultAction: string; syscalls: Entry[] } {
  const names = [...new Set([...syscalls.filter(isSyscallName), ...RESTLESS])].sort();
  const looked = names.map((name) => ({ name, choices: syscalls.includes(name) ? choicesOf(name, seen) : [] }));
  const plain = looked.filter(({ choices }) => choices.length === 0).map(({ name }) => name);
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      { names: plain, action: "SCMP_ACT_ALLOW" },
      ...looked.flatMap(({ name, choices }) =>
        choices.length === 0
          ? []
          : combined(choices).map((args): Entry => ({ names: [name], action: "SCMP_ACT_ALLOW", args: args.map((each) => ({ ...each, op: "SCMP_CMP_EQ" })) })),
      ),
    ],
  };
}

interface Choice {
  index: number;
  values: (number | string)[];
}

function choicesOf(name: string, seen: BehaviorProfile["arguments"]): Choice[] {
  const choices = seen.flatMap(({ call, index, values }): Choice[] => {
    if (call !== name || !values || values.length === 0 || !isSteady(name, index)) return [];
    const mask = (1n << BigInt(argumentWidth(name, index))) - 1n;
    return [{ index, values: [...new Set([...values.map((value) => BigInt(value) & mask), ...(RESTLESS_VALUES[name] ?? [])].map(number))] }];
  });
  while (choices.reduce((all, { values }) => all * values.length, 1) > MOST)
    choices.splice(choices.indexOf(choices.toSorted((a, b) => b.values.length - a.values.length)[0] as Choice), 1);
  return choices;
}

function combined(choices: readonly Choice[]): { index: number; value: number | string }[][] {
  return choices.reduce<{ index: number; value: number | string }[][]>(
    (all, { index, values }) => all.flatMap((before) => values.map((value) => [...before, { index, value }])),
    [[]],
  );
}

/** JSON's numbers end at 2^53. */
const number = (value: bigint): number | string => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString());
