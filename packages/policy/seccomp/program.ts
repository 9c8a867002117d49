/**
 * A classic BPF program as a graph of nodes, and the graph laid out as `struct sock_filter[]`.
 *
 * The graph is laid out from its end to its start. So every target already has its place when a jump to it is written, and a
 * target that is too far for a jump's 8-bit offset gets a stepping stone (a return is repeated; anything else gets a JA, whose
 * offset has 32 bits). Equal nodes are made once, so that shared endings cost nothing.
 */
export type Node =
  | { id: number; kind: "return"; value: number }
  | { id: number; kind: "load" | "and"; value: number; next: Node }
  | { id: number; kind: "jump"; test: "eq" | "gt" | "ge" | "any"; value: number; yes: Node; no: Node };

/** The kernel refuses longer programs (BPF_MAXINSNS). */
export const MAX_INSTRUCTIONS = 4096;
const INSTRUCTION_BYTES = 8;
const CODE = { load: 0x20, and: 0x54, return: 0x06, always: 0x05, eq: 0x15, gt: 0x25, ge: 0x35, any: 0x45 } as const;

interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

/** Makes nodes; two equal ones are one. */
export class Graph {
  readonly #nodes = new Map<string, Node>();

  return(value: number): Node {
    return this.#once(`r${value}`, (id) => ({ id, kind: "return", value }));
  }

  /** Loads the 32-bit word at that byte of struct seccomp_data; nothing where the word is not looked at. */
  load(offset: number, next: Node): Node {
    if (next.kind === "return" || next.kind === "load") return next;
    return this.#once(`l${offset}.${next.id}`, (id) => ({ id, kind: "load", value: offset, next }));
  }

  and(mask: number, next: Node): Node {
    if (next.kind === "return" || next.kind === "load") return next;
    return this.#once(`a${mask}.${next.id}`, (id) => ({ id, kind: "and", value: mask, next }));
  }

  jump(test: "eq" | "gt" | "ge" | "any", value: number, yes: Node, no: Node): Node {
    if (yes === no) return yes;
    return this.#once(`${test}${value}.${yes.id}.${no.id}`, (id) => ({ id, kind: "jump", test, value, yes, no }));
  }

  #once(key: string, make: (id: number) => Node): Node {
    const known = this.#nodes.get(key);
    if (known) return known;
    const node = make(this.#nodes.size);
    this.#nodes.set(key, node);
    return node;
  }
}

/** struct sock_filter[] in little endian, 8 bytes each. Throws RangeError where the kernel's limit is passed. */
export function encode(start: Node): Uint8Array {
  const instructions = layOut(start);
  if (instructions.length > MAX_INSTRUCTIONS) throw new RangeError(`the filter has ${instructions.length} instructions; the kernel takes ${MAX_INSTRUCTIONS}`);
  const bytes = new Uint8Array(instructions.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, jt, jf, k }] of instructions.entries()) {
    view.setUint16(i * INSTRUCTION_BYTES, code, true);
    view.setUint8(i * INSTRUCTION_BYTES + 2, jt);
    view.setUint8(i * INSTRUCTION_BYTES + 3, jf);
    view.setUint32(i * INSTRUCTION_BYTES + 4, k, true);
  }
  return bytes;
}

function layOut(start: Node): Instruction[] {
  const reversed: Instruction[] = [];
  const places = new Map<Node, number>();
  /** Instructions that a jump written next would skip to get there. */
  const distance = (node: Node): number => reversed.length - 1 - (places.get(node) as number);
  const write = (node: Node, instruction: Instruction): void => {
    reversed.push(instruction);
    places.set(node, reversed.length - 1);
  };
  const bringWithin = (node: Node, range: number): void => {
    if (distance(node) <= range) return;
    write(node, node.kind === "return" ? plain(CODE.return, node.value) : plain(CODE.always, distance(node)));
  };

  const place = (node: Node): void => {
    if (places.has(node)) return;
    switch (node.kind) {
      case "return":
        write(node, plain(CODE.return, node.value));
        break;
      case "load":
      case "and":
        place(node.next);
        bringWithin(node.next, 0);
        write(node, plain(CODE[node.kind], node.value));
        break;
      case "jump":
        place(node.no);
        place(node.yes);
        // The second stepping stone moves the first target one further away, hence 254 for it.
        bringWithin(node.yes, 254);
        bringWithin(node.no, 255);
        write(node, { code: CODE[node.test], jt: distance(node.yes), jf: distance(node.no), k: node.value });
        break;
    }
  };

  place(start);
  return reversed.reverse();
}

function plain(code: number, k: number): Instruction {
  return { code, jt: 0, jf: 0, k };
}
