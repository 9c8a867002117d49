import { PlastronError } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import { ociEntries } from "../seccomp/oci.ts";
import type { Entry } from "../seccomp/profile.ts";
import { isSyscallName, syscallNumbers } from "../seccomp/syscalls.ts";
import type { Notes } from "./notes.ts";
import { type LinuxSyscall, weakenedUpstream } from "./syscall-merge.ts";

export const ACTIONS = ["SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_ALLOW", "SCMP_ACT_TRAP", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"];
/** They need somebody who answers, and nobody does. */
const ASKING = ["SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE"];
export const OPERATORS = ["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"];

/**
 * syscallRawRules: system calls to refuse, as the OCI's LinuxSyscall. Upstream's profile allows by default, so an entry that allows
 * says nothing; one that logs passes the call and records it. `builtIn`: what the policy's built-in rules are to upstream's seccomp.
 */
export function syscallOrders(
  rules: readonly LinuxSyscall[],
  base: string,
  settings: { audit: boolean; builtIn: ReadonlyMap<string, LinuxSyscall> },
  notes: Notes,
): Order[] {
  return rules.flatMap((rule, i) => {
    const path = `${base}[${i}]`;
    const entries = syscallEntries(rule, path, notes);
    const [first] = entries;
    if (!first) return [];
    if (first.verdict.action === "allow") {
      notes.row(path, "SCMP_ACT_ALLOW says nothing where everything is allowed that no rule refuses: the rule has no effect, as upstream");
      return [];
    }
    const log = first.verdict.action === "log";
    const weaker = first.names.filter((name) => weakenedUpstream(name, rule, settings.builtIn));
    const note = `upstream joins it with a built-in rule on ${weaker.join(", ")} so that the conditions of both must hold; here each holds by itself`;
    const order: Order = {
      rule: `syscallRawRules[${i}]`,
      path,
      enforcer: "Seccomp",
      deny: !log,
      audit: log || settings.audit,
      intents: [{ kind: "syscall", entries }],
      ...(weaker.length > 0 ? { notes: [note] } : {}),
    };
    return [order];
  });
}

/** One rule → entries (several where an argument is named twice, which means any of its conditions). Faults go to `notes`. */
export function syscallEntries(rule: LinuxSyscall, path: string, notes: Notes): Entry[] {
  const names = rule.names.filter((name, i) => isKnown(name, `${path}.names[${i}]`, notes));
  if (rule.names.length === 0) notes.wrong(`${path}.names`, "names no system call");
  if (ASKING.includes(rule.action)) notes.wrong(`${path}.action`, `${rule.action} is refused: there is no process to ask about a call`);
  else if (!ACTIONS.includes(rule.action)) notes.wrong(`${path}.action`, `unknown action ${JSON.stringify(rule.action)}${notes.meant(rule.action, ACTIONS)}`);
  for (const [i, { op }] of (rule.args ?? []).entries()) {
    if (!OPERATORS.includes(op)) notes.wrong(`${path}.args[${i}].op`, `unknown operator ${JSON.stringify(op)}${notes.meant(op, OPERATORS)}`);
  }
  if (names.length === 0 || !ACTIONS.includes(rule.action) || rule.args?.some(({ op }) => !OPERATORS.includes(op))) return [];
  const args = rule.args?.map(({ index, value, valueTwo = 0, op }) => ({ index, value: word(value), valueTwo: word(valueTwo), op }));
  try {
    return ociEntries({ names, action: rule.action, errnoRet: rule.errnoRet, args }, path);
  } catch (error) {
    if (!(error instanceof PlastronError)) throw error;
    notes.wrong(path, error.message);
    return [];
  }
}

/** The CRD's int64 holds what the kernel takes for 64 unsigned bits. */
const word = (value: number): bigint => BigInt.asUintN(64, BigInt(value));

/** Calls of 32-bit ABIs, which are killed here whatever a filter says; profiles for many machines name them. */
const FOREIGN =
  /^(?:.*(?:32|64|16)(?:_time64)?|old.*|_.*|mmap2|umount|nice|stime|waitpid|sigaction|sigreturn|sigprocmask|sigpending|sigsuspend|signal|socketcall|ipc|ugetrlimit|bdflush|idle|break|cacheflush|breakpoint|set_tls|get_tls|usr26|usr32|readdir|recv|send|syscall|vm86|s390_.*|subpage_prot|spu_.*|swapcontext|rtas|switch_endian|sync_file_range2|arm_.*|riscv_.*)$/;

function isKnown(name: string, path: string, notes: Notes): boolean {
  if (isSyscallName(name)) return true;
  if (FOREIGN.test(name)) notes.row(path, `${JSON.stringify(name)} is no system call of this machine's own interface: skipped, as container runtimes do`);
  else {
    const known = [...syscallNumbers("x86_64").keys(), ...syscallNumbers("aarch64").keys()];
    notes.ignored(path, `there is no system call ${JSON.stringify(name)}${notes.meant(name, known)}`);
  }
  return false;
}
