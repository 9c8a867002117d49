/**
 * Whether a regular expression can take exponential time: a repetition whose body can match one run of characters in several ways,
 * followed by something that can fail. `(a+)+$`, `(\w+\s?)*;`, `(a|a)*b`. What takes only the square of the length is not told: nearly
 * every pattern in use does, and nobody mends it.
 */

type Part =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "group"; readonly alternatives: readonly (readonly Part[])[] }
  | { readonly kind: "repeat"; readonly body: Part; readonly least: number; readonly endless: boolean }
  | { readonly kind: "end" | "nothing" };

/** Code points below 128, and one bit for all others. */
type CharacterSet = readonly boolean[];
const SIZE = 129;
const MAX_PATTERN = 500;

/** `/pattern/flags`. Patterns that are long or that this reader does not know are passed over. */
export function isSlowPattern(text: string): boolean {
  const source = /^\/(.*)\/[a-z]*$/s.exec(text)?.[1];
  if (source === undefined || source.length > MAX_PATTERN || !/[*+}]/.test(source)) return false;
  try {
    const reader = new Reader(source);
    const alternatives = reader.alternatives();
    return reader.done() && alternatives.some((parts) => slowIn(parts, false));
  } catch {
    return false;
  }
}

/** `fails`: what follows these parts can fail to match. */
function slowIn(parts: readonly Part[], fails: boolean): boolean {
  return parts.some((part, index) => {
    const after = fails || parts.slice(index + 1).some((next) => next.kind === "end" || (next.kind !== "nothing" && !isNullable(next)));
    return slowPart(part, after);
  });
}

function slowPart(part: Part, fails: boolean): boolean {
  if (part.kind === "group") return part.alternatives.some((parts) => slowIn(parts, fails));
  if (part.kind !== "repeat") return false;
  if (part.endless && fails && isAmbiguous(part.body)) return true;
  return slowPart(part.body, fails);
}

/** Whether a body, repeated, can match the same text in two ways. */
function isAmbiguous(body: Part): boolean {
  const alternatives = body.kind === "group" ? body.alternatives : [[body]];
  if (alternatives.some((parts) => repeatsItself(parts))) return true;
  // Two alternatives of one character that share one.
  const singles = alternatives.flatMap((parts) => (parts.length === 1 && parts[0]?.kind === "set" ? [parts[0].set] : []));
  return singles.some((one, index) => singles.slice(index + 1).some((other) => shares(one, other)));
}

/** All but one part can be left out, and that one repeats by itself: its run can be cut anywhere. */
function repeatsItself(parts: readonly Part[]): boolean {
  return parts.some((part, index) => {
    const others = parts.filter((_, at) => at !== index);
    const [inner] = part.kind === "group" && part.alternatives.length === 1 ? (part.alternatives[0] ?? []) : [part];
    return inner?.kind === "repeat" && inner.endless && others.every((other) => other.kind !== "end" && isNullable(other));
  });
}

function isNullable(part: Part): boolean {
  if (part.kind === "repeat") return part.least === 0 || isNullable(part.body);
  if (part.kind === "group") return part.alternatives.some((parts) => parts.every(isNullable));
  return part.kind === "nothing";
}

function shares(a: CharacterSet, b: CharacterSet): boolean {
  return a.some((has, index) => has && b[index]);
}

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  done(): boolean {
    return this.#at >= this.#text.length;
  }

  alternatives(): Part[][] {
    if (++this.#depth > 30) throw new RangeError("deep");
    const all: Part[][] = [[]];
    for (; !this.done() && this.#text[this.#at] !== ")"; ) {
      if (this.#text[this.#at] === "|") {
        this.#at++;
        all.push([]);
      } else all.at(-1)?.push(this.#repeated(this.#atom()));
    }
    this.#depth--;
    return all;
  }

  #repeated(body: Part): Part {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    const [whole, sign, least, comma, most] = /^([*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(rest) ?? [];
    if (whole === undefined) return body;
    this.#at += whole.length;
    if (sign === "*") return { kind: "repeat", body, least: 0, endless: true };
    if (sign === "+") return { kind: "repeat", body, least: 1, endless: true };
    if (sign === "?") return { kind: "repeat", body, least: 0, endless: false };
    return { kind: "repeat", body, least: Number(least), endless: comma === "," && most === "" };
  }

  #atom(): Part {
    const character = this.#text[this.#at++] as string;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return { kind: "set", set: this.#class() };
      case ".":
        return { kind: "set", set: setOf((code) => code !== 10) };
      case "^":
        return { kind: "nothing" };
      case "$":
        return { kind: "end" };
      case "\\":
        return this.#escape();
      default:
        return { kind: "set", set: setOf((code) => code === code128(character)) };
    }
  }

  #group(): Part {
    const head = /^\?(:|<?[=!]|<[A-Za-z_]\w*>)/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0] ?? "";
    this.#at += head.length;
    const alternatives = this.alternatives();
    if (this.#text[this.#at++] !== ")") throw new SyntaxError("open");
    // What only looks ahead takes nothing.
    return /[=!]$/.test(head) ? { kind: "nothing" } : { kind: "group", alternatives };
  }

  #escape(): Part {
    const character = this.#text[this.#at++] ?? "";
    if (character === "b" || character === "B") return { kind: "nothing" };
    if (/\d/.test(character) || character === "k") throw new SyntaxError("reference");
    return { kind: "set", set: escaped(character) ?? setOf((code) => code === code128(character)) };
  }

  #class(): CharacterSet {
    const negated = this.#text[this.#at] === "^";
    if (negated) this.#at++;
    const has = new Array<boolean>(SIZE).fill(false);
    for (let last: number | null = null; this.#text[this.#at] !== "]"; ) {
      const character = this.#text[this.#at++];
      if (character === undefined) throw new SyntaxError("open");
      const set = character === "\\" ? escaped(this.#text[this.#at] ?? "") : null;
      if (set !== null) {
        this.#at++;
        set.forEach((each, code) => (has[code] ||= each));
        last = null;
      } else if (character === "-" && last !== null && this.#text[this.#at] !== "]") {
        const end = code128(this.#text[this.#at++] ?? "");
        for (let code = last; code <= end; code++) has[code] = true;
        last = null;
      } else {
        last = code128(character === "\\" ? (this.#text[this.#at++] ?? "") : character);
        has[last] = true;
      }
    }
    this.#at++;
    return negated ? has.map((each) => !each) : has;
  }
}

function escaped(character: string): CharacterSet | null {
  const word = (code: number) => (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
  const space = (code: number) => code === 32 || (code >= 9 && code <= 13);
  switch (character) {
    case "w":
      return setOf(word);
    case "W":
      return setOf((code) => !word(code));
    case "d":
      return setOf((code) => code >= 48 && code <= 57);
    case "D":
      return setOf((code) => code < 48 || code > 57);
    case "s":
      return setOf(space);
    case "S":
      return setOf((code) => !space(code));
    case "n":
      return setOf((code) => code === 10);
    case "r":
      return setOf((code) => code === 13);
    case "t":
      return setOf((code) => code === 9);
    default:
      return null;
  }
}

function setOf(has: (code: number) => boolean): CharacterSet {
  return Array.from({ length: SIZE }, (_, code) => has(code));
}

function code128(character: string): number {
  return Math.min(character.charCodeAt(0) || 0, SIZE - 1);
}
