/**
 * An eBPF machine for programs on cgroups, and some of its checker. Written from the instruction set's documentation
 * (RFC 9669) and not from the assembler. Only what such programs need: one context, one stack, four helpers.
 */
export interface Instruction {
  code: number;
  dst: number;
  src: number;
  off: number;
  imm: number;
}

export interface Ended {
  answer: number;
  /** What was written into the ring buffer. */
  records: Uint8Array[];
  steps: number;
}

export interface World {
  /** struct bpf_sock, which a context of addresses points to at its byte 64; without one no context may point anywhere. */
  socket?: Uint8Array;
  pid: number;
  cgroup: bigint;
  comm: string;
}

const CONTEXT_AT = 0x1000;
const SOCKET_AT = 0x2000;
const STACK_TOP = 0x9000;
const STACK_SIZE = 512;
const RING = 0x7261n;
const WIDE = 0x18;

export function decode(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => ({
    code: view.getUint8(i * 8),
    dst: view.getUint8(i * 8 + 1) & 15,
    src: view.getUint8(i * 8 + 1) >> 4,
    off: view.getInt16(i * 8 + 2, true),
    imm: view.getInt32(i * 8 + 4, true),
  }));
}

const isJump = (code: number) => ((code & 7) === 5 || (code & 7) === 6) && code !== 0x85 && code !== 0x95;

/** What the kernel refuses at first sight: jumps out or into the middle of an instruction, and what nothing leads to. */
export function complaints(program: readonly Instruction[]): string[] {
  const found: string[] = [];
  const second = new Set(program.flatMap(({ code }, i) => (code === WIDE ? [i + 1] : [])).filter((i, at, all) => all[at - 1] !== i - 1));
  const reached = new Set<number>();
  const todo = [0];
  const go = (from: number, to: number) => {
    if (to >= program.length) found.push(`${from}: leads out`);
    else if (second.has(to)) found.push(`${from}: leads into the middle of an instruction`);
    else todo.push(to);
  };
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (reached.has(at)) continue;
    reached.add(at);
    const { code, off, dst } = program[at] as Instruction;
    if (dst === 10 && (code & 7) !== 2 && (code & 7) !== 3 && !isJump(code)) found.push(`${at}: writes the stack pointer`);
    if (isJump(code) && off < 0) found.push(`${at}: jumps back`);
    if (isJump(code)) go(at, at + 1 + off);
    if (code !== 0x95 && code !== 0x05) go(at, at + (code === WIDE ? 2 : 1));
  }
  program.forEach((_, i) => {
    if (!reached.has(i) && !second.has(i)) found.push(`${i}: cannot be reached`);
  });
  return found;
}

