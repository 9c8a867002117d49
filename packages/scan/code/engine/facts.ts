/**
 * What one file says to the others: plain JSON, kept between scans. Rules and sources are told by their number in `CodeRules`, which
 * facts of another version of the rules never meet.
 */
import type { MatchInput } from "@plastron/contracts";
import type { CodeFacts } from "../../outline.ts";

/**
 * What a value is, over files. m: a module (its name) and a path below it. f, c: a function, a class of this file. t: what `this` is in
 * that class. p: a parameter of a function. o: an object of which some fields are known.
 */
export type Ref =
  | readonly ["m", string, ...string[]]
  | readonly ["f" | "c" | "t", number, ...string[]]
  | readonly ["p", number, number, ...string[]]
  | readonly ["o", readonly (readonly [string, Ref])[]];

/** Line, column, line, column; from 1, ends exclusive. */
export type Spot = readonly [number, number, number, number];

/** `[what, name, spot]`: a: assigned to `name`; j: put into a text; p: passed through `name`. */
export type StepFact = readonly ["a" | "j" | "p", string, Spot];

/**
 * Data at the first port and path gets to the second. Ports as in `value.ts`; where it goes: `Q4` what function 4 returns, `A7:0`
 * argument 0 of call 7, `K3` sink 3, and `T`, `V`. Then mode, mask, steps (oldest first).
 */
export type EdgeFact = readonly [from: string, fromPath: string, to: string, toPath: string, mode: number, mask: number, steps: readonly StepFact[]];

/** A call of something of this project, or of what may be. `given`: arguments that are functions or objects of some. */
export interface SiteFact {
  readonly fn: number;
  readonly callee: Ref;
  readonly spot: Spot;
  readonly given: readonly (readonly [number, Ref])[];
  /** Constant text of arguments, for rules that ask: it may turn out to be a library's function. */
  readonly texts: readonly (readonly [number, string])[];
}

export interface FlowFacts {
  readonly exports: readonly (readonly [string, Ref])[];
  /** Modules of which everything is exported again. */
  readonly stars: readonly string[];
  readonly functions: readonly (readonly [id: number, name: string, returns: Ref | null, parameters: readonly string[]])[];
  readonly classes: readonly {
    readonly id: number;
    readonly name: string;
    readonly bases: readonly Ref[];
    readonly methods: readonly (readonly [string, number])[];
    readonly fields: readonly (readonly [string, Ref])[];
  }[];
  readonly sites: readonly (readonly [id: number, site: SiteFact])[];
  readonly edges: readonly EdgeFact[];
  readonly sources: readonly (readonly [id: number, source: number, spot: Spot])[];
  readonly sinks: (readonly [id: number, rule: number, sink: number, spot: Spot, name: string, fn: number])[];
  /** A parameter that comes from outside: function, position, path, source, where. */
  readonly seeds: readonly (readonly [fn: number, index: number, path: string, source: number, spot: Spot])[];
  /** A function of another file that is handed over where requests come from. */
  readonly registrations: readonly (readonly [callee: Ref, source: number])[];
  /** Text of every line that is told of, and the column at which it begins. */
  readonly lines: readonly (readonly [line: number, text: string, from: number])[];
}

/** `package.json`, `tsconfig.json` and what names entry points of Python, as far as modules are found by them. */
export interface ManifestFacts {
  readonly kind: "package" | "tsconfig" | "python";
  readonly name: string;
  /** Paths, as written, of what the package offers: `.` and subpaths to files. */
  readonly entries: readonly (readonly [string, string])[];
  readonly bins: readonly string[];
  /** Files that the commands name which npm runs by itself, and at the start. */
  readonly hooks: readonly string[];
  /** Python's modules that entry points name. */
  readonly modules: readonly string[];
  readonly private: boolean;
  readonly paths: readonly (readonly [string, string])[];
  readonly baseUrl: string;
}

export interface FileFacts extends CodeFacts {
  readonly flows: FlowFacts | null;
  readonly manifest: ManifestFacts | null;
  /** Of a file among tests and examples: what is to be told of it, should it be seen to run. */
  readonly held?: readonly MatchInput[];
}
