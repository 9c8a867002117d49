import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type CodeRules, readCodeRules } from "../spec.ts";

/** The project's own rules: `javascript`, `python`, or all of them. */
export function codeRules(language = ""): CodeRules {
  const root = join(import.meta.dirname, "../../../../rules/code", language);
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".yaml"));
  return readCodeRules(names.sort().map((name) => parse(readFileSync(join(root, name), "utf8"))));
}
