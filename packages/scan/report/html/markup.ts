import { visible } from "../text/visible.ts";

/** Markup that was written here, and nothing else: text becomes it by `html` alone. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | null | false | readonly Markup[];

/**
 * A template whose every value is text until proven markup: made visible, then escaped for elements and for attributes in double quotes, of which
 * there are no others here. The one way to make markup of values, so that none can be forgotten.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, piece, at) => text + shown(parts[at - 1] as Part) + piece));
}

/** Text whose lines are kept, each made visible, and what stands in backticks as code: for elements that show white space. */
export function prose(text: string): Markup {
  const parts = text.split(/`([^`\r\n]{1,300})`/).map((part, at) => {
    const plain = part.split(/\r?\n/).map(escaped).join("\n");
    return at % 2 === 1 ? `<code>${plain}</code>` : plain;
  });
  return new Markup(parts.join(""));
}

function shown(part: Part): string {
  if (part === null || part === false) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(({ text }) => text).join("");
  return escaped(String(part));
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text: string): string => visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
