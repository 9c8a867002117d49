import { GLOB, LIMITS, Table } from "./bpf-lsm-layout.ts";
import { type GlobToken, globTokens, isDeepBetweenSlashes } from "./glob.ts";

/** Sets of bytes that globs name, each once. */
export class SetTable {
  private known = new Map<string, number>();

  get count(): number {
    return this.known.size;
  }

  get table(): Table {
    const table = new Table(32);
    for (const bits of this.known.keys()) table.entry((at) => at.raw(Buffer.from(bits, "hex")));
    return table;
  }

  numberOf(bits: Uint8Array): number {
    const key = Buffer.from(bits).toString("hex");
    const found = this.known.get(key) ?? this.known.size;
    if (found >= LIMITS.sets) throw new RangeError(`more than ${LIMITS.sets} different sets [...] in globs`);
    this.known.set(key, found);
    return found;
  }

  copy(): SetTable {
    const copy = new SetTable();
    copy.known = new Map(this.known);
    return copy;
  }
}

/**
 * struct glob: the last plain byte, three zeros, then steps of an operation and its argument. The kernel compares bytes: a
 * character beyond ASCII in a set would be several of them, so such a set is refused.
 * Throws RangeError where it does not fit.
 */
export function encodeGlob(glob: string, sets: SetTable): Buffer {
  /* Several in a row stand for what one stands for; the kernel's matcher takes one at a time. */
  const tokens = globTokens(glob.replace(/(?:\/\*\*)+\//g, "/**/"));
  const steps: [operation: number, argument: number][] = [];
  for (let at = 0; at < tokens.length; at++) {
    if (isDeepBetweenSlashes(tokens, at)) {
      steps.push([GLOB.between, 0x2f]);
      at += 2;
    } else steps.push(...stepsOf(tokens[at] as GlobToken, sets));
  }
  if (steps.length >= LIMITS.tokens) throw new RangeError(`a glob of more than ${LIMITS.tokens - 1} steps`);
  const bytes = Buffer.alloc(4 + 2 * LIMITS.tokens);
  const last = steps.at(-1);
  if (last?.[0] === GLOB.plain) bytes[0] = last[1];
  for (const [i, [operation, argument]] of steps.entries()) bytes.set([operation, argument], 4 + 2 * i);
  return bytes;
}

function stepsOf(token: GlobToken, sets: SetTable): [number, number][] {
  switch (token.kind) {
    case "plain":
      return [...Buffer.from(token.character, "utf8")].map((byte) => [GLOB.plain, byte]);
    case "one":
      return [[GLOB.one, 0]];
    case "any":
      return [[GLOB.any, 0]];
    case "deep":
      return [[GLOB.deep, 0]];
    case "set":
      return [[GLOB.set, sets.numberOf(bitsOf(token))]];
  }
}

function bitsOf({ negated, ranges }: Extract<GlobToken, { kind: "set" }>): Uint8Array {
  if (ranges.some((range) => range.some((character) => (character.codePointAt(0) as number) > 127))) throw new RangeError("a set with characters beyond ASCII");
  const bits = new Uint8Array(32);
  for (let byte = 1; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    const named = ranges.some(([from, to]) => character >= from && character <= to);
    if (named !== negated && character !== "/") bits[byte >> 3] = (bits[byte >> 3] as number) | (1 << (byte & 7));
  }
  return bits;
}
