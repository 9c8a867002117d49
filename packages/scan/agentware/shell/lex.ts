/** One simple command of a shell text. Words are what the shell would see: quotes and continuations gone, known variables put in. */
export interface Command {
  readonly words: readonly string[];
  readonly start: number;
  readonly end: number;
  /** Commands that are joined by | have the same number, in order. */
  readonly pipeline: number;
  /** Files that its output goes to. */
  readonly writes: readonly string[];
  readonly reads: readonly string[];
  /** How deep in `$(…)`, backticks, `sh -c "…"`. */
  readonly depth: number;
  /** Texts of a here-document that it is fed. */
  readonly fed: string;
}

const MAX_DEPTH = 5;
export const MAX_COMMANDS = 20_000;
const MAX_WORD = 65_536;
const MAX_EXPANSION = 4096;

/** Commands of a shell text, those within substitutions included. Linear in its length; what is no shell gives odd commands, never an error. */
export function commandsOf(text: string, offset = 0, variables: Map<string, string> = new Map(), depth = 0): Command[] {
  const lexer = new Lexer(text, offset, variables, depth);
  lexer.run();
  return lexer.commands;
}

class Lexer {
  readonly commands: Command[] = [];
  private at = 0;
  private pipeline = 0;
  private words: string[] = [];
  private writes: string[] = [];
  private reads: string[] = [];
  private start = -1;
  private redirect: ">" | "<" | null = null;
  private heredocs: string[] = [];
  private readonly text: string;
  private readonly offset: number;
  private readonly variables: Map<string, string>;
  private readonly depth: number;

  constructor(text: string, offset: number, variables: Map<string, string>, depth: number) {
    this.text = text;
    this.offset = offset;
    this.variables = variables;
    this.depth = depth;
  }

  run(): void {
    const { text } = this;
    while (this.at < text.length && this.commands.length < MAX_COMMANDS) {
      const character = text[this.at] as string;
      if (character === "\n") {
        this.endCommand(true);
        this.at++;
        this.skipHeredocs();
      } else if (character === " " || character === "\t" || character === "\r") this.at++;
      else if (character === "#") this.skipComment();
      else if (character === ";" || character === "(" || character === ")" || character === "{" || character === "}") this.punctuation();
      else if (character === "|") this.bar();
      else if (character === "&") this.ampersand();
      else if (character === ">" || character === "<") this.redirection(character);
      else this.word();
    }
    this.endCommand(true);
  }

  private skipComment(): void {
    const newline = this.text.indexOf("\n", this.at);
    this.at = newline < 0 ? this.text.length : newline;
  }

  private punctuation(): void {
    const character = this.text[this.at] as string;
    // `{a,b}` is a word, `{ a; }` is a group.
    if ((character === "{" || character === "}") && !/[\s;]/.test(this.text[this.at + 1] ?? "\n")) {
      this.word();
      return;
    }
    this.endCommand(true);
    this.at++;
  }

  private bar(): void {
    const double = this.text[this.at + 1] === "|";
    this.endCommand(double);
    this.at += double || this.text[this.at + 1] === "&" ? 2 : 1;
  }

  private ampersand(): void {
    if (this.text[this.at + 1] === ">") {
      this.at++;
      this.redirection(">");
      return;
    }
    this.endCommand(true);
    this.at += this.text[this.at + 1] === "&" ? 2 : 1;
  }

