import langBash from "@ast-grep/lang-bash";
import langPython from "@ast-grep/lang-python";
import { Lang, type NapiConfig, parse, registerDynamicLanguage, type SgRoot } from "@ast-grep/napi";

/** ast-grep's `rule`, `constraints` and `utils`, and words of which one must stand in a file before it is parsed for them. */
export interface SyntaxBody {
  readonly needs: readonly string[];
  readonly rule: Readonly<Record<string, unknown>>;
  readonly constraints?: Readonly<Record<string, unknown>> | undefined;
  readonly utils?: Readonly<Record<string, unknown>> | undefined;
}

registerDynamicLanguage({ python: langPython, bash: langBash });

/** One file that is parsed once, when the first rule asks. */
export class SyntaxFile {
  readonly #text: string;
  readonly #grammar: string;
  #root: SgRoot | null = null;

  constructor(text: string, language: string, path: string) {
    this.#text = text;
    this.#grammar = grammarOf(language, path);
  }

  /** Places of what the rule finds, as UTF-16 offsets, in order; at most `most` of them. */
  find(body: SyntaxBody, most: number): { at: number; end: number }[] {
    this.#root ??= parse(this.#grammar, this.#text);
    const found = this.#root.root().findAll(configOf(body));
    return found.slice(0, most).map((node) => {
      const { start, end } = node.range();
      return { at: start.index, end: end.index };
    });
  }
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
