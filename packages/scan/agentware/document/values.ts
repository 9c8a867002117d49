import { visit } from "jsonc-parser";
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";

/** A text value of JSON or YAML, and the keys that lead to it (`tools.0.description`). */
export interface Value {
  readonly path: readonly string[];
  readonly text: string;
  /** Offset of the value, quotes included. */
  readonly start: number;
  readonly end: number;
}

export const MAX_VALUES = 100_000;
const MAX_DEPTH = 100;
/** YAML is parsed by a thorough and slow parser. */
export const MAX_YAML = 1_000_000;

/** Every text of a JSON document, comments and faults allowed; null where it nests deeper than anything sane. */
export function jsonValues(text: string): Value[] | null {
  if (nestsDeeper(text, MAX_DEPTH * 4)) return null;
  const values: Value[] = [];
  const path: (string | number)[] = [];
  const step = () => {
    const last = path.at(-1);
    if (typeof last === "number") path[path.length - 1] = last + 1;
  };
  visit(
    text,
    {
      onObjectBegin: () => void path.push(""),
      onObjectProperty(name) {
        path[path.length - 1] = name;
      },
      onObjectEnd: () => void path.pop(),
      onArrayBegin: () => void path.push(0),
      onArrayEnd: () => void path.pop(),
      onSeparator: (character) => void (character === "," && step()),
      onLiteralValue(value, offset, length) {
        if (values.length < MAX_VALUES && path.length < MAX_DEPTH)
          values.push({ path: path.map(String), text: String(value), start: offset, end: offset + length });
      },
    },
    { disallowComments: false, allowTrailingComma: true },
  );
  return values;
}

/** Every text of YAML documents; null where it is too large or no YAML. Aliases are not followed: they say nothing new. */
export function yamlValues(text: string, offset = 0): Value[] | null {
  if (text.length > MAX_YAML || nestsDeeper(text, MAX_DEPTH)) return null;
  const values: Value[] = [];
  try {
    for (const document of parseAllDocuments(text, { lineCounter: new LineCounter(), logLevel: "silent", uniqueKeys: false, strict: false })) {
      if ("contents" in document) walk(document.contents as Node | null, [], values, offset);
    }
  } catch {
    return null;
  }
  return values;
}

function walk(node: unknown, path: readonly string[], values: Value[], offset: number): void {
  if (values.length >= MAX_VALUES || path.length >= MAX_DEPTH || isAlias(node)) return;
  if (isMap(node)) for (const { key, value } of node.items) walk(value, [...path, isScalar(key) ? String(key.value) : "?"], values, offset);
  else if (isSeq(node)) node.items.forEach((item, i) => void walk(item, [...path, String(i)], values, offset));
  else if (isScalar(node) && node.value !== null && node.range)
    values.push({ path, text: String(node.value), start: offset + node.range[0], end: offset + node.range[1] });
}

/** Brackets alone, strings not told apart: a bound, not a depth. */
function nestsDeeper(text: string, most: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7b || code === 0x5b) {
      if (++depth > most) return true;
    } else if ((code === 0x7d || code === 0x5d) && depth > 0) depth--;
  }
  return false;
}
