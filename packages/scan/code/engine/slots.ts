import type { Slot } from "../spec.ts";
import type { Given } from "./conditions.ts";
import type { Value } from "./value.ts";

/** The values that a rule means by `argument` (and `name`, where it was given by its name). */
export function slotValues({ argument, name }: Slot, given: Given): readonly Value[] {
  const named = name === undefined ? undefined : given.named.get(name);
  if (named !== undefined) return [named];
  if (argument === "receiver") return given.receiver === null ? [] : [given.receiver];
  if (argument === "all") return [...given.values, ...given.named.values()];
  if (argument === "rest") return given.values.slice(1);
  const value = argument === "last" ? given.values.at(-1) : given.values[argument];
  return value === undefined ? [] : [value];
}
