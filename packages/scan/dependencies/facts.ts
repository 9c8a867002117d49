/**
 * What a lock file, a manifest, an installed package or a bill of materials says, in one shape: what `file` hands to `project`. All text
 * in it is the artifact's. Names are never keys of plain objects here: a package may be called `__proto__`.
 */
export interface DependencyFacts {
  readonly listings: readonly Listing[];
  /** Modules that an installed distribution of Python brings: `PyYAML` brings `yaml`. */
  readonly modules?: readonly (readonly [distribution: string, module: string])[];
}

export type Role = "lock" | "manifest" | "installed" | "sbom";
export type Group = "production" | "development" | "optional" | "peer";
/** Where a package comes from. workspace: the artifact's own. */
export type Origin = "registry" | "git" | "url" | "path" | "workspace" | "unknown";

/** One list of packages. */
export interface Listing {
  /** As people call it: `package-lock.json v3`. */
  readonly format: string;
  /** Whose command changes it. */
  readonly tool: Tool;
  readonly role: Role;
  /** What the list is of, where it says so. */
  readonly subject: { readonly name: string; readonly version: string } | null;
  readonly packages: readonly Listed[];
  /** What its owner asked for by name. Empty where the file does not tell (package-lock v1). */
  readonly roots: readonly Root[];
  /** Other files that it names: pip's `-r` and `-c`. As written: they are looked up among the artifact's files and nowhere else. */
  readonly includes?: readonly { readonly path: string; readonly constraint: boolean; readonly line: number }[];
  readonly disagreements?: readonly Disagreement[];
}

/** One list says two things of one place, and which is obeyed depends on the version of npm. `since7` null: the place stands in the old half alone. */
export interface Disagreement {
  readonly place: string;
  readonly since7: string | null;
  readonly before7: string;
  readonly line: number;
}

export type Tool =
  | "npm"
  | "pnpm"
  | "yarn"
  | "bun"
  | "pip"
  | "uv"
  | "poetry"
  | "pipenv"
  | "pdm"
  | "conda"
  | "cargo"
  | "go"
  | "bundler"
  | "composer"
  | "maven"
  | "gradle"
  | "nuget"
  | "other";

/** One package. `version` is exact; "" where it is not known. */
export interface Listed {
  /** As OSV names it: npm, PyPI, crates.io, … */
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  /** Counts from 1. */
  readonly line: number;
  readonly needs?: readonly Need[];
  readonly group?: Group;
  /** registry where absent. */
  readonly origin?: Origin;
  /** Where it is fetched from: host with port, lower case. */
  readonly host?: string;
  /** Algorithm and value in hexadecimal. */
  readonly hashes?: readonly (readonly [algorithm: string, hexadecimal: string])[];
  /** It is fetched, and the list has no hash to compare with. */
  readonly unhashed?: boolean;
  /** `name@range`, where the list says to which wishes this is the answer, but not whose they are (Yarn 1). */
  readonly answers?: readonly string[];
  /** What its address says that is fetched, where that is another name or version: `evil@6.6.6`. */
  readonly mislabelled?: string;
  /** It is fetched over a connection that nobody protects. */
  readonly plain?: boolean;
  /** It comes inside another package's archive. */
  readonly bundled?: boolean;
}

/** An edge: index into the listing's packages, and the range that was asked for ("" unknown). */
export type Need = readonly [target: number, range: string];

export interface Root {
  readonly ecosystem: string;
  readonly name: string;
  /** As written: `^1.2.0`, `>=2,<3`. */
  readonly range: string;
  readonly group: Group;
  /** Index into the listing's packages; -1 where nothing there answers to it. */
  readonly target: number;
  readonly line: number;
  readonly origin?: Origin;
  /** Directory of the workspace member that asks, where it is not the root. */
  readonly member?: string;
}

/** A reader's answer. `gaps` are what it could not make sense of. */
export interface Reading {
  readonly listings: readonly Listing[];
  readonly modules?: DependencyFacts["modules"];
  readonly gaps: readonly ReadingGap[];
}
export interface ReadingGap {
  readonly reason: string;
  readonly detail: string;
  readonly matters: boolean;
}

/** Reads one kind of file; throws `Unreadable` and nothing else on purpose. */
export type Reader = (text: string, path: string) => Reading;

/** The file is not what its name says. */
export class Unreadable extends Error {
  readonly reason: string;

  constructor(reason: string, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** A list beyond this length is cut, and the cut is a gap: it is an attack on whoever reads it. */
export const MOST_PACKAGES = 200_000;
