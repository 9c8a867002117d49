/** What replacing or removing characters takes away: `name.replace(/[^\w-]/g, "")`, `text.replace(/</g, "&lt;")`. */
import { EVERY_KIND, type KindMask, maskOf } from "../kinds.ts";
import type { Value } from "./value.ts";

const QUOTES = maskOf(["sql", "command", "xpath"]);
const TAKEN: readonly (readonly [RegExp, KindMask])[] = [
  [/<|&lt/, maskOf(["html", "xml"])],
  [/'/, QUOTES],
  [/\\?\.\\?\.|\/|\\\\/, maskOf(["path"])],
  [/\*.*[+?^$]|[+?^$].*\*/, maskOf(["regex"])],
  [/\\[rn]/, maskOf(["log", "header"])],
  [/[;&|`$]/, maskOf(["command"])],
  [/\\[*(]|[*(]\)?.*\\?\)/, maskOf(["ldap"])],
];

/** `what`: the first argument, a text or a regular expression as `/pattern/flags`. */
export function takenBy(what: Value | undefined, all: boolean): KindMask {
  const text = what?.text;
  if (text === null || text === undefined || text === "") return 0;
  const regex = /^\/(.*)\/([a-z]*)$/s.exec(text);
  if (what?.constant === undefined && regex !== null) {
    const [, pattern = "", flags = ""] = regex;
    if (!all && !flags.includes("g")) return 0;
    // What is not on the list goes: the list is what stays.
    if (/^\[\^[^\]]{1,200}\][+*]?$|^\\W[+*]?$|^\\D[+*]?$/.test(pattern)) return EVERY_KIND;
    return TAKEN.reduce((mask, [sign, kinds]) => (sign.test(pattern) ? mask | kinds : mask), 0);
  }
  return all ? TAKEN.reduce((mask, [sign, kinds]) => (sign.test(text) ? mask | kinds : mask), 0) : 0;
}
