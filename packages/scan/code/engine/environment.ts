/** What every variable holds at a point of the program, and which data a guard has let through there. Layers: a branch writes into its own. */
import type { KindMask } from "../kinds.ts";
import { type Atom, joined, NOTHING, type Taint, type Value } from "./value.ts";

export class Environment {
  readonly parent: Environment | null;
  readonly writes = new Map<number, Value>();
  readonly guards = new Map<string, KindMask>();
  /** Whether a guard holds here or further out. */
  guarded: boolean;

  constructor(parent: Environment | null) {
    this.parent = parent;
    this.guarded = parent?.guarded ?? false;
  }

  read(id: number): Value | undefined {
    for (let layer: Environment | null = this; layer !== null; layer = layer.parent) {
      const value = layer.writes.get(id);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  write(id: number, value: Value): void {
    this.writes.set(id, value);
  }

  allow(guards: ReadonlyMap<string, KindMask>): void {
    for (const [key, mask] of guards) this.guards.set(key, (this.guards.get(key) ?? 0) | mask);
    if (guards.size > 0) this.guarded = true;
  }

  /** As what this data can do no harm here. What a guard said of an object holds for its fields. */
  allowed({ key, port }: Atom): KindMask {
    let mask = 0;
    for (let prefix = key; ; prefix = prefix.slice(0, prefix.lastIndexOf("."))) {
      for (let layer: Environment | null = this; layer?.guarded; layer = layer.parent) mask |= layer.guards.get(prefix) ?? 0;
      if (prefix.length <= port.length || !prefix.includes(".")) return mask;
    }
  }

  filtered(taints: readonly Taint[]): readonly Taint[] {
    if (!this.guarded || taints.length === 0) return taints;
    let out: Taint[] | null = null;
    taints.forEach((taint, index) => {
      const mask = this.allowed(taint.atom);
      if ((taint.mask | mask) === taint.mask) return;
      out ??= [...taints];
      out[index] = { ...taint, mask: taint.mask | mask };
    });
    return out ?? taints;
  }

  /** Takes over what a branch did that was surely run. */
  absorb(branch: Environment): void {
    for (const [id, value] of branch.writes) this.writes.set(id, value);
    this.allow(branch.guards);
  }

  /** Takes over what one of two branches did. */
  absorbEither(one: Environment, other: Environment): void {
    for (const id of new Set([...one.writes.keys(), ...other.writes.keys()])) {
      const a = one.writes.get(id) ?? this.read(id) ?? NOTHING;
      const b = other.writes.get(id) ?? this.read(id) ?? NOTHING;
      this.writes.set(id, joined(a, b));
    }
    const both = new Map<string, KindMask>();
    for (const [key, mask] of one.guards) {
      const shared = mask & (other.guards.get(key) ?? 0);
      if (shared !== 0) both.set(key, shared);
    }
    this.allow(both);
  }
}
