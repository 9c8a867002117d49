import { RE2JS } from "re2js";

/** A regular expression in RE2's syntax, letters of either case, which takes time in proportion to the text whatever it is. */
export interface TextExpression {
  test(text: string): boolean;
}

const ready = new Map<string, TextExpression>();

export function textExpression(source: string): TextExpression {
  const known = ready.get(source);
  if (known) return known;
  const pattern = RE2JS.compile(source, RE2JS.CASE_INSENSITIVE);
  const made = { test: (text: string) => pattern.matcher(text).find() };
  ready.set(source, made);
  return made;
}

/** Why it is none; null where it is one. */
export function textFault(source: string): string | null {
  try {
    textExpression(source);
    return null;
  } catch (error) {
    return `is not a regular expression of RE2, which knows no lookaround and no backreference: ${(error as Error).message.slice(0, 200)}`;
  }
}
