/** `package.json` and `tsconfig.json`: what a package offers, and where its modules are. */
import { type ParseError, parse } from "jsonc-parser";
import type { ManifestFacts } from "./engine/facts.ts";
import { nestsTooDeep } from "./javascript/nesting.ts";

const MAX_MANIFEST = 1024 * 1024;

export function isManifest(path: string): boolean {
  return /(^|\/)(package\.json|[tj]sconfig[^/]*\.json)$/.test(path);
}

/** Null for what is none, or is broken: whoever reads dependencies says so. */
export function readManifest(path: string, text: string): ManifestFacts | null {
  // The reader of JSON recurses.
  if (text.length > MAX_MANIFEST || nestsTooDeep(text, 200)) return null;
  const errors: ParseError[] = [];
  const data: unknown = parse(text, errors, { allowTrailingComma: true });
  if (!isRecord(data)) return null;
  return path.endsWith("package.json") ? packageFacts(data) : tsconfigFacts(data);
}

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
    kind: "package",
    name: typeof data.name === "string" ? data.name : "",
    entries,
    bins: bin.filter((each) => typeof each === "string").slice(0, 100),
    private: data.private === true,
    paths: [],
    baseUrl: "",
  };
}

function tsconfigFacts(data: Readonly<Record<string, unknown>>): ManifestFacts {
  const options = isRecord(data.compilerOptions) ? data.compilerOptions : {};
  const paths: [string, string][] = [];
  for (const [pattern, targets] of Object.entries(isRecord(options.paths) ? options.paths : {}))
    for (const target of Array.isArray(targets) ? targets : []) if (typeof target === "string" && paths.length < 500) paths.push([pattern, target]);
  const baseUrl = typeof options.baseUrl === "string" ? options.baseUrl : "";
  return { kind: "tsconfig", name: "", entries: [], bins: [], private: false, paths, baseUrl };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