  private redirection(mark: ">" | "<"): void {
    if (/^\d$/.test(this.words.at(-1) ?? "") && /\d/.test(this.text[this.at - 1] ?? "")) this.words.pop();
    const rest = this.text.slice(this.at, this.at + 4);
    if (rest.startsWith("<<<")) {
      this.at += 3;
      this.redirect = "<";
    } else if (rest.startsWith("<<")) {
      this.at += rest[2] === "-" ? 3 : 2;
      while (this.text[this.at] === " ") this.at++;
      const mark = /^["']?([\w.-]{1,60})["']?/.exec(this.text.slice(this.at, this.at + 64));
      this.at += mark?.[0].length ?? 0;
      if (mark?.[1]) this.heredocs.push(mark[1]);
    } else if (rest.startsWith("<(") || rest.startsWith(">(")) {
      this.at += 1;
      this.words.push(this.substitution("(", ")"));
    } else {
      this.at += rest[1] === mark || rest[1] === "|" ? 2 : 1;
      if (this.text[this.at] === "&") this.at++;
      this.redirect = mark;
    }
  }

  private skipHeredocs(): void {
    for (const mark of this.heredocs) {
      const from = this.at;
      for (let end = false; !end && this.at < this.text.length; ) {
        const newline = this.text.indexOf("\n", this.at);
        const stop = newline < 0 ? this.text.length : newline;
        end = this.text.slice(this.at, Math.min(stop, this.at + 200)).trim() === mark;
        this.at = stop + 1;
      }
      const last = this.commands.at(-1);
      if (last) this.commands[this.commands.length - 1] = { ...last, fed: this.text.slice(from, Math.min(this.at, from + MAX_WORD)) };
    }
    this.heredocs = [];
  }

  private word(): void {
    if (this.start < 0) this.start = this.at;
    const from = this.at;
    let value = "";
    while (this.at < this.text.length && value.length < MAX_WORD) {
      const character = this.text[this.at] as string;
      if (/[\s;|&<>()]/.test(character)) break;
      value += this.part(character);
    }
    if (this.at === from) this.at++;
    this.take(value);
  }

  /** One piece of a word: a quoted text, an escape, a variable, a substitution, a plain character. */
  private part(character: string): string {
    const { text } = this;
    if (character === "'") return this.until("'");
    if (character === '"') return this.doubleQuoted();
    if (character === "\\") {
      this.at += 2;
      const escaped = text[this.at - 1] ?? "";
      return escaped === "\n" || escaped === "\r" ? "" : escaped;
    }
    if (character === "`") return this.substitution("`", "`");
    if (character === "$") return this.dollar();
    this.at++;
    return character;
  }

  private until(mark: string): string {
    const shut = this.text.indexOf(mark, this.at + 1);
    const end = shut < 0 ? this.text.length : shut;
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value.slice(0, MAX_WORD);
  }

  private doubleQuoted(): string {
    this.at++;
    let value = "";
    while (this.at < this.text.length && this.text[this.at] !== '"' && value.length < MAX_WORD) {
      const character = this.text[this.at] as string;
      if (character === "'") {
        value += character;
        this.at++;
      } else value += this.part(character);
    }
    this.at++;
    return value;
  }

  private dollar(): string {
    const next = this.text[this.at + 1];
    if (next === "(") {
      this.at++;
      return this.substitution("(", ")");
    }
    if (next === "'") {
      this.at++;
      return this.until("'").replace(/\\x([0-9a-f]{2})|\\([0-7]{3})|\\n/gi, (_, hex, octal) =>
        hex ? String.fromCharCode(Number.parseInt(hex, 16)) : octal ? String.fromCharCode(Number.parseInt(octal, 8)) : "\n",
      );
    }
    const name = /^\$(?:\{([A-Za-z_]\w{0,80})[^}\n]{0,200}\}|([A-Za-z_]\w{0,80}|[@*#?!0-9]))/.exec(this.text.slice(this.at, this.at + 300));
    if (!name) {
      this.at++;
      return "$";
    }
    this.at += name[0].length;
    const variable = (name[1] ?? name[2]) as string;
    if (variable === "IFS") return " ";
    return this.variables.get(variable) ?? name[0];
  }

  /** `$(…)`, `…` and `<(…)`: what runs within is a command of its own; in the word stays a mark of it. */
  private substitution(open: string, shut: string): string {
    const from = this.at + 1;
    let nested = 1;
    let end = from;
    for (; end < this.text.length && nested > 0; end++) {
      const character = this.text[end];
      if (character === "\\") end++;
      else if (character === shut) nested--;
      else if (character === open) nested++;
    }
    const inner = this.text.slice(from, Math.max(from, end - 1));
    this.at = Math.max(end, from);
    if (this.depth < MAX_DEPTH && inner.length < MAX_WORD)
      for (const command of commandsOf(inner, this.offset + from, this.variables, this.depth + 1))
        this.commands.push({ ...command, pipeline: -1 - command.pipeline - 1000 * this.commands.length });
    return `$(${inner.slice(0, MAX_EXPANSION)})`;
  }

  private take(value: string): void {
    if (this.redirect) {
      (this.redirect === ">" ? this.writes : this.reads).push(value);
      this.redirect = null;
      return;
    }
    const set = /^([A-Za-z_]\w{0,80})\+?=(.*)$/s.exec(value);
    if (set && this.words.length === 0) {
      if (this.variables.size < 2000) this.variables.set(set[1] as string, (set[2] as string).slice(0, MAX_EXPANSION));
      return;
    }
    // An unquoted variable with blanks in it is several words.
    if (this.words.length === 0 && / /.test(value) && !value.startsWith("$(")) this.words.push(...value.split(/\s+/).slice(0, 50));
    else this.words.push(value);
  }

  private endCommand(endsPipeline: boolean): void {
    if (this.words.length > 0 || this.writes.length > 0) {
      const { words, writes, reads, pipeline, depth } = this;
      this.commands.push({ words, writes, reads, pipeline, depth, fed: "", start: this.offset + Math.max(this.start, 0), end: this.offset + this.at });
    }
    this.words = [];
    this.writes = [];
    this.reads = [];
    this.start = -1;
    this.redirect = null;
    if (endsPipeline) this.pipeline++;
  }
}
