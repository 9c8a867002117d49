import langBash from "@ast-grep/lang-bash";
import langPython from "@ast-grep/lang-python";
import { Lang, type NapiConfig, parse, registerDynamicLanguage, type SgRoot } from "@ast-grep/napi";

/** ast-grep's `rule`, `constraints` and `utils`, and words of which one must stand in a file before it is parsed for them. */
export interface SyntaxBody {
  readonly needs: readonly string[];
  /** How near to one of these words a match stands: in the same outermost statement (a function, a class), or anywhere in the file. */
  readonly needs_within?: "statement" | "file" | undefined;
  readonly rule: Readonly<Record<string, unknown>>;
  readonly constraints?: Readonly<Record<string, unknown>> | undefined;
  readonly utils?: Readonly<Record<string, unknown>> | undefined;
}

registerDynamicLanguage({ python: langPython, bash: langBash });

/** From one offset to another. */
export type Span = readonly [at: number, end: number];

/** One file, parsed once, when the first rule asks; where it will do, only the statements that a rule's words stand in. */
export class SyntaxFile {
  readonly #text: string;
  readonly #grammar: string;
  readonly #statements: readonly Span[] | null;
  readonly #roots = new Map<number, SgRoot>();

  /** `statements`: where the outermost ones stand, in order; null where nobody knows. */
  constructor(text: string, language: string, path: string, statements: readonly Span[] | null) {
    this.#text = text;
    this.#grammar = grammarOf(language, path);
    this.#statements = statements;
  }

  /** Places of what the rule finds, as UTF-16 offsets, in order; at most `most` of them. */
  find(body: SyntaxBody, most: number): { at: number; end: number }[] {
    const spans = (body.needs_within === "statement" ? this.#around(body.needs) : null) ?? [[0, this.#text.length] as const];
    const found: { at: number; end: number }[] = [];
    for (const span of spans) {
      if (found.length >= most) break;
      for (const node of this.#root(span).root().findAll(configOf(body))) {
        const { start, end } = node.range();
        found.push({ at: span[0] + start.index, end: span[0] + end.index });
      }
    }
    return found.slice(0, most);
  }

  #root([at, end]: Span): SgRoot {
    const known = this.#roots.get(at);
    if (known) return known;
    const root = parse(this.#grammar, this.#text.slice(at, end));
    this.#roots.set(at, root);
    return root;
  }

  /** The statements that hold one of the words; null where they are unknown, or so large a part that the whole is as cheap. */
  #around(words: readonly string[]): Span[] | null {
    const statements = this.#statements;
    if (statements === null) return null;
    const chosen = new Set<number>();
    for (const word of words)
      for (let at = this.#text.indexOf(word); at >= 0; ) {
        const index = firstThatEndsAfter(statements, at);
        const [from, to] = statements[index] ?? [this.#text.length, 0];
        if (from <= at) chosen.add(index);
        at = this.#text.indexOf(word, from <= at ? Math.max(to, at + 1) : at + 1);
      }
    const spans = [...chosen].sort((a, b) => a - b).map((index) => statements[index] as Span);
    const size = spans.reduce((sum, [at, end]) => sum + end - at, 0);
    return size > this.#text.length / 2 ? null : spans;
  }
}

function firstThatEndsAfter(statements: readonly Span[], offset: number): number {
  let low = 0;
  for (let high = statements.length; low < high; ) {
    const middle = (low + high) >> 1;
    if ((statements[middle] as Span)[1] > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

function grammarOf(language: string, path: string): string {
  if (language === "python") return "python";
  if (language === "shell") return "bash";
  // Its grammar for TSX reads plain JavaScript as well, JSX and all; casts in angle brackets are TypeScript's alone.
  return language === "typescript" && !path.endsWith("x") ? Lang.TypeScript : Lang.Tsx;
}

function configOf({ rule, constraints, utils }: SyntaxBody): NapiConfig {
  return { rule, ...(constraints ? { constraints } : {}), ...(utils ? { utils } : {}) } as NapiConfig;
}

/** What the matcher has against a rule, in its words; null where it takes it for each of the languages. */
export function patternFault(body: SyntaxBody, languages: readonly string[]): string | null {
  for (const language of languages) {
    try {
      parse(grammarOf(language, "example"), "").root().findAll(configOf(body));
    } catch (error) {
      const words = (error as Error).message.replaceAll(/\s*\n\s*(?:\|->)?/g, ": ").slice(0, 300);
      return `the matcher does not take it for ${language}: ${words}`;
    }
  }
  return null;
}
