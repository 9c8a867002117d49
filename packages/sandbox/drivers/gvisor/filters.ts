import type { Confinement } from "@plastron/contracts";

const ALLOW = 0x7fff0000;
const ERRNO = 0x00050000;
const [EPERM, ENOSYS] = [1, 38];
const [LOAD, EQUAL, ANY_BIT, RETURN] = [0x20, 0x15, 0x45, 0x06];
/** Offsets in struct seccomp_data. */
const [NUMBER, ARCH, FIRST_ARGUMENT] = [0, 4, 16];
const NEW_USER = 0x10000000;

type Instruction = [code: number, jt: number, jf: number, k: number];
interface Machine {
  arch: number;
  unshare: number;
  clone: number;
}
const CLONE3 = 435;
const MACHINES: Partial<Record<NodeJS.Architecture, Machine>> = {
  x64: { arch: 0xc000003e, unshare: 272, clone: 56 },
  arm64: { arch: 0xc00000b7, unshare: 97, clone: 220 },
};

/**
 * The seccomp programs of a confinement as the starter reads them (native/enter/enter.c): lines of four numbers, an empty line
 * between two programs. All of them are on at once and the strictest answer holds.
 */
export function filterText(confinement: Confinement, architecture: NodeJS.Architecture = process.arch): string {
  const programs: Instruction[][] = [];
  const machine = MACHINES[architecture];
  if (!confinement.user_namespaces && machine) programs.push(noUserNamespaces(machine));
  if (confinement.seccomp !== "" && confinement.weak?.seccomp !== true) programs.push(instructions(Buffer.from(confinement.seccomp, "base64")));
  return programs.map((program) => program.map((line) => line.join(" ")).join("\n")).join("\n\n");
}

/** struct sock_filter[], little endian: u16 code, u8 jt, u8 jf, u32 k. */
function instructions(bytes: Buffer): Instruction[] {
  if (bytes.length === 0 || bytes.length % 8 !== 0) throw new RangeError("a seccomp program is a sequence of eight-byte instructions");
  return Array.from({ length: bytes.length / 8 }, (_, i) => {
    const at = i * 8;
    return [bytes.readUInt16LE(at), bytes.readUInt8(at + 2), bytes.readUInt8(at + 3), bytes.readUInt32LE(at + 4)];
  });
}

/**
 * gVisor has no max_user_namespaces, which is what the local driver stops them with. A foreign ABI is not this program's
 * concern: gVisor's guests have none but the native one.
 */
function noUserNamespaces({ arch, unshare, clone }: Machine): Instruction[] {
  return [
    [LOAD, 0, 0, ARCH],
    [EQUAL, 0, 7, arch],
    [LOAD, 0, 0, NUMBER],
    [EQUAL, 6, 0, CLONE3],
    [EQUAL, 1, 0, unshare],
    [EQUAL, 0, 3, clone],
    [LOAD, 0, 0, FIRST_ARGUMENT],
    [ANY_BIT, 0, 1, NEW_USER],
    [RETURN, 0, 0, ERRNO | EPERM],
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, ERRNO | ENOSYS],
  ];
}
