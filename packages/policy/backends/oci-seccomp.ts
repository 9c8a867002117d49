import type { Order } from "../orders/order.ts";
import { argumentWidth } from "../seccomp/arguments.ts";
import type { Condition, Verdict } from "../seccomp/profile.ts";
import type { BackendRow } from "./said.ts";

/** An entry of the OCI runtime specification's seccomp profile (LinuxSyscall). */
interface OciSyscall {
  names: string[];
  action: string;
  errnoRet?: number;
  args?: { index: number; value: string | number; valueTwo?: string | number; op: string }[];
}

/**
 * The system-call rules of a policy as an OCI seccomp profile that allows everything else, which is what upstream generates for
 * EnhanceProtect: libseccomp cannot lay conditions over an allow-list.
 *
 * libseccomp compares 64 bits and the kernel may read fewer: every comparison masks what the kernel ignores, or the row says
 * that it cannot. An order that only observes becomes SCMP_ACT_LOG; what asks a supervisor (`notify`) is not in it.
 */
export function ociSeccomp(orders: readonly Order[]): { profile: { defaultAction: string; syscalls: OciSyscall[] }; rows: BackendRow[] } {
  const syscalls: OciSyscall[] = [];
  const rows: BackendRow[] = [];
  for (const order of orders) {
    for (const intent of order.intents) {
      if (intent.kind !== "syscall") {
        rows.push({ rule: order.rule, note: `a seccomp profile cannot look at what ${intent.kind} rules are about` });
        continue;
      }
      if (!order.deny && !order.audit) continue;
      for (const { names, verdict, when } of intent.entries) {
        for (const name of names)
          syscalls.push(...entriesOf(name, order.deny ? verdict : { action: "log" }, when, (note) => rows.push({ rule: order.rule, note })));
      }
    }
  }
  return {
    profile: { defaultAction: "SCMP_ACT_ALLOW", syscalls },
    rows: rows.filter((row, i) => rows.findIndex((each) => each.rule === row.rule && each.note === row.note) === i),
  };
}

function entriesOf(name: string, verdict: Verdict, when: readonly Condition[], say: (note: string) => void): OciSyscall[] {
  const action = ACTIONS[verdict.action];
  if (action === null) {
    if (verdict.action === "notify") say(`${name}: asks a supervisor, which a profile alone cannot`);
    return [];
  }
  // Each condition is a list of alternatives; an entry is one choice from each.
  let choices: NonNullable<OciSyscall["args"]>[] = [[]];
  for (const condition of when) {
    const alternatives = argumentsOf(condition, maskOf(name, condition.index));
    if (alternatives === null) {
      say(`${name}: libseccomp compares 64 bits where the kernel reads fewer, so ${condition.op} would be passed by setting the others: left out`);
      return [];
    }
    choices = choices.flatMap((chosen) => alternatives.map((alternative) => [...chosen, alternative]));
  }
  const repeated = choices.some((chosen) => new Set(chosen.map(({ index }) => index)).size < chosen.length);
  if (repeated) {
    say(`${name}: two conditions on one argument mean "any of them" to runc: left out`);
    return [];
  }
  return choices.map((args) => ({
    names: [name],
    action,
    ...(verdict.action === "errno" ? { errnoRet: verdict.errno } : {}),
    ...(args.length > 0 ? { args } : {}),
  }));
}

const ACTIONS: Record<Verdict["action"], string | null> = {
  kill_process: "SCMP_ACT_KILL_PROCESS",
  kill_thread: "SCMP_ACT_KILL_THREAD",
  trap: "SCMP_ACT_TRAP",
  errno: "SCMP_ACT_ERRNO",
  log: "SCMP_ACT_LOG",
  allow: null,
  notify: null,
};

const EVERY_BIT = (1n << 64n) - 1n;
const maskOf = (name: string, index: number): bigint => (1n << BigInt(argumentWidth(name, index))) - 1n;

/** Null where it cannot be said. */
function argumentsOf(condition: Condition, mask: bigint): NonNullable<OciSyscall["args"]> | null {
  const { index } = condition;
  const masked = (bits: bigint, value: bigint) => ({ index, value: number(bits & mask), valueTwo: number(value & mask), op: "SCMP_CMP_MASKED_EQ" });
  switch (condition.op) {
    case "eq":
      return [masked(EVERY_BIT, condition.value)];
    case "masked_eq":
      return [masked(condition.mask, condition.value)];
    case "any_bits":
      return bitsOf(condition.mask & mask).map((bit) => masked(bit, bit));
    default:
      return mask === EVERY_BIT ? [{ index, value: number(condition.value), op: `SCMP_CMP_${condition.op.toUpperCase()}` }] : null;
  }
}

const bitsOf = (mask: bigint): bigint[] => Array.from({ length: 64 }, (_, i) => 1n << BigInt(i)).filter((bit) => (mask & bit) !== 0n);

/** JSON's numbers end at 2^53; readers of the profile take decimal text beyond. */
const number = (value: bigint): number | string => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString());
