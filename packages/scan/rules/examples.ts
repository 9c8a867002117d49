import { createHash } from "node:crypto";
import type { MatchInput } from "@plastron/contracts";
import type { Analyser, FileHead, Language, LookGap, ScanFile } from "../analyser.ts";
import { fileKey } from "../analyser.ts";
import type { Rule } from "./read.ts";
import type { ExampleText } from "./schema.ts";

/** One example, as files that an analyser can be given. */
export interface Example {
  readonly side: "bad" | "ok";
  /** `bad[0]`, or what the example calls itself. */
  readonly name: string;
  readonly files: readonly ScanFile[];
}

/** An example that came out otherwise than its side says. */
export interface ExampleFailure {
  readonly rule: string;
  readonly file: string;
  readonly example: string;
  readonly message: string;
}

export function examplesOf(rule: Rule): Example[] {
  return (["bad", "ok"] as const).flatMap((side) => rule[side].map((text, i) => ({ side, name: nameOf(text) ?? `${side}[${i}]`, files: filesOf(text, rule) })));
}

/** Runs every example of a rule: each `bad` must be found by this rule, each `ok` left alone by it, and none may be understood in part. */
export function tryExamples(rule: Rule, analyser: Analyser): ExampleFailure[] {
  return examplesOf(rule).flatMap(({ side, name, files }) => {
    const { matches, gaps } = lookThrough(analyser, files);
    const hits = matches.filter((match) => match.rule === rule.id);
    const failed = (message: string): ExampleFailure[] => [{ rule: rule.id, file: rule.file, example: name, message }];
    const broken = gaps.find(({ kind }) => kind !== "skipped");
    if (broken) return failed(`cannot be read whole (${broken.reason}): ${broken.detail}`);
    if (side === "bad" && hits.length === 0) return failed(`is not found${others(matches)}`);
    if (side === "ok" && hits.length > 0)
      return failed(`is found, at line ${hits[0]?.place.line}: ${JSON.stringify((hits[0]?.place.snippet ?? "").slice(0, 120))}`);
    return [];
  });
}

function others(matches: readonly MatchInput[]): string {
  const rules = [...new Set(matches.map(({ rule }) => rule))];
  return rules.length === 0 ? "" : `; found instead: ${rules.slice(0, 5).join(", ")}`;
}

/** All that an analyser says of these files: of each, and of all together. */
export function lookThrough<Facts>(analyser: Analyser<Facts>, files: readonly ScanFile[]): { matches: MatchInput[]; gaps: LookGap[] } {
  const matches: MatchInput[] = [];
  const gaps: LookGap[] = [];
  const facts = new Map<string, unknown>();
  for (const file of files.filter((each) => analyser.wants(headOf(each)))) {
    const look = analyser.file(file);
    if (look.facts !== null) facts.set(fileKey(file), JSON.parse(JSON.stringify(look.facts)));
    matches.push(...look.matches);
    gaps.push(...look.gaps);
  }
  const whole = analyser.project?.({
    files: files.map(headOf),
    facts: <F>(name: string) => (name === analyser.name ? facts : new Map()) as ReadonlyMap<string, F>,
  });
  return { matches: [...matches, ...(whole?.matches ?? [])], gaps: [...gaps, ...(whole?.gaps ?? [])] };
}

function headOf({ path, layers, language, executable, bytes }: ScanFile): FileHead {
  return { path, layers, language, executable, size: bytes.length };
}

function nameOf(text: ExampleText): string | undefined {
  return typeof text === "string" ? undefined : text.name;
}

function filesOf(text: ExampleText, rule: Rule): ScanFile[] {
  const files = typeof text === "string" ? { [pathFor(rule)]: text } : text.files;
  return Object.entries(files).map(([path, content]) => fileOf(path, content));
}

export function fileOf(path: string, text: string): ScanFile {
  const bytes = new TextEncoder().encode(text);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, layers: [], sha256, bytes, text, language: languageOf(path), executable: false };
}

/** A rule that looks at some paths only gets its example at such a path. */
function pathFor({ paths, languages }: Rule): string {
  const [glob] = paths;
  if (glob !== undefined)
    return glob
      .replaceAll("**/", "")
      .replaceAll(/\{([^,}]*)[^}]*\}/g, "$1")
      .replaceAll("*", "example");
  const language = languages[0] as Language;
  return language === "dockerfile" ? "Dockerfile" : `example.${EXTENSIONS[language] ?? "txt"}`;
}

const EXTENSIONS: Partial<Record<Language, string>> = {
  ...{
    javascript: "js",
    typescript: "ts",
    python: "py",
    shell: "sh",
    markdown: "md",
    html: "html",
    json: "json",
    yaml: "yaml",
    toml: "toml",
    xml: "xml",
    sql: "sql",
  },
};

const LANGUAGES: Readonly<Record<string, Language>> = {
  ...Object.fromEntries(Object.entries(EXTENSIONS).map(([language, extension]) => [extension, language as Language])),
  ...{ mjs: "javascript", cjs: "javascript", jsx: "javascript", tsx: "typescript", mts: "typescript", yml: "yaml", bash: "shell", pyi: "python" },
};

function languageOf(path: string): Language {
  const name = path.split("/").at(-1) ?? "";
  if (/^(Dockerfile|Containerfile)(\.|$)/.test(name)) return "dockerfile";
  return LANGUAGES[name.split(".").at(-1)?.toLowerCase() ?? ""] ?? "text";
}
