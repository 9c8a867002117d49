import { createHash } from "node:crypto";
import type { MatchInput } from "@plastron/contracts";
import type { Analyser, Language, Look, LookGap, ScanFile } from "../analyser.ts";
import { fileKey } from "../analyser.ts";
import { evaluate, type Run } from "./engine/evaluate.ts";
import type { FileFacts } from "./engine/facts.ts";
import { freeze } from "./engine/freeze.ts";
import { Knowledge, type KnowledgeByLanguage } from "./engine/knowledge.ts";
import { Lines } from "./engine/lines.ts";
import { OutlineMaker } from "./engine/outline.ts";
import { isGenerated } from "./generated.ts";
import type { Lower, Module } from "./ir.ts";
import { lowerJavascript } from "./javascript/lower.ts";
import { awakeFiles } from "./link/awake.ts";
import { link } from "./link/link.ts";
import { Modules } from "./link/modules.ts";
import { isManifest, readManifest } from "./manifests.ts";
import { lowerPython } from "./python/lower.ts";
import { type RoleOf, roleOf } from "./role.ts";
import type { CodeRules } from "./spec.ts";
import { createStructural } from "./structural/index.ts";
import { matchOf } from "./tell.ts";

/** Of what this code answers; a hash of the rules stands beside it. */
const CODE_VERSION = 2;

/** Taint analysis and checks of calls. `rules`: the parsed files of `rules/code`. */
export function createCode(rules: CodeRules): Analyser<FileFacts> {
  const known: KnowledgeByLanguage = { javascript: new Knowledge(rules, ["javascript", "typescript"]), python: new Knowledge(rules, ["python"]) };
  const hash = createHash("sha256").update(JSON.stringify(rules)).digest("hex").slice(0, 16);
  const structural = createStructural(rules.structural);
  return {
    name: "code",
    version: `${CODE_VERSION}-${hash}`,
    wants: (head) => lowerings[head.language] !== undefined || isManifest(head.path) || structural.wants(head),
    file(file) {
      const { statements, ...data } = followed(file, known);
      const shape = structural.look(file, statements);
      if (roleOf(fileKey(file)) !== "test")
        return { matches: [...data.matches, ...data.quiet, ...shape.matches], gaps: [...data.gaps, ...shape.gaps], facts: data.facts };
      // Whether it runs is seen among all files.
      const held = [...data.quiet, ...shape.matches];
      return { matches: data.matches, gaps: data.gaps, facts: held.length === 0 ? data.facts : { ...(data.facts ?? unread(file)), held } };
    },
    project(project) {
      const facts = project.facts<FileFacts>("code");
      const modules = new Modules(facts);
      const awake = awakeFiles(facts, modules);
      const role: RoleOf = (path) => (awake.has(path) ? "code" : roleOf(path));
      const { matches, gaps } = link(allQuiet(known.javascript) ? withoutQuiet(facts, role) : facts, modules, known, role);
      const told = [...awake].flatMap((path) => facts.get(path)?.held ?? []);
      return { matches: [...told, ...matches], gaps: [...gaps, ...quietly(facts, role)], facts: null };
    },
  };
}

function unread({ language }: ScanFile): FileFacts {
  return { outline: { language: language === "python" ? "python" : "javascript", imports: [], uses: [], abilities: [] }, flows: null, manifest: null };
}

interface Followed extends Look<FileFacts> {
  /** What is not told of a file that lies among tests. */
  readonly quiet: readonly MatchInput[];
  readonly statements: Module["statements"];
}

/** What tests and examples do with data is nobody's concern: what they call is looked at where it stands. */
function withoutQuiet(facts: ReadonlyMap<string, FileFacts>, role: RoleOf): ReadonlyMap<string, FileFacts> {
  return new Map([...facts].map(([path, each]) => [path, each.flows !== null && role(path) === "test" ? { ...each, flows: null } : each]));
}

/** So that nobody takes them for clean. */
function quietly(facts: ReadonlyMap<string, FileFacts>, role: RoleOf): LookGap[] {
  const quiet = [...facts].filter(([path, { manifest }]) => manifest === null && role(path) === "test");
  if (quiet.length === 0) return [];
  const many = quiet.length === 1 ? "1 file lies" : `${quiet.length} files lie`;
  const detail = `${many} among tests and examples, and nothing that runs was seen to use ${quiet.length === 1 ? "it" : "them"}: weak code there is not told (${quiet[0]?.[0]}${quiet.length > 1 ? ", …" : ""})`;
  return [{ kind: "degraded", reason: "quiet", detail, matters: false }];
}

