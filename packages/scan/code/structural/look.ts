import { globMatcher, type MatchInput } from "@plastron/contracts";
import type { SourceDocument } from "@plastron/document";
import { z } from "zod";
import type { FileHead, LookGap, ScanFile } from "../../analyser.ts";
import { fileKey } from "../../analyser.ts";
import { scoreVector } from "../../findings/cvss.ts";
import type { Rule } from "../../rules/index.ts";
import { ruleFields } from "../../rules/index.ts";
import { Lines } from "../engine/lines.ts";
import { roleOf } from "../role.ts";
import { findInstructions, type Instruction, instructionsOf, MAX_INSTRUCTIONS } from "./dockerfile.ts";
import { type DockerBody, STRUCTURAL_KINDS, type YamlBody } from "./kinds.ts";
import { type Span, type SyntaxBody, SyntaxFile } from "./syntax.ts";
import { documentOf, findInYaml } from "./yaml.ts";

export interface Structural {
  /** Whether any rule looks at such a file. */
  wants(head: Pick<FileHead, "path" | "language">): boolean;
  /** `statements`: where the file's outermost statements stand; null where it was not parsed, or not whole. */
  look(file: ScanFile, statements?: readonly Span[] | null): { matches: MatchInput[]; gaps: LookGap[] };
}

const PROGRAMS = new Set(["javascript", "typescript", "python"]);

/** Of one rule in one file: a thousand equal findings say no more than a hundred. */
const MAX_MATCHES = 100;

/** The parsed YAML documents of `rules/code` that are rules of these kinds; others are passed over. Throws zod's error for a broken one. */
export function readStructuralRules(documents: readonly unknown[]): Rule[] {
  return documents.flatMap((document) => {
    const kind = STRUCTURAL_KINDS.find(({ key }) => typeof document === "object" && document !== null && Object.hasOwn(document, key));
    if (!kind) return [];
    const value = z.strictObject({ ...ruleFields, ...kind.fields }).parse(document) as Record<string, unknown>;
    const body = Object.fromEntries(Object.entries(value).filter(([key]) => key in kind.fields));
    return [{ ...value, kind: kind.name, file: `${String(value.id)}.yaml`, body } as unknown as Rule];
  });
}

export function createStructural(rules: readonly Rule[]): Structural {
  const ready = rules.map((rule) => ({ rule, takes: pathTest(rule) }));
  const of = ({ path, language }: Pick<FileHead, "path" | "language">) =>
    ready.filter(({ rule, takes }) => (rule.languages as readonly string[]).includes(language) && takes(path)).map(({ rule }) => rule);
  return {
    wants: (head) => of(head).length > 0,
    look(file, statements = null) {
      // What lies among tests and is no program runs nowhere; of programs it is to be seen first.
      const quiet = !PROGRAMS.has(file.language) && roleOf(fileKey(file)) === "test";
      const fitting = file.text === null || quiet ? [] : of(file);
      return fitting.length === 0 ? { matches: [], gaps: [] } : lookAt(file, file.text as string, statements, fitting);
    },
  };
}

function pathTest({ paths, not_paths }: Rule): (path: string) => boolean {
  const [wanted, unwanted] = [paths, not_paths].map((globs) => globs.flatMap(spellings).map(globMatcher)) as [
    ((path: string) => boolean)[],
    ((path: string) => boolean)[],
  ];
  return (path) => (wanted.length === 0 || wanted.some((fits) => fits(path))) && !unwanted.some((fits) => fits(path));
}

/** A path of an artifact has no slash ahead: `**` and a slash at a glob's head stand for nothing as well. */
const spellings = (glob: string): string[] => (glob.startsWith("**/") ? [glob, glob.slice(3)] : [glob]);

function lookAt(file: ScanFile, text: string, statements: readonly Span[] | null, rules: readonly Rule[]): { matches: MatchInput[]; gaps: LookGap[] } {
  const lines = new Lines(text);
  const gaps: LookGap[] = [];
  const source: Source = { text, syntax: new SyntaxFile(text, file.language, file.path, statements), instructions: null, document: null };
  const matches = rules.flatMap((rule) => {
    try {
      const places = placesOf(rule, source, lines);
      if (places.length > MAX_MATCHES) gaps.push(tooMany(`${rule.id} fits more than ${MAX_MATCHES} places here: the first were told`));
      return places.slice(0, MAX_MATCHES).map((spot) => matchOf(rule, file, spot, lines));
    } catch (error) {
      gaps.push({ kind: "failed", reason: "rule", detail: `${rule.id}: ${(error as Error).message.slice(0, 200)}`, matters: true });
      return [];
    }
  });
  if ((source.instructions?.length ?? 0) >= MAX_INSTRUCTIONS) gaps.push(tooMany(`more than ${MAX_INSTRUCTIONS} instructions: the rest was not read`));
  return { matches, gaps };
}

/** The rest says nothing new; but who counts, or puts a hundred before the one, must be told. */
const tooMany = (detail: string): LookGap => ({ kind: "degraded", reason: "too_many", detail, matters: true });

/** A file, and what it was read as so far. */
interface Source {
  readonly text: string;
  readonly syntax: SyntaxFile;
  instructions: readonly Instruction[] | null;
  /** The document, or null in its list where it is no YAML. */
  document: readonly [SourceDocument | null] | null;
}

type Spot = readonly [line: number, column: number, end_line: number, end_column: number];

function placesOf({ kind, body }: Rule, source: Source, lines: Lines): Spot[] {
  const { needs } = body as { needs?: readonly string[] };
  if (needs && !needs.some((word) => source.text.includes(word))) return [];
  if (kind === "syntax") {
    return source.syntax.find(body as unknown as SyntaxBody, MAX_MATCHES + 1).map(({ at, end }) => lines.spot(at, end));
  }
  if (kind === "dockerfile") {
    source.instructions ??= instructionsOf(source.text);
    return findInstructions(source.instructions, body as unknown as DockerBody).map(({ at, end }) => lines.spot(at, end));
  }
  source.document ??= [documentOf(source.text)];
  const [document] = source.document;
  // What is no YAML that we read is no workflow that runs.
  if (!document) return [];
  return findInYaml(document, source.text, body as unknown as YamlBody).map(({ line, column }) => [line, column, line, column + 1]);
}

function matchOf(rule: Rule, file: ScanFile, [line, column, end_line, end_column]: Spot, lines: Lines): MatchInput {
  const snippet = lines.text(line, column);
  return {
    rule: rule.id,
    analyser: "code",
    verdict: rule.verdict,
    title: rule.title,
    message: rule.message,
    severity: rule.severity,
    confidence: rule.confidence,
    cwe: [...rule.cwe],
    place: { path: file.path, layers: [...file.layers], line, column, end_line, end_column, snippet },
    cvss: rule.cvss.flatMap((vector) => scoreVector(vector) ?? []),
    fix: { text: rule.fix, edits: [] },
    references: [...rule.references],
    anchor: snippet.replaceAll(/\s+/g, " ").slice(0, 300),
  };
}
