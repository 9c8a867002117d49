/** What a file imports, which functions of it it uses, and what it can do: for the other analysers. */
import type { Ability, Import, Outline, Use } from "../../outline.ts";
import type { Known } from "./knowledge.ts";
import type { Lines } from "./lines.ts";
import type { Sym } from "./sym.ts";
import type { Value } from "./value.ts";

/** What one file may say: a bundle has every function of a hundred packages. */
const MAX_USES = 4000;
const MAX_ABILITIES = 2000;
const MAX_IMPORTS = 4000;

export class OutlineMaker {
  readonly #lines: Lines;
  readonly #imports = new Map<string, { module: string; names: Set<string>; line: number; dynamic: boolean }>();
  readonly #modules = new Set<string>();
  readonly #uses = new Map<string, Use>();
  readonly #abilities = new Map<string, Ability>();

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  imported(module: string, names: readonly string[], at: number, dynamic: boolean): void {
    this.#modules.add(module);
    const line = this.#lines.line(at);
    const key = `${line}:${module}`;
    const known = this.#imports.get(key);
    if (known !== undefined) for (const name of names) known.names.add(name);
    else if (this.#imports.size < MAX_IMPORTS) this.#imports.set(key, { module, names: new Set(names), line, dynamic });
  }

  imports(module: string): boolean {
    return this.#modules.has(module);
  }

  /** A call or a read through an import; longer paths take the place of the shorter ones that they begin with. */
  used(sym: Sym, at: number): void {
    // What is used of the artifact's own files is nobody's question.
    if (sym.root.kind !== "module" || sym.root.module.startsWith(".") || this.#uses.size >= MAX_USES) return;
    const member = sym
      .segments()
      .filter((segment) => segment !== "default")
      .join(".")
      .replaceAll(".()", "()");
    const use: Use = { module: sym.root.module, member, line: this.#lines.line(at) };
    this.#uses.set(`${use.line}:${use.module}:${member}`, use);
  }

  ability(known: Known, what: string, values: readonly Value[], at: number): void {
    for (const { kind, target } of known.abilities) {
      if (this.#abilities.size >= MAX_ABILITIES) return;
      const line = this.#lines.line(at);
      this.#abilities.set(`${line}:${kind}:${what}`, { kind, what, target: targetOf(values[target]), line });
    }
  }

  dynamicImport(value: Value, at: number): void {
    const line = this.#lines.line(at);
    this.#abilities.set(`${line}:dynamic_import`, { kind: "dynamic_import", what: "import", target: targetOf(value), line });
  }

  outline(language: Outline["language"]): Outline {
    return {
      language,
      imports: [...this.#imports.values()].map(({ names, ...rest }): Import => ({ ...rest, names: [...names] })),
      uses: [...this.#uses.values()],
      abilities: [...this.#abilities.values()],
    };
  }
}

/** What is known of the text: constant ahead of the first part that is not. */
function targetOf(value: Value | undefined): string {
  if (value === undefined) return "";
  if (typeof value.constant === "string") return value.constant.slice(0, 200);
  return value.text === null ? "" : (value.text.split("\0")[0] ?? "").slice(0, 200);
}
