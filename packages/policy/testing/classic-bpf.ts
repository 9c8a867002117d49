/** A classic BPF machine as the kernel has it for seccomp, and its checker. Written from the documentation, not from the assembler. */

export interface Call {
  arch: number;
  nr: number;
  args: bigint[];
}

export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

export function decode(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => ({
    code: view.getUint16(i * 8, true),
    jt: view.getUint8(i * 8 + 2),
    jf: view.getUint8(i * 8 + 3),
    k: view.getUint32(i * 8 + 4, true),
  }));
}

/** What bpf_check_classic and seccomp_check_filter demand, as a list of complaints. */
export function complaints(program: Instruction[]): string[] {
  const found: string[] = [];
  if (program.length === 0 || program.length > 4096) found.push(`length ${program.length}`);
  program.forEach(({ code, jt, jf, k }, i) => {
    const left = program.length - i - 1;
    switch (code) {
      case 0x20:
        if (k % 4 !== 0 || k >= 64) found.push(`${i}: loads offset ${k}`);
        break;
      case 0x05:
        if (k >= left) found.push(`${i}: jumps out`);
        break;
      case 0x15:
      case 0x25:
      case 0x35:
      case 0x45:
        if (jt >= left || jf >= left) found.push(`${i}: jumps out`);
        break;
      case 0x54:
      case 0x06:
        break;
      default:
        found.push(`${i}: code ${code}`);
    }
  });
  if (program.at(-1)?.code !== 0x06) found.push("does not end with a return");
  return found;
}

/** The value that the program returns for a call. */
export function execute(program: Instruction[], { arch, nr, args }: Call): number {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, nr, true);
  data.setUint32(4, arch, true);
  for (const [i, arg] of args.entries()) data.setBigUint64(16 + 8 * i, arg, true);
  let a = 0;
  for (let pc = 0; pc < program.length; pc++) {
    const { code, jt, jf, k } = program[pc] as Instruction;
    const jump = (taken: boolean) => {
      pc += taken ? jt : jf;
    };
    if (code === 0x20) a = data.getUint32(k, true);
    else if (code === 0x54) a = (a & k) >>> 0;
    else if (code === 0x05) pc += k;
    else if (code === 0x15) jump(a === k);
    else if (code === 0x25) jump(a > k);
    else if (code === 0x35) jump(a >= k);
    else if (code === 0x45) jump((a & k) !== 0);
    else if (code === 0x06) return k;
    else throw new Error(`unknown code ${code}`);
  }
  throw new Error("fell off the end");
}
