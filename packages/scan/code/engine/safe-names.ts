/**
 * Functions that say by their name what they take away: `validatePath`, `sanitizeHtml`, `safeJoin`. Whether they do it well is not asked:
 * a project that names its checks has thought of them, and to say otherwise needs somebody who reads them.
 */
import { EVERY_KIND, type KindMask, maskOf } from "../kinds.ts";

const TOPICS: readonly (readonly [RegExp, KindMask])[] = [
  [/path|file|dir|folder|join|resolve|segment|basename/i, maskOf(["path", "argument"])],
  [/ur[li]|host|origin|redirect|link|href|address|endpoint/i, maskOf(["request", "redirect", "html"])],
  [/html|markup|xss|text|entit|attr/i, maskOf(["html", "xml"])],
  [/xml/i, maskOf(["xml", "html", "xpath"])],
  [/sql|query|ident|column|table|literal|like/i, maskOf(["sql"])],
  [/shell|cmd|command|arg|bash/i, maskOf(["command", "argument"])],
  [/reg_?ex/i, maskOf(["regex"])],
  [/key|prop|proto/i, maskOf(["prototype"])],
  [/ldap/i, maskOf(["ldap"])],
  [/header|log|line/i, maskOf(["header", "log"])],
];

const ESCAPED = maskOf(["html", "xml", "sql", "regex", "ldap", "xpath", "header", "log"]);

/** As what the result of a function of this name can do no harm. */
export function takenByName(name: string): KindMask {
  const [, verb, topic = ""] =
    /^_*(validate|sani[tz]i[sz]e|sanitized?|clean|safe|secure|escape|quote|ensure|assert|verify|check|resolveSafe|normali[sz]eAndValidate|to_?safe)_?(.*)$/i.exec(
      name,
    ) ?? [];
  if (verb === undefined) return 0;
  const mask = TOPICS.reduce((all, [sign, kinds]) => (sign.test(topic) ? all | kinds : all), 0);
  if (mask !== 0) return mask;
  if (topic.length >= 8) return 0;
  // `escape` alone is for markup or a query; quoting for a shell is what it most often fails at.
  return /^sani/i.test(verb) ? EVERY_KIND : /^escape$/i.test(verb) ? ESCAPED : 0;
}
