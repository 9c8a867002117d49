/** What a rule demands of a call beside its name: constants, options, how a text was made, what things are called. */
import type { Condition } from "../spec.ts";
import { isSlowPattern } from "./slow-pattern.ts";
import { NOTHING, type Value } from "./value.ts";

export interface CompiledCondition extends Omit<Condition, "matches" | "context" | "mentions"> {
  readonly pattern: RegExp | null;
  readonly around: RegExp | null;
  readonly named: RegExp | null;
}

/** Rules are ours or of a pack that was tried for slow patterns; the text that they meet is cut short all the same. */
export function compileCondition({ matches, context, mentions, ...rest }: Condition): CompiledCondition {
  const regex = (source: string | undefined) => (source === undefined ? null : new RegExp(source, "i"));
  return { ...rest, pattern: regex(matches), around: regex(context), named: regex(mentions) };
}

/** What a call or a write was given. */
export interface Given {
  readonly values: readonly Value[];
  /** By keyword. */
  readonly named: ReadonlyMap<string, Value>;
  readonly receiver: Value | null;
  /** Something was spread into the arguments: what is not there may be. */
  readonly open: boolean;
  /** What this is assigned to, and which functions it stands in: nearest first. */
  readonly around: readonly string[];
  /** What the arguments are called. */
  readonly mentions: () => readonly string[];
}

export function holds(condition: CompiledCondition, given: Given): boolean {
  // What it is assigned to, and the function around that: what stands further out speaks of other things.
  if (
    condition.around !== null &&
    !given.around
      .filter(Boolean)
      .slice(0, 2)
      .some((name) => condition.around?.test(name))
  )
    return false;
  if (condition.named !== null && !given.mentions().some((name) => condition.named?.test(name))) return false;
  const asksValue =
    condition.equals ??
    condition.differs ??
    condition.pattern ??
    condition.truthy ??
    condition.absent ??
    condition.built ??
    condition.below ??
    condition.slow ??
    null;
  return asksValue === null || holdsOf(condition, slotValue(condition, given), given.open);
}

function holdsOf(condition: CompiledCondition, found: Value | null | undefined, open: boolean): boolean {
  // Null: surely not given. Undefined: nobody knows.
  if (condition.absent !== undefined) return condition.absent ? found === null && !open : found !== null;
  if (found === null || found === undefined) return condition.truthy === false && found === null && !open;
  const { constant, text } = found;
  if (condition.equals !== undefined && !(constant !== undefined && condition.equals.some((each) => same(each, constant)))) return false;
  if (condition.differs !== undefined && !(constant !== undefined && !condition.differs.some((each) => same(each, constant)))) return false;
  if (condition.pattern !== null && !(text !== null && condition.pattern.test(text))) return false;
  if (condition.built !== undefined && condition.built !== (text?.includes("\0") ?? false)) return false;
  if (condition.below !== undefined && !(typeof constant === "number" && constant < condition.below)) return false;
  if (condition.slow !== undefined && !(text !== null && isSlowPattern(text))) return false;
  if (condition.truthy !== undefined) {
    const known = constant !== undefined ? Boolean(constant) : found.fields !== null || found.text !== null ? true : null;
    if (known !== condition.truthy) return false;
  }
  return true;
}

function same(a: unknown, b: unknown): boolean {
  return typeof a === "string" && typeof b === "string" ? a.toLowerCase() === b.toLowerCase() : a === b;
}

function slotValue({ argument = 0, name, field }: CompiledCondition, given: Given): Value | null | undefined {
  let value: Value | null | undefined =
    (name === undefined ? undefined : given.named.get(name)) ??
    (argument === "receiver" ? given.receiver : argument === "last" ? given.values.at(-1) : given.values[argument]) ??
    null;
  for (const part of field === undefined ? [] : field.split(".")) {
    if (value === null || value === undefined) return value;
    const next: Value | undefined = value.fields?.get(part);
    if (next === undefined) return value.closed ? null : undefined;
    value = next;
  }
  return value === NOTHING ? undefined : value;
}
