/**
 * What the code analyser's facts say of one file to the others: dependencies ask what is imported and which of its functions are used,
 * agentware asks what a script can do. Facts of `code` hold this as `outline`.
 */
export interface Outline {
  readonly language: "javascript" | "typescript" | "python";
  readonly imports: readonly Import[];
  /** Calls and reads through an import, each once a line: `{module: "lodash", member: "template"}`. */
  readonly uses: readonly Use[];
  readonly abilities: readonly Ability[];
}

export interface Import {
  /** As written: `lodash/template`, `./a.js`, `os.path`, `.models`. */
  readonly module: string;
  /** What is taken of it: exported names; `*` for the whole. Empty for an import for its effects. */
  readonly names: readonly string[];
  readonly line: number;
  /** By a computed name, or only on some path: `import(x)` has module "". */
  readonly dynamic: boolean;
}

export interface Use {
  readonly module: string;
  /** Dotted path below the module's export: `template`, `parsers.html.parse`. */
  readonly member: string;
  readonly line: number;
}

/** Something that code can do to the world, and where it does. `target` is what is known of its argument: a constant, or "". */
export interface Ability {
  readonly kind: "exec" | "eval" | "network" | "listen" | "read_file" | "write_file" | "environment" | "native" | "dynamic_import";
  readonly what: string;
  readonly target: string;
  readonly line: number;
}

/** The part of the code analyser's facts that others may rely on. */
export interface CodeFacts {
  readonly outline: Outline;
}
