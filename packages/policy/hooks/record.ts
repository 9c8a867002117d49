import { add, and, call, copy, load32, move, R, ring, shiftRight, store32, store64, storeImmediate32, storeImmediate64, subtract } from "./instructions.ts";
import type { Program } from "./program.ts";

/** Offsets from the top of the stack: the record, and above the words of a verdict (verdict.ts). */
export const STACK = { record: -72, rank: -76, state: -84 } as const;
/** What STACK.state holds. Neither is zero, a value that the verifier would remember. */
export const REFUSED = 1;
export const PASSING = 2;
/** The bits of a rank that are the rule's index. */
export const RULE_MASK = 0x3fffffff;

/** The record of contracts/watch.ts. */
const AT = { rule: 0, denied: 4, pid: 8, family: 12, type: 16, protocol: 20, port: 24, kind: 28, address: 32, cgroup: 48, comm: 56, size: 72 } as const;
const KIND = { destination: 0, socket: 1, bind: 2 } as const;
/** enum bpf_func_id */
const HELPER = { pid: 14, comm: 16, cgroup: 80, ringOutput: 130 } as const;

/** Where the kernel's context of a program has what is recorded (struct bpf_sock_addr, struct bpf_sock). Addresses: each word. */
export interface Subject {
  kind: keyof typeof KIND;
  family: number;
  type: number;
  protocol: number;
  address: readonly number[];
}

export const ADDRESS4 = { family: 28, type: 32, protocol: 36, address: [4], port: 24 } as const;
export const ADDRESS6 = { family: 28, type: 32, protocol: 36, address: [8, 12, 16, 20], port: 24 } as const;
/** In the same context: the source that a datagram will have (sendmsg4 alone may ask), and the socket, which has that it is bound to. */
export const SOURCE4 = { ofDatagram: 40, socket: 64, ofSocket: 24 } as const;
export const SOCKET = { kind: "socket", family: 4, type: 8, protocol: 12, address: [] } as const satisfies Subject;

/**
 * Writes the record of the rank in R.a. The port is in R.port (whatever it is of a socket), the context in R.context. A ring
 * without room loses the record and nothing else: what the call returns is of no account.
 */
export function writeRecord(program: Program, { kind, family, type, protocol, address }: Subject): void {
  const put = (field: keyof typeof AT, from: number) => program.add(store32(R.stack, STACK.record + AT[field], from));
  program.add(and(R.a, RULE_MASK));
  put("rule", R.a);
  program.add(load32(R.b, R.stack, STACK.state), move(R.a, PASSING), subtract(R.a, R.b));
  put("denied", R.a);
  for (const [field, offset] of Object.entries({ family, type, protocol })) {
    program.add(load32(R.a, R.context, offset));
    put(field as "family", R.a);
  }
  put("port", R.port);
  program.add(storeImmediate32(R.stack, STACK.record + AT.kind, KIND[kind]));
  program.add(storeImmediate64(R.stack, STACK.record + AT.address, 0), storeImmediate64(R.stack, STACK.record + AT.address + 8, 0));
  for (const [i, offset] of address.entries()) program.add(load32(R.a, R.context, offset), store32(R.stack, STACK.record + AT.address + 4 * i, R.a));
  program.add(call(HELPER.pid), shiftRight(R.r0, 32));
  put("pid", R.r0);
  program.add(call(HELPER.cgroup), store64(R.stack, STACK.record + AT.cgroup, R.r0));
  program.add(copy(R.a, R.stack), add(R.a, STACK.record + AT.comm), move(R.b, AT.size - AT.comm), call(HELPER.comm));
  program.add(...ring(R.a), copy(R.b, R.stack), add(R.b, STACK.record), move(R.c, AT.size), move(R.d, 0), call(HELPER.ringOutput));
}
