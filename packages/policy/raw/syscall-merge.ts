/**
 * How upstream joins syscallRawRules with its built-in seccomp rules, call by call. Here both simply hold, since the most severe
 * verdict wins; what differs is said in the report, and what is equal is known to be (the rows of upstream's own test).
 */
export interface LinuxArgument {
  index: number;
  value: number;
  valueTwo?: number | undefined;
  op: string;
}

export interface LinuxSyscall {
  names: readonly string[];
  action: string;
  errnoRet?: number | undefined;
  args?: readonly LinuxArgument[] | undefined;
}

export interface Merged {
  /** By call; conditions of raw rules with the same answer are added. */
  builtIn: ReadonlyMap<string, LinuxSyscall>;
  /** What is left of the raw rules, an entry for each name. */
  added: readonly LinuxSyscall[];
}

/**
 * Where action and errno are equal: a raw rule without conditions stands beside the built-in one (and so overrides it), one with
 * conditions is dropped where the built-in one has none, and otherwise its new conditions are added to the built-in ones.
 */
export function mergeSyscalls(raw: readonly LinuxSyscall[], builtIn: ReadonlyMap<string, LinuxSyscall>): Merged {
  const merged = new Map(builtIn);
  const added: LinuxSyscall[] = [];
  for (const rule of raw) {
    for (const name of rule.names) {
      const known = merged.get(name);
      const fate = known && known.action === rule.action && known.errnoRet === rule.errnoRet ? fateOf(rule, known) : "beside";
      if (fate === "joined") merged.set(name, { ...known, ...joinedWith(rule, known as LinuxSyscall) });
      if (fate === "beside") added.push({ ...rule, names: [name] });
    }
  }
  return { builtIn: merged, added };
}

function fateOf(rule: LinuxSyscall, known: LinuxSyscall): "beside" | "dropped" | "joined" {
  const [mine, theirs] = [rule.args ?? [], known.args ?? []];
  if (mine.length === 0 && theirs.length > 0) return "beside";
  if (mine.length > 0 && theirs.length === 0) return "dropped";
  return "joined";
}

function joinedWith(rule: LinuxSyscall, known: LinuxSyscall): LinuxSyscall {
  const args = [...(known.args ?? [])];
  for (const argument of rule.args ?? []) if (!args.some((each) => equal(each, argument))) args.push(argument);
  return { ...known, args };
}

function equal(a: LinuxArgument, b: LinuxArgument): boolean {
  return a.index === b.index && a.value === b.value && (a.valueTwo ?? 0) === (b.valueTwo ?? 0) && a.op === b.op;
}

const masked = (index: number, ...bits: number[]): LinuxArgument[] => bits.map((bit) => ({ index, value: bit, valueTwo: bit, op: "SCMP_CMP_MASKED_EQ" }));
const equals = (index: number, value: number): LinuxArgument => ({ index, value, op: "SCMP_CMP_EQ" });
const chmods = (...bits: number[]): [string, LinuxArgument[]][] => [
  ["chmod", masked(1, ...bits)],
  ["fchmod", masked(1, ...bits)],
  ["fchmodat", masked(2, ...bits)],
  ["fchmodat2", masked(2, ...bits)],
];

/** What upstream's built-in rules are to its seccomp enforcer (internal/profile/seccomp/seccomp.go), by rule. */
const BUILT_IN: Readonly<Record<string, [string, LinuxArgument[]][]>> = {
  "disallow-create-user-ns": [["unshare", masked(0, 0x10000000)]],
  "disallow-load-all-bpf-prog": [["bpf", [equals(0, 5)]]],
  "disallow-userfaultfd-creation": [["userfaultfd", []]],
  "dirty-pipe-mitigation": [["splice", []]],
  "disable-chmod-x-bit": chmods(0o100, 0o010, 0o001),
  "disable-chmod-s-bit": chmods(0o4000, 0o2000),
};

/** The built-in entries that those rule names (normalised) ask for upstream. */
export function builtInSyscalls(names: readonly string[]): ReadonlyMap<string, LinuxSyscall> {
  const found = new Map<string, LinuxSyscall>();
  for (const [call, args] of names.flatMap((name) => (Object.hasOwn(BUILT_IN, name) ? (BUILT_IN[name] ?? []) : []))) {
    found.set(call, { names: [call], action: "SCMP_ACT_ERRNO", args: [...(found.get(call)?.args ?? []), ...args] });
  }
  return found;
}

/**
 * Whether upstream's joining would ask for more than either rule does: conditions on different arguments, none of them named
 * twice, must then all hold, and each rule is weaker than as written. Here each holds by itself.
 */
export function weakenedUpstream(name: string, rule: LinuxSyscall, builtIn: ReadonlyMap<string, LinuxSyscall>): boolean {
  const before = builtIn.get(name)?.args ?? [];
  const after = mergeSyscalls([{ ...rule, names: [name] }], builtIn).builtIn.get(name)?.args ?? [];
  return before.length > 0 && after.length > before.length && new Set(after.map(({ index }) => index)).size === after.length;
}
