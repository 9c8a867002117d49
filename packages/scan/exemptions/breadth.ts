import type { Scope } from "./schema.ts";

const WILD = /[*?[]/;

/**
 * Why a scope covers more than anybody can answer for, or null. One weakness, one package or one rule may be exempted; a family of rules only in
 * a place that is named; a place alone, never: whatever anybody ever finds in it would be.
 */
export function tooBroad(scope: Scope): string | null {
  const { rule, path, fingerprint, advisory, dependency } = scope;
  if (fingerprint ?? advisory) return null;
  if (dependency) return null;
  if (rule === undefined) return "names no weakness: give a fingerprint, an advisory, a dependency or a rule";
  if (!rule.includes("/") || WILD.test(rule.split("/")[0] as string))
    return `the rule ${JSON.stringify(rule)} is of every analyser: name one, as in "code/javascript/*"`;
  if (!WILD.test(rule)) return null;
  if (path === undefined || !namesAPlace(path))
    return `the rule ${JSON.stringify(rule)} is many rules: name the path for which they are exempted, as in "src/legacy/**"`;
  return null;
}

/** A directory or a file by name: one of its parts has no wildcard and is no mere ending. */
function namesAPlace(path: string): boolean {
  return path.split("/").some((name) => name !== "" && name !== "." && name !== ".." && !WILD.test(name));
}
