import { RE2JS } from "re2js";

/** Whether a pattern of a gate policy (`**` anything, `*` anything but a slash, letters as they are) is of the whole text. Linear in both. */
export function fits(pattern: string, text: string): boolean {
  let rule = compiled.get(pattern);
  if (!rule) {
    const source = pattern
      .split(/(\*\*\/|\*\*|\*)/)
      .map((part) => (part === "**/" ? "(?:.*/)?" : part === "**" ? ".*" : part === "*" ? "[^/]*" : RegExp.escape(part)))
      .join("");
    rule = RE2JS.compile(`^(?:${source})$`, RE2JS.DOTALL);
    compiled.set(pattern, rule);
  }
  return rule.test(text);
}

const compiled = new Map<string, RE2JS>();
