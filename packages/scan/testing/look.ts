import { createHash } from "node:crypto";
import { type AnalyserName, type Match, matchSchema } from "@plastron/contracts";
import type { Analyser, FileHead, Language, LookGap, Project, ScanFile } from "../analyser.ts";
import { fileKey } from "../analyser.ts";

const LANGUAGES: Readonly<Record<string, Language>> = {
  ...{ js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", ts: "typescript", tsx: "typescript", py: "python" },
  ...{ sh: "shell", md: "markdown", html: "html", json: "json", yaml: "yaml", yml: "yaml", toml: "toml", xml: "xml", sql: "sql" },
};

/** A file as a test writes it down. */
export function fileOf(path: string, content: string | Uint8Array, more: Partial<ScanFile> = {}): ScanFile {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const text = typeof content === "string" ? content : null;
  const language = LANGUAGES[path.split(".").at(-1) ?? ""] ?? (text === null ? "binary" : "text");
  return { path, layers: [], sha256: createHash("sha256").update(bytes).digest("hex"), bytes, text, language, executable: false, ...more };
}

/** What one analyser says of these files together, with neither workers nor a cache: `file` of each, then `project`. */
export function lookAt<Facts>(analyser: Analyser<Facts>, files: readonly ScanFile[], others: readonly Analyser[] = []): { matches: Match[]; gaps: LookGap[] } {
  const matches: Match[] = [];
  const gaps: LookGap[] = [];
  const facts = new Map<AnalyserName, Map<string, unknown>>();
  for (const each of [analyser, ...others] as readonly Analyser[]) {
    const told = new Map<string, unknown>();
    for (const file of files.filter((file) => each.wants(headOf(file)))) {
      const look = each.file(file);
      if (look.facts !== null) told.set(fileKey(file), JSON.parse(JSON.stringify(look.facts)));
      if (each.name !== analyser.name) continue;
      matches.push(...look.matches.map((match) => matchSchema.parse(match)));
      gaps.push(...look.gaps);
    }
    facts.set(each.name, told);
  }
  const project: Project = { files: files.map(headOf), facts: <F>(name: AnalyserName) => (facts.get(name) ?? new Map()) as ReadonlyMap<string, F> };
  const whole = analyser.project?.(project);
  matches.push(...(whole?.matches ?? []).map((match) => matchSchema.parse(match)));
  gaps.push(...(whole?.gaps ?? []));
  return { matches, gaps };
}

function headOf(file: ScanFile): FileHead {
  const { path, layers, language, executable, bytes } = file;
  return { path, layers, language, executable, size: bytes.length };
}
