import type { Argument, Expression } from "../ir.ts";

/** Formats of more than this many pieces are taken as a whole. */
const MAX_PIECES = 200;
const PERCENT = /%(?:%|(?:\(([^()\n]{0,100})\))?[#0\- +]{0,5}(?:\d{1,5}|\*)?(?:\.(?:\d{1,5}|\*))?[hlL]?([diouxXeEfFgGcrsa]))/g;

/**
 * The pieces of `"GET %s/%d" % values`: its own text, and what is put into it, in order. What is put in as a number is nobody's text.
 * Null where it cannot be told which value goes where.
 */
export function percentParts(format: string, whole: Expression, values: Expression): Expression[] | null {
  const parts: Expression[] = [];
  let from = 0;
  let position = 0;
  const found = [...format.matchAll(PERCENT)].filter(([hole]) => hole !== "%%");
  if (found.length === 0 || found.length > MAX_PIECES || found.some(([hole]) => hole.includes("*"))) return null;
  for (const hole of found) {
    const [text, name, conversion = ""] = hole;
    const value = name === undefined ? positional(values, position++, found.length) : named(values, name);
    if (value === null) return null;
    parts.push(constant(format.slice(from, hole.index).replaceAll("%%", "%"), whole), /[diouxXeEfFgG]/.test(conversion) ? number(value) : value);
    from = hole.index + text.length;
  }
  return [...parts, constant(format.slice(from).replaceAll("%%", "%"), whole)];
}

const BRACES = /\{\{|\}\}|\{([^{}:!]{0,100})(?:!([rsa]))?(?::([^{}]{0,60}))?\}/g;

/** The same of `"GET {}/{name:d}".format(a, name=b)`. */
export function formatParts(format: string, whole: Expression, given: readonly Argument[]): Expression[] | null {
  if (given.some(({ kind }) => kind !== "plain")) return null;
  const parts: Expression[] = [];
  let from = 0;
  let position = 0;
  const found = [...format.matchAll(BRACES)];
  if (found.length > MAX_PIECES) return null;
  for (const hole of found) {
    const [text, field, , spec = ""] = hole;
    const before = constant(format.slice(from, hole.index), whole);
    from = hole.index + text.length;
    if (field === undefined) {
      parts.push(before, constant(text.slice(1), whole));
      continue;
    }
    const first = /^[^.[]*/.exec(field)?.[0] ?? "";
    const place = first === "" ? position++ : /^\d{1,4}$/.test(first) ? Number(first) : null;
    const value = place === null ? given.find(({ name }) => name === first)?.value : given.filter(({ name }) => name === null)[place]?.value;
    if (value === undefined) return null;
    parts.push(before, /[bcdoxXeEfFgGn%]$/.test(spec) ? number(value) : value);
  }
  const rest = format.slice(from);
  return /[{}]/.test(rest) ? null : [...parts, constant(rest, whole)];
}

function positional(values: Expression, at: number, count: number): Expression | null {
  if (values.kind === "array") return values.items.every(({ kind }) => kind === "plain") ? (values.items[at]?.value ?? null) : null;
  if (values.kind === "object") return null;
  return count === 1 ? values : { kind: "member", object: values, name: String(at), computed: null, at: values.at, end: values.end };
}

function named(values: Expression, name: string): Expression | null {
  if (values.kind === "object") return values.properties.find((each) => each.name === name)?.value ?? null;
  return values.kind === "array" ? null : { kind: "member", object: values, name, computed: null, at: values.at, end: values.end };
}

const constant = (value: string, { at, end }: Expression): Expression => ({ kind: "constant", value, at, end });
const number = (value: Expression): Expression => ({ kind: "opaque", parts: [value], at: value.at, end: value.end });
