import type { Command } from "./lex.ts";

/** Words that start another program and hand it their further words. */
const WRAPPERS = new Set([
  "sudo",
  "doas",
  "env",
  "exec",
  "command",
  "builtin",
  "nohup",
  "time",
  "nice",
  "stdbuf",
  "setsid",
  "busybox",
  "timeout",
  "then",
  "do",
  "else",
  "if",
  "while",
  "!",
  "&",
  "@",
  "run",
  "$",
  "%",
  "❯",
]);

/** Which program a command runs in the end, without path, `.exe` and what wraps it, lower case; and its arguments. */
export function program(command: Pick<Command, "words">): Program {
  const known = PROGRAMS.get(command);
  if (known) return known;
  const found = programOf(command);
  PROGRAMS.set(command, found);
  return found;
}

interface Program {
  readonly name: string;
  readonly rest: readonly string[];
}

/** Every recogniser asks anew. */
const PROGRAMS = new WeakMap<object, Program>();

function programOf({ words }: Pick<Command, "words">): Program {
  let at = 0;
  while (at < words.length - 1 && at < 12) {
    const word = base(words[at] as string);
    const flagOfWrapper = at > 0 && (/^-/.test(words[at] as string) || /^\d+[smh]?$/.test(words[at] as string) || /^\w+=/.test(words[at] as string));
    if (!WRAPPERS.has(word) && !flagOfWrapper) break;
    at++;
    // `sudo -u NAME`
    if (/^-[ugnk]$/.test(words[at] ?? "") && word !== "env") at += words[at] === "-n" || words[at] === "-k" ? 1 : 2;
  }
  return { name: base(words[at] ?? ""), rest: words.slice(at + 1) };
}

function base(word: string): string {
  const name = word.split("/").at(-1) ?? "";
  return (name === "" ? word : name)
    .toLowerCase()
    .replace(/\.exe$/, "")
    .replace(/^\\/, "");
}
