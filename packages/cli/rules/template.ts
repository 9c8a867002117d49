import { TEMPLATES, type Template } from "./templates.data.ts";

export const TEMPLATE_NAMES: readonly string[] = Object.keys(TEMPLATES);

/** The path below the pack's root, and the text, of a rule that passes its own tests. `name` is its last part: lower-case words joined by `-`. */
export function ruleFrom(template: string, name: string): { path: string; text: string } {
  const { folder, languages, body } = TEMPLATES[template] as Template;
  const id = `code/${folder}/${name}`;
  const text = `id: ${id}
title: Say in a few words what is wrong
message: "Say what is wrong here, and what could happen, to somebody who has never heard of it."
severity: medium # critical, high, medium, low, info
confidence: medium # high: a careful reader always agrees
cwe: [1104]
fix: "Say what to write instead."
references: []
languages: ${languages}
budget_ms: 3000 # of processor time, for a megabyte of nothing but its examples
${body}`;
  return { path: `${id}.yaml`, text };
}
