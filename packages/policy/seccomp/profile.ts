/**
 * What a seccomp filter means, before it is machine code.
 *
 * For a call, all entries that name it and whose conditions all hold are gathered, and the most severe verdict wins
 * (kill > trap > errno > log > allow; among equals the first entry). No matching entry: `otherwise`. A number that the
 * architecture does not have: `unknown`. So entries can only be tightened by adding others: a rule of a policy lays its
 * denials over the allow-list without having to know it.
 *
 * That is what is decided. Whether somebody hears of it is apart: a call that an entry with a `report` matches, or that is
 * `brokered` and would pass, is handed over (SECCOMP_RET_USER_NOTIF), and the listener decides the same (lower/calls.ts).
 * What ends the process or is answered with success is never handed over: nobody could say it as well.
 */
export interface Profile {
  otherwise: Verdict;
  unknown: Verdict;
  entries: readonly Entry[];
  /** Calls that a listener carries out itself wherever they would pass, because only their paths tell what they do. */
  brokered?: readonly string[];
}

export interface Entry {
  names: readonly string[];
  verdict: Verdict;
  /** All must hold. Empty: always. */
  when: readonly Condition[];
  /** What is recorded when it matches: an index in the confinement's rules. */
  report?: number;
  /** It holds from the first program on, if a listener decides: before, only the platform's own worker runs there. */
  late?: boolean;
}

export type Verdict =
  | { action: "kill_process" | "kill_thread" | "trap" | "log" | "allow" }
  /** Handed over. As the verdict of an entry it decides nothing: whatever the others say holds. */
  | { action: "notify" }
  /** `errno` is 0..4095; the call is skipped and answers it. */
  | { action: "errno"; errno: number };

export type ArgumentIndex = 0 | 1 | 2 | 3 | 4 | 5;

/** Compares one argument, unsigned, at the width that the kernel uses (see arguments.ts). */
export type Condition =
  | { index: ArgumentIndex; op: "eq" | "ne" | "lt" | "le" | "gt" | "ge"; value: bigint }
  /** (argument & mask) == value */
  | { index: ArgumentIndex; op: "masked_eq"; mask: bigint; value: bigint }
  /** (argument & mask) != 0 */
  | { index: ArgumentIndex; op: "any_bits"; mask: bigint };

export const ERRNO = { EPERM: 1, EACCES: 13, EINVAL: 22, ENOSYS: 38 } as const;

export const ALLOW: Verdict = { action: "allow" };
export const KILL: Verdict = { action: "kill_process" };
export const NOTIFY: Verdict = { action: "notify" };
export const errno = (name: keyof typeof ERRNO): Verdict => ({ action: "errno", errno: ERRNO[name] });

export const eq = (index: ArgumentIndex, value: number): Condition => ({ index, op: "eq", value: BigInt(value) });
export const not = (index: ArgumentIndex, value: number): Condition => ({ index, op: "ne", value: BigInt(value) });
export const maskedEq = (index: ArgumentIndex, mask: number, value: number): Condition => ({
  index,
  op: "masked_eq",
  mask: BigInt(mask),
  value: BigInt(value),
});
export const anyBits = (index: ArgumentIndex, mask: number): Condition => ({ index, op: "any_bits", mask: BigInt(mask) });

export const allow = (names: string, ...when: Condition[]): Entry => ({ names: names.trim().split(/\s+/), verdict: ALLOW, when });
export const deny = (names: string, ...when: Condition[]): Entry => ({ names: names.trim().split(/\s+/), verdict: errno("EPERM"), when });
/** Answers as a kernel without this call would, so that callers take their older way. */
export const absent = (names: string): Entry => ({ names: names.trim().split(/\s+/), verdict: errno("ENOSYS"), when: [] });

const SEVERITY: readonly Verdict["action"][] = ["kill_process", "kill_thread", "trap", "errno", "notify", "log", "allow"];

/** Smaller is more severe. The kernel's own order where several filters answer (seccomp(2), "Return values"). */
export function severity(verdict: Verdict): number {
  return SEVERITY.indexOf(verdict.action);
}

/** The entries that name `call` and decide something, the most severe first. */
export function deciding(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ verdict }) => verdict.action !== "notify").toSorted((a, b) => severity(a.verdict) - severity(b.verdict));
}

/** Whether the filter itself must answer: a listener can refuse a call or let it pass, and nothing else. */
export function isFinal(verdict: Verdict): boolean {
  switch (verdict.action) {
    case "kill_process":
    case "kill_thread":
    case "trap":
      return true;
    case "errno":
      return verdict.errno === 0;
    case "notify":
    case "log":
    case "allow":
      return false;
  }
}

/** Which entries name each call, in their order. */
export function entriesByName(entries: readonly Entry[]): ReadonlyMap<string, readonly Entry[]> {
  const byName = new Map<string, Entry[]>();
  for (const entry of entries) {
    for (const name of entry.names) {
      const known = byName.get(name);
      if (known) known.push(entry);
      else byName.set(name, [entry]);
    }
  }
  return byName;
}

/** A value that the condition accepts. */
export function fulfilling(condition: Condition): bigint {
  switch (condition.op) {
    case "any_bits":
      return condition.mask & -condition.mask;
    case "eq":
    case "le":
    case "ge":
    case "masked_eq":
      return condition.value;
    case "gt":
    case "ne":
      return condition.value + 1n;
    case "lt":
      return condition.value - 1n;
  }
}
