/** `package.json`, `tsconfig.json` and Python's: what a package offers, what it starts, and where its modules are. */
import { type ParseError, parse } from "jsonc-parser";
import type { ManifestFacts } from "./engine/facts.ts";
import { nestsTooDeep } from "./javascript/nesting.ts";

const MAX_MANIFEST = 1024 * 1024;

export function isManifest(path: string): boolean {
  return /(^|\/)(package\.json|[tj]sconfig[^/]*\.json|pyproject\.toml|setup\.cfg|entry_points\.txt)$/.test(path);
}

/** Null for what is none, or is broken: whoever reads dependencies says so. */
export function readManifest(path: string, text: string): ManifestFacts | null {
  if (text.length > MAX_MANIFEST) return null;
  if (!path.endsWith(".json")) return { ...NOTHING, kind: "python", modules: entryPoints(text, path.endsWith("entry_points.txt")) };
  // The reader of JSON recurses.
  if (nestsTooDeep(text, 200)) return null;
  const errors: ParseError[] = [];
  const data: unknown = parse(text, errors, { allowTrailingComma: true });
  if (!isRecord(data)) return null;
  return path.endsWith("package.json") ? packageFacts(data) : tsconfigFacts(data);
}

const NOTHING = { kind: "package", name: "", entries: [], bins: [], hooks: [], modules: [], private: false, paths: [], baseUrl: "" } as const;

function packageFacts(data: Readonly<Record<string, unknown>>): ManifestFacts {
  const entries: [string, string][] = [];
  const add = (name: string, target: unknown, depth: number): void => {
    if (typeof target === "string") {
      if (entries.length < 500 && !/\.(d\.[cm]?ts|json|css)$/.test(target)) entries.push([name, target]);
    } else if (isRecord(target) && depth < 6) for (const [key, inner] of Object.entries(target)) add(key.startsWith(".") ? key : name, inner, depth + 1);
  };
  if (data.exports !== undefined) add(".", data.exports, 0);
  for (const key of ["main", "module"]) add(".", data[key], 0);
  const bin = isRecord(data.bin) ? Object.values(data.bin) : [data.bin];
  return {
    ...NOTHING,
    name: typeof data.name === "string" ? data.name : "",
    entries,
    bins: bin.filter((each) => typeof each === "string").slice(0, 100),
    hooks: hooksOf(isRecord(data.scripts) ? data.scripts : {}),
    private: data.private === true,
  };
}

/** What npm runs when it installs a package, and what starts it. */
const HOOKS = ["preinstall", "install", "postinstall", "prepare", "start"];

function hooksOf(scripts: Readonly<Record<string, unknown>>): string[] {
  const commands = HOOKS.flatMap((name) => (Object.hasOwn(scripts, name) && typeof scripts[name] === "string" ? [scripts[name].slice(0, 4000)] : []));
  return commands.flatMap((command) => command.split(/[\s;&|"'()=]+/).filter((word) => /^[\w.@-]*[/.][\w./@-]*$/.test(word))).slice(0, 100);
}

/** Sections of pyproject.toml and setup.cfg that name functions to be started, as `name = package.module:function`. */
const STARTING = /^\[(?:project\.(?:scripts|gui-scripts|entry-points\b.*)|tool\.poetry\.(?:scripts|plugins\b.*)|options\.entry_points)\]/;
const INLINE = /^(?:scripts|gui-scripts|entry-points)\s*=\s*\{/;

function entryPoints(text: string, all: boolean): string[] {
  const modules = new Set<string>();
  let starting = all;
  for (const raw of text.split("\n")) {
    const line = raw.slice(0, 2000).trim();
    if (line.startsWith("[") && !all) starting = STARTING.test(line);
    if (!starting && !INLINE.test(line)) continue;
    for (const [, module] of line.matchAll(/=\s{0,20}["']?([A-Za-z_][\w.]{0,200})(?=\s{0,20}(?:[:"',[]|$))/g))
      if (modules.size < 500) modules.add(module as string);
  }
  return [...modules];
}

function tsconfigFacts(data: Readonly<Record<string, unknown>>): ManifestFacts {
  const options = isRecord(data.compilerOptions) ? data.compilerOptions : {};
  const paths: [string, string][] = [];
  for (const [pattern, targets] of Object.entries(isRecord(options.paths) ? options.paths : {}))
    for (const target of Array.isArray(targets) ? targets : []) if (typeof target === "string" && paths.length < 500) paths.push([pattern, target]);
  const baseUrl = typeof options.baseUrl === "string" ? options.baseUrl : "";
  return { ...NOTHING, kind: "tsconfig", paths, baseUrl };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
