import { parse, TomlError } from "smol-toml";
import { Unreadable } from "../facts.ts";
import { isObject, type JsonObject, refuseConflict } from "./json.ts";

/** Parsed, or `Unreadable`. Dates become objects that nobody here asks for. */
export function parseToml(text: string): JsonObject {
  refuseConflict(text);
  try {
    const document = parse(text) as unknown;
    if (isObject(document)) return document;
  } catch (error) {
    if (error instanceof TomlError) throw new Unreadable("syntax_error", `not TOML: ${error.message.split("\n", 1)[0]?.slice(0, 200)}`);
    throw new Unreadable("syntax_error", "not TOML");
  }
  throw new Unreadable("syntax_error", "not TOML");
}

/** Lines of the n-th `[[name]]`, in order: what a TOML reader forgets. */
export function tableLines(text: string, name: string): number[] {
  const header = `[[${name}]]`;
  const lines: number[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    if (text.startsWith(header, at)) lines.push(line);
    line++;
    at = end + 1;
  }
  return lines;
}
