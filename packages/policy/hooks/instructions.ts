/**
 * struct bpf_insn as the kernel reads it (linux/bpf.h, Documentation/bpf/standardization/instruction-set.rst): eight bytes each,
 * little endian. Only what the hooks use.
 */
export interface Instruction {
  code: number;
  dst: number;
  src: number;
  /** Signed, 16 bits: of a jump, the instructions to skip. */
  off: number;
  /** Signed, 32 bits. */
  imm: number;
}

/** Registers by what the hooks keep in them. Calls change the first six; the stack pointer is read only. */
export const R = { r0: 0, a: 1, b: 2, c: 3, d: 4, e: 5, context: 6, address: 7, port: 8, high: 9, stack: 10 } as const;

export const move = (dst: number, imm: number): Instruction => plain(0xb7, dst, 0, 0, imm);
export const copy = (dst: number, src: number): Instruction => plain(0xbf, dst, src);
export const add = (dst: number, imm: number): Instruction => plain(0x07, dst, 0, 0, imm);
export const subtract = (dst: number, src: number): Instruction => plain(0x1f, dst, src);
export const or = (dst: number, src: number): Instruction => plain(0x4f, dst, src);
export const and = (dst: number, imm: number): Instruction => plain(0x57, dst, 0, 0, imm);
export const shiftLeft = (dst: number, bits: number): Instruction => plain(0x67, dst, 0, 0, bits);
export const shiftRight = (dst: number, bits: number): Instruction => plain(0x77, dst, 0, 0, bits);
/** From network order to the host's, which is little endian; clears the bits above. */
export const fromNetwork = (dst: number, bits: 16 | 32): Instruction => plain(0xdc, dst, 0, 0, bits);
export const load32 = (dst: number, src: number, off: number): Instruction => plain(0x61, dst, src, off);
export const load64 = (dst: number, src: number, off: number): Instruction => plain(0x79, dst, src, off);
export const store32 = (dst: number, off: number, src: number): Instruction => plain(0x63, dst, src, off);
export const store64 = (dst: number, off: number, src: number): Instruction => plain(0x7b, dst, src, off);
export const storeImmediate32 = (dst: number, off: number, imm: number): Instruction => plain(0x62, dst, 0, off, imm | 0);
export const storeImmediate64 = (dst: number, off: number, imm: number): Instruction => plain(0x7a, dst, 0, off, imm);
export const call = (helper: number): Instruction => plain(0x85, 0, 0, 0, helper);
export const exit = (): Instruction => plain(0x95, 0);

/** A constant of 64 bits takes two places. */
export function wide(dst: number, value: bigint): [Instruction, Instruction] {
  return [plain(0x18, dst, 0, 0, Number(BigInt.asIntN(32, value))), plain(0, 0, 0, 0, Number(BigInt.asIntN(32, value >> 32n)))];
}

/** The ring buffer: BPF_PSEUDO_MAP_FD, whose descriptor the loader puts in. */
export const ring = (dst: number): [Instruction, Instruction] => [plain(0x18, dst, 1), plain(0, 0)];

/** Unsigned comparisons. `32` compares the low halves; an immediate is a signed number of 32 bits in both. */
export const TEST = { eq: 0x10, gt: 0x20, ge: 0x30, any: 0x40, ne: 0x50, lt: 0xa0, le: 0xb0 } as const;
export type Test = keyof typeof TEST;

export const always = (): Instruction => plain(0x05, 0);
export const jump32 = (test: Test, dst: number, imm: number): Instruction => plain(0x06 | TEST[test], dst, 0, 0, imm | 0);
export const jump64 = (test: Test, dst: number, src: number): Instruction => plain(0x0d | TEST[test], dst, src);

function plain(code: number, dst: number, src = 0, off = 0, imm = 0): Instruction {
  return { code, dst, src, off, imm };
}

export function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, dst, src, off, imm }] of instructions.entries()) {
    view.setUint8(i * 8, code);
    view.setUint8(i * 8 + 1, dst | (src << 4));
    view.setInt16(i * 8 + 2, off, true);
    view.setInt32(i * 8 + 4, imm, true);
  }
  return bytes;
}
