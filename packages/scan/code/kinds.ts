/**
 * What data can do harm as. A value from outside is dangerous in each of these ways until something takes that way away: quoting for
 * HTML does nothing against a shell. Each kind is a bit of a mask.
 */
export const KINDS = [
  "command", // a shell reads it
  "argument", // a program's argument list: options, not shell
  "sql",
  "path", // a file's name
  "code", // eval and its like
  "html", // a browser reads it as markup
  "redirect", // where a browser is sent
  "request", // where this server connects to (SSRF)
  "xpath",
  "ldap",
  "xml", // a parser that resolves entities
  "nosql", // an object where a text was meant
  "template", // text of a template
  "deserialise",
  "prototype", // a key of an object
  "regex", // a pattern, or what a slow pattern is matched with
  "log",
  "header",
  "trust", // kept as if it were ours
  "number", // a size, a limit
] as const;
export type Kind = (typeof KINDS)[number];
export type KindMask = number;

const BITS: ReadonlyMap<string, number> = new Map(KINDS.map((kind, index) => [kind, 1 << index]));

/** No way left to do harm. */
export const EVERY_KIND: KindMask = (1 << KINDS.length) - 1;

export function maskOf(kinds: readonly Kind[] | "all"): KindMask {
  return kinds === "all" ? EVERY_KIND : kinds.reduce((mask, kind) => mask | (BITS.get(kind) ?? 0), 0);
}

/**
 * Where data comes from, by who may write it.
 * request: whoever reaches the server. message: a socket's, a queue's, a webhook's. tool: arguments that a model chose (an agent's tool).
 * dom: the address bar, a message of another window. library: the argument of an exported function of a package; its caller decides.
 * cli: the command line. environment. response: what another server answered. stored: read from a database or a file.
 */
export const ORIGINS = ["request", "message", "tool", "dom", "library", "cli", "environment", "response", "stored"] as const;
export type Origin = (typeof ORIGINS)[number];
