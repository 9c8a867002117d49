import type { Call } from "./call.ts";

/**
 * Calls by which libraries look what there is, whatever the program is about, and which they do without. The platform denies them to
 * everybody, so a record of them would tell of the library and of no program: they are no violations, and stay in a run's account.
 * An entry names its call as narrowly as the registers allow. `why` is read after the word "allow".
 */
interface Probe {
  call: string;
  /** Register → what it holds in the bits of the mask. */
  words: readonly (readonly [index: number, value: bigint, mask: bigint])[];
  why: string;
}

const INT = 0xffff_ffffn;
const ALL = 0xffff_ffff_ffff_ffffn;
const SOCK_TYPE = 0xfn;
const [AF_NETLINK, SOCK_RAW, NETLINK_ROUTE] = [16n, 3n, 0n];
const [MPOL_PREFERRED, MPOL_PREFERRED_MANY] = [1n, 5n];

export const PROBES: readonly Probe[] = [
  {
    /* glibc: __check_pf of getaddrinfo, and getifaddrs (sysdeps/unix/sysv/linux). */
    call: "socket",
    words: [
      [0, AF_NETLINK, INT],
      [1, SOCK_RAW, SOCK_TYPE],
      [2, NETLINK_ROUTE, INT],
    ],
    why: "no need: looking up a name asks which addresses this machine has, and goes on without (a program that lists network interfaces gets this error itself)",
  },
  {
    /* OpenBLAS, under numpy: alloc_mmap in driver/others/memory.c. */
    call: "mbind",
    words: [
      [2, MPOL_PREFERRED, INT],
      [3, 0n, ALL],
      [5, 0n, INT],
    ],
    why: "no need: OpenBLAS asks for memory that is near, and takes any",
  },
  {
    /* libnuma, when it is loaded (ps, numactl, databases): set_preferred_many in libnuma.c. */
    call: "set_mempolicy",
    words: [[0, MPOL_PREFERRED_MANY, INT]],
    why: "no need: libnuma looks what the kernel knows when it is loaded, and goes on without",
  },
];

/** Why a call that the platform denied matters to nobody; null where it may. */
export function probeWords({ denial, words }: Call): string | null {
  if (denial.errno !== "EPERM") return null;
  const found = PROBES.find((probe) => probe.call === denial.call && probe.words.every(([index, value, mask]) => ((words[index] ?? 0n) & mask) === value));
  return found?.why ?? null;
}
