/** Text that is put together: which data is in it, where, and what stands around it. */
import { everyTaint, HOST_CLEANSES, MAX_KEPT, moved, PREFIX_CLEANSES, stepped, type Taint, TEXT, tainted, united, type Value } from "./value.ts";

export function concatenated(parts: readonly Value[], place: { readonly at: number; readonly end: number; readonly form?: string }): Value {
  let text = "";
  let taints: readonly Taint[] = [];
  for (const part of parts) {
    // Python's `"%(a)s" % values` takes what it wants out of an object.
    const inside = place.form === "format" ? everyTaint(part) : part.taints;
    if (inside.length > 0) taints = united(taints, moved(inside, TEXT, cleansedBehind(text)));
    if (text.length < MAX_KEPT) text += part.text ?? (part.constant === undefined ? "\0" : String(part.constant));
  }
  text = text.slice(0, MAX_KEPT);
  const whole = parts.every(({ constant }) => constant !== undefined && constant !== null);
  const value = tainted(stepped(taints, "joined", "", place.at, place.end), null, text);
  return whole
    ? {
        ...value,
        constant: parts
          .map(({ constant }) => String(constant))
          .join("")
          .slice(0, MAX_KEPT * 10),
      }
    : value;
}

/** A host that is written down already cannot be chosen; a text with something in front of it is no key of our choosing and no object. */
function cleansedBehind(before: string): number {
  if (before === "") return 0;
  return PREFIX_CLEANSES | (choosesHost(before) ? 0 : HOST_CLEANSES);
}

/** Nothing, a scheme, or a beginning of a host stands before. `\0` may be a base address, which is one's own. */
function choosesHost(before: string): boolean {
  return /^[a-z]*:?\/?\/?$/i.test(before) ? before !== "/" && !/^[a-z]+$/i.test(before) : /^[a-z\0]*:\/\/[^/?#]*$/i.test(before);
}
