import { type Confinement, NO_RULES } from "@plastron/contracts";

/** SECCOMP_RET_* and the numbers of x86_64 calls that take a path: all that a broker can be asked for. */
const NOTIFY = 0x7fc00000;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const AUDIT_ARCH_X86_64 = 0xc000003e;
export const OPENS = [2, 85, 257, 437];
export const CHANGES = [
  76, 77, 82, 83, 84, 85, 86, 87, 88, 90, 91, 92, 93, 94, 132, 133, 188, 189, 190, 197, 198, 199, 235, 258, 259, 260, 261, 263, 264, 265, 266, 268, 280, 316,
  452, 463, 466,
];
export const EXECS = [59, 322];

/** A filter that hands over these calls, allows every other of the native ABI and kills the rest: struct sock_filter[], base64. */
export function listeningFilter(numbers: readonly number[]): string {
  const lines: [code: number, yes: number, no: number, k: number][] = [
    [0x20, 0, 0, 4],
    [0x15, 1, 0, AUDIT_ARCH_X86_64],
    [0x06, 0, 0, KILL],
    [0x20, 0, 0, 0],
    ...[...new Set(numbers)].flatMap((number): [number, number, number, number][] => [
      [0x15, 0, 1, number],
      [0x06, 0, 0, NOTIFY],
    ]),
    [0x06, 0, 0, ALLOW],
  ];
  const code = Buffer.alloc(lines.length * 8);
  for (const [i, [op, yes, no, k]] of lines.entries()) {
    code.writeUInt16LE(op, i * 8);
    code.writeUInt8(yes, i * 8 + 2);
    code.writeUInt8(no, i * 8 + 3);
    code.writeUInt32LE(k, i * 8 + 4);
  }
  return code.toString("base64");
}

let made = 0;

/** A confinement with nothing but watched calls and paths: what is denied in it, the watcher denied. */
export function watched(watch: Partial<Confinement["watch"]>, more: Partial<Confinement> = {}): Confinement {
  const full: Confinement["watch"] = { calls: [], paths: [], ...watch };
  const numbers = [...full.calls.map(({ number }) => number), ...(full.paths.length + (full.lists?.length ?? 0) > 0 ? [...OPENS, ...CHANGES, ...EXECS] : [])];
  return {
    ...NO_RULES,
    id: (++made).toString(16).padStart(64, "c"),
    policy: "watched",
    seccomp: listeningFilter(numbers),
    rules: ["one", "two", "three"].map((id) => ({ id, path: `spec.${id}`, enforcer: "BPF", operation: "file", subject: "" })),
    watch: full,
    ...more,
  };
}

type PathRule = Confinement["watch"]["paths"][number];

/** A rule that denies and reports, unless said otherwise. */
export const denied = (glob: string, permissions: PathRule["permissions"] = ["read", "write"], more: Partial<PathRule> = {}): PathRule => ({
  rule: 0,
  glob,
  permissions,
  deny: true,
  report: true,
  ...more,
});