/** Runs a program over a context. `room` false: the ring buffer is full. */
export function execute(program: readonly Instruction[], context: Uint8Array, world: World, room = true): Ended {
  const memory = new DataView(new ArrayBuffer(0x10000));
  new Uint8Array(memory.buffer).set(context, CONTEXT_AT);
  if (world.socket) {
    new Uint8Array(memory.buffer).set(world.socket, SOCKET_AT);
    memory.setBigUint64(CONTEXT_AT + 64, BigInt(SOCKET_AT), true);
  }
  const registers = Array<bigint>(11).fill(0n);
  registers[1] = BigInt(CONTEXT_AT);
  registers[10] = BigInt(STACK_TOP);
  const ended: Ended = { answer: -1, records: [], steps: 0 };
  const get = (i: number) => registers[i] as bigint;
  const set = (i: number, value: bigint) => {
    registers[i] = BigInt.asUintN(64, value);
  };
  const place = (base: number, off: number, size: number, write: boolean): number => {
    const at = Number(get(base)) + off;
    const inStack = at >= STACK_TOP - STACK_SIZE && at + size <= STACK_TOP;
    const inContext = at >= CONTEXT_AT && at + size <= CONTEXT_AT + context.length;
    const inSocket = at >= SOCKET_AT && at + size <= SOCKET_AT + (world.socket?.length ?? 0);
    if (!inStack && (write || !(inContext || inSocket))) throw new Error(`memory at ${at.toString(16)}`);
    return at;
  };
  const help = (helper: number): void => {
    if (helper === 14) set(0, (BigInt(world.pid) << 32n) | BigInt(world.pid + 1));
    else if (helper === 80) set(0, world.cgroup);
    else if (helper === 16) {
      const at = place(1, 0, Number(get(2)), true);
      const name = new TextEncoder().encode(world.comm);
      new Uint8Array(memory.buffer, at, Number(get(2))).fill(0).set(name.subarray(0, Number(get(2)) - 1));
      set(0, 0n);
    } else if (helper === 130) {
      if (get(1) !== RING) throw new Error("that is not the ring buffer");
      const at = place(2, 0, Number(get(3)), false);
      if (room) ended.records.push(new Uint8Array(memory.buffer.slice(at, at + Number(get(3)))));
      set(0, room ? 0n : -11n);
    } else throw new Error(`helper ${helper}`);
    for (const i of [1, 2, 3, 4, 5]) set(i, 0xdeadn); // a call leaves nothing in them
  };

  for (let pc = 0; ; pc++) {
    ended.steps++;
    const { code, dst, src, off, imm } = program[pc] as Instruction;
    const operand = (code & 8) !== 0 ? get(src) : BigInt(imm);
    if (code === 0x95) return { ...ended, answer: Number(get(0)) };
    else if (code === 0x85) help(imm);
    else if (code === WIDE) {
      const upper = program[++pc] as Instruction;
      set(dst, src === 1 ? RING : (BigInt(upper.imm) << 32n) | BigInt.asUintN(32, BigInt(imm)));
    } else if ((code & 7) === 1) {
      if (code === 0x61) set(dst, BigInt(memory.getUint32(place(src, off, 4, false), true)));
      else if (code === 0x79) set(dst, memory.getBigUint64(place(src, off, 8, false), true));
      else throw new Error(`load ${code}`);
    } else if ((code & 7) === 2 || (code & 7) === 3) {
      const value = (code & 7) === 2 ? BigInt(imm) : get(src);
      if ((code & 0x18) === 0x18) memory.setBigUint64(place(dst, off, 8, true), BigInt.asUintN(64, value), true);
      else if ((code & 0x18) === 0) memory.setUint32(place(dst, off, 4, true), Number(BigInt.asUintN(32, value)), true);
      else throw new Error(`store ${code}`);
    } else if (isJump(code)) {
      const bits = (code & 7) === 6 ? 32 : 64;
      const [a, b] = [BigInt.asUintN(bits, get(dst)), BigInt.asUintN(bits, operand)];
      if (compare(code & 0xf0, a, b)) pc += off;
    } else if (code === 0xdc) set(dst, swapped(get(dst), imm));
    else if ((code & 7) === 7) set(dst, calculate(code & 0xf0, get(dst), operand));
    else throw new Error(`code ${code}`);
  }
}

function compare(operation: number, a: bigint, b: bigint): boolean {
  const tests: Record<number, boolean> = { 0: true, 16: a === b, 32: a > b, 48: a >= b, 64: (a & b) !== 0n, 80: a !== b, 160: a < b, 176: a <= b };
  const result = tests[operation];
  if (result === undefined) throw new Error(`jump ${operation}`);
  return result;
}

function calculate(operation: number, a: bigint, b: bigint): bigint {
  if (operation === 0x00) return a + b;
  if (operation === 0x10) return a - b;
  if (operation === 0x40) return a | b;
  if (operation === 0x50) return a & BigInt.asUintN(64, b);
  if (operation === 0x60) return a << b;
  if (operation === 0x70) return a >> b;
  if (operation === 0xb0) return b;
  throw new Error(`arithmetic ${operation}`);
}

function swapped(value: bigint, bits: number): bigint {
  let out = 0n;
  for (let i = 0; i < bits / 8; i++) out = (out << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return out;
}