/** Where its data goes, for files of a language that is followed. */
function followed(file: ScanFile, known: KnowledgeByLanguage): Followed {
  if (isManifest(file.path)) return { matches: [], gaps: [], facts: manifestFacts(file), quiet: [], statements: null };
  const lower = lowerings[file.language];
  if (lower === undefined) return { matches: [], gaps: [], facts: null, quiet: [], statements: null };
  return file.text === null ? NOTHING_READ : lookAt(file, file.text, lower, known[file.language === "python" ? "python" : "javascript"]);
}

const lowerings: Readonly<Partial<Record<Language, Lower>>> = { javascript: lowerJavascript, typescript: lowerJavascript, python: lowerPython };

const NOTHING_READ: Followed = {
  matches: [],
  quiet: [],
  statements: null,
  facts: null,
  gaps: [{ kind: "degraded", reason: "encoding", detail: "code that is no text", matters: true }],
};

function manifestFacts({ path, text }: ScanFile): FileFacts | null {
  const manifest = text === null ? null : readManifest(path, text);
  return manifest === null ? null : { outline: { language: "javascript", imports: [], uses: [], abilities: [] }, flows: null, manifest };
}

function lookAt(file: ScanFile, text: string, lower: Lower, knowledge: Knowledge): Followed {
  const { module, gaps } = lower(text, file.path);
  if (module === null) return { matches: [], facts: null, gaps, quiet: [], statements: null };
  const lines = new Lines(text);
  const outline = new OutlineMaker(lines);
  const run = evaluate(module, knowledge, outline, file.path);
  const generated = isGenerated(file.path, text);
  const flows = freeze(run, lines);
  const told = checks(run, file, lines);
  return {
    matches: told.flatMap(({ match, quiet }) => (quiet ? [] : [match])),
    quiet: told.flatMap(({ match, quiet }) => (quiet ? [match] : [])),
    gaps: [...gaps, ...limits(run, generated)],
    // What a bundle exports is somebody else's interface, and its private functions are minified names.
    facts: { outline: outline.outline(module.language), flows: generated ? { ...flows, exports: [] } : flows, manifest: null },
    statements: module.statements,
  };
}

function allQuiet({ rules }: Knowledge): boolean {
  return rules.every(({ taint }) => taint.quiet_in_tests);
}

function limits(run: Run, generated: boolean): LookGap[] {
  const gaps: LookGap[] = [];
  if (generated)
    gaps.push({ kind: "degraded", reason: "generated", detail: "minified or bundled code: followed, but not as a package's interface", matters: false });
  if (run.exhausted || run.recorder.full)
    gaps.push({ kind: "degraded", reason: "budget", detail: "more code, or more ways for data in it, than are followed in one file", matters: true });
  return gaps;
}

/** What is wrong by itself, wherever its data comes from. */
function checks(run: Run, file: ScanFile, lines: Lines): { match: MatchInput; quiet: boolean }[] {
  return [...run.told.values()].flatMap(({ rule: id, at, end, name, words, fn, edit }) => {
    const rule = run.knowledge.rules[id];
    if (rule === undefined) return [];
    const [line, column, end_line, end_column] = lines.spot(at, end);
    const [snippet, snippet_column] = lines.shown(line, column);
    const place = { path: file.path, layers: [...file.layers], line, column, end_line, end_column, snippet, snippet_column };
    const sink = words === "" ? `\`${name}\`` : words;
    const anchor = `${nameOf(run.module, fn)}|${name}|${snippet}`;
    const { severity, confidence, taint } = rule;
    const edits = edit === null ? [] : [{ path: file.path, ...edit }];
    return [{ match: matchOf(rule, { place, severity, confidence, flow: [], source: "", sink, anchor, edits }), quiet: taint.quiet_in_tests }];
  });
}

function nameOf(module: Module, fn: number): string {
  return module.functions[fn]?.name ?? "";
}
