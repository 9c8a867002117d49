/** Values as other files can follow them. */
import type { Ref } from "./facts.ts";
import type { Sym } from "./sym.ts";
import type { Value } from "./value.ts";

const MAX_ENTRIES = 400;

export function refOfSym(sym: Sym): Ref | null {
  const { root } = sym;
  const path = sym.segments();
  switch (root.kind) {
    case "module":
      return ["m", root.module, ...path];
    case "function":
      return ["f", root.id, ...path];
    case "class":
      return ["c", root.id, ...path];
    case "this":
      return ["t", root.id, ...path];
    case "parameter":
      return ["p", root.fn, root.index, ...path];
    case "global":
      return null;
  }
}

/** Null for what nobody could call or read anything of. */
export function refOf(value: Value, depth = 3): Ref | null {
  if (value.fields !== null && depth > 0) {
    const entries: [string, Ref][] = [];
    for (const [name, field] of value.fields) {
      const ref = refOf(field, depth - 1);
      if (ref !== null && entries.length < MAX_ENTRIES) entries.push([name, ref]);
    }
    // A function with properties is a function before it is an object.
    if (entries.length > 0 && value.sym === null) return ["o", entries];
  }
  if (value.sym !== null) return refOfSym(value.sym);
  return value.wraps.length === 1 && depth > 0 ? refOf(value.wraps[0] as Value, 0) : null;
}
