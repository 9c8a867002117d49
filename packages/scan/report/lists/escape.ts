import { visible } from "../text/visible.ts";

/** Text in XML 1.0, inside elements and attributes: characters that XML cannot hold are made visible, line breaks stay. */
export function xml(text: string): string {
  return text.split(/\r?\n/).map(line).join("&#10;");
}

function line(text: string): string {
  return visible(text)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
