import type { Group, Root } from "../facts.ts";
import { originOf } from "../origin.ts";
import { pythonName } from "../versions/python.ts";

/** One requirement of https://peps.python.org/pep-0508/. */
export interface Requirement {
  readonly name: string;
  /** `==1.0`, `>=1,<2`, "" for any. */
  readonly range: string;
  /** The one version that it allows; "" where it allows several. */
  readonly pinned: string;
  /** After `@`. */
  readonly url: string;
}

/** Null for what is no requirement. Markers are taken off: on some machine or other they hold. */
export function parseRequirement(text: string): Requirement | null {
  // Longer ones are nobody's, and would keep the pattern busy.
  if (text.length > 4000) return null;
  const [, name = "", rest = ""] = /^\s*([A-Za-z0-9][\w.-]{0,200})\s*(?:\[[^\]]{0,500}\])?\s*([\s\S]{0,4000})$/.exec(text) ?? [];
  if (name === "") return null;
  if (rest.startsWith("@")) return { name, range: "", pinned: "", url: rest.slice(1).trim().split(/\s/, 1)[0] as string };
  const range = (rest.split(";", 1)[0] as string)
    .trim()
    .replace(/^\(|\)$/g, "")
    .trim();
  if (range !== "" && !/^(===?|~=|!=|<=?|>=?)/.test(range)) return null;
  return { name, range, pinned: pinOf(range), url: "" };
}

/** `==1.2` and `===1.2` pin; `==1.*` does not. */
export function pinOf(range: string): string {
  return /^===?\s*([^\s,;*]{1,100})$/.exec(range.trim())?.[1] ?? "";
}

export function rootOf(requirement: Requirement, group: Group, line: number): Root {
  const { origin } = originOf(requirement.url);
  const name = pythonName(requirement.name);
  return { ecosystem: "PyPI", name, range: requirement.range, group, target: -1, line, ...(origin === "registry" && requirement.url === "" ? {} : { origin }) };
}
