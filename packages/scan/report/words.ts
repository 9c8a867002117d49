import { ANALYSERS, type AnalyserName, type Finding, type ScanResult } from "@plastron/contracts";

export type Level = Finding["priority"]["level"];
export const LEVELS: readonly Level[] = ["now", "soon", "plan", "note"];
export const LEVEL_WORDS: Record<Level, string> = { now: "Now", soon: "Soon", plan: "Plan", note: "Note" };
export const LEVEL_MEANING: Record<Level, string> = {
  now: "stop and repair",
  soon: "before the next release",
  plan: "when you are at it",
  note: "to know",
};
export const ANALYSER_WORDS: Record<AnalyserName, string> = {
  secrets: "secrets",
  code: "weak code",
  dependencies: "vulnerable dependencies",
  agentware: "malice aimed at agents",
  fuzz: "crashes under fuzzing",
};

export interface Verdict {
  /** incomplete stands above all: what was not seen may hold anything. */
  readonly kind: "incomplete" | "findings" | "exempted" | "clean";
  readonly headline: string;
  readonly detail: string;
}

/** The one sentence that a hurried reader takes away. It says "nothing found" only of what was looked at, and never of an incomplete scan. */
export function verdictOf(result: ScanResult): Verdict {
  const open = result.findings.filter(({ state }) => state === "open");
  const exempted = result.findings.length - open.length;
  const said = open.length === 0 ? "nothing found in what was looked at" : `${count(open.length, "finding")}: ${byLevel(open)}`;
  const aside = exempted > 0 ? `${count(exempted, "finding")} exempted` : "";
  if (result.status === "incomplete") {
    const missing = result.coverage.gaps.filter(({ matters }) => matters).length;
    const lost = missing > 0 ? `${count(missing, "part")} that ${missing === 1 ? "matters was" : "matter were"} not looked at` : "not all was looked at";
    return { kind: "incomplete", headline: "Incomplete", detail: [lost, said, aside].filter(Boolean).join("; ") };
  }
  const looked = `${count(result.coverage.files, "file")}; looked for ${listed(analysersOf(result).map((name) => ANALYSER_WORDS[name])) || "nothing"}`;
  if (open.length > 0) return { kind: "findings", headline: count(open.length, "finding"), detail: [byLevel(open), aside].filter(Boolean).join("; ") };
  if (exempted > 0) return { kind: "exempted", headline: "Nothing open", detail: `${aside}; ${looked}` };
  return { kind: "clean", headline: "Nothing found", detail: looked };
}

export function analysersOf({ coverage }: ScanResult): AnalyserName[] {
  return ANALYSERS.filter((name) => coverage.analysers[name] !== undefined);
}

export function byLevel(findings: readonly Finding[]): string {
  return LEVELS.map((level) => [findings.filter(({ priority }) => priority.level === level).length, level] as const)
    .filter(([number]) => number > 0)
    .map(([number, level]) => `${number.toLocaleString("en")} ${level}`)
    .join(", ");
}

export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}
